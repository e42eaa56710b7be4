"""Merged blocks are what one block of all their epochs would have been: no point lost, moved or made up."""

import itertools
import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.light_curve.block import Epochs, epochs_in_order
from loaders.light_curve.decode import decode_rows
from loaders.light_curve.merge import MergePlan, merge_means, merge_segments
from tests.loaders.light_curve import strategies

_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TAIL = struct.pack(">h", -1)
_OID_REAL, _OID_BIGINT = 700, 20
#: A block that is read with the others and belongs to another plan.
OTHER_BLOCK = 3


def field(content: bytes) -> bytes:
    """A field of a row as PostgreSQL's manual describes it under COPY."""
    return struct.pack(">i", len(content)) + content


def array(oid: int, code: str, values) -> bytes:
    """An array of one dimension as ``array_send`` writes it."""
    elements = b"".join(field(struct.pack(f">{code}", value)) for value in values)
    return field(struct.pack(">iiiii", 1, 0, oid, len(values), 1) + elements)


def runs(flags) -> bytes:
    """Flags as runs, NULL where there are none."""
    packed, at = [], 0
    for bits, group in itertools.groupby(flags):
        length = len(list(group))
        packed += [at << 32 | length << 16 | bits] if bits else []
        at += length
    return array(_OID_BIGINT, "q", packed) if packed else struct.pack(">i", -1)


def row(object_id: int, block_id: int, reals, flags) -> bytes:
    """One segment."""
    identifiers = [field(struct.pack(">q", number)) for number in (object_id, block_id)]
    arrays = [array(_OID_REAL, "f", values.tolist()) for values in reals]
    return struct.pack(">h", 3 + len(arrays)) + b"".join([*identifiers, *arrays, runs(flags.tolist())])


@st.composite
def divided(draw):
    """A matrix of all points, and which block each epoch and which objects each block has."""
    n_object, n_epoch = draw(strategies.shapes)
    number = draw(st.integers(1, 3))
    flux, error = (draw(strategies.reals((n_object, n_epoch))) for _ in range(2))
    flags = draw(strategies.flags((n_object, n_epoch)))
    block = np.array(draw(st.lists(st.integers(0, number - 1), min_size=n_epoch, max_size=n_epoch)))
    present = np.array(
        [draw(st.lists(st.booleans(), min_size=n_object, max_size=n_object)) for _ in range(number)]
    )
    return (flux, error, flags), block, present, draw(st.randoms())


@settings(deadline=None)
@given(divided())
def test_merged_blocks_are_the_block_of_all(case):
    (flux, error, flags), block, present, random = case
    numbers = np.unique(block)  # a block has an epoch
    block_id = {number: 10 + 10 * int(number) for number in numbers}
    object_id = 10**18 + 7 * np.arange(flux.shape[0], dtype=np.int64)
    parts, rows, there = [], [], np.zeros(flux.shape, bool)
    for number in numbers:
        columns = np.flatnonzero(block == number)
        times = columns.astype(float), columns + 0.5
        parts.append(Epochs(100 + columns, *times, file_id=200 + columns, psf_model_id=300 + columns))
        for i in np.flatnonzero(present[number]):
            there[i, columns] = True
            rows.append(
                row(object_id[i], block_id[number], (flux[i, columns], error[i, columns]), flags[i, columns])
            )
    rows.append(row(object_id[0], OTHER_BLOCK, (np.ones(2), np.ones(2)), np.ones(2, int)))
    random.shuffle(rows)
    epochs, column, start = epochs_in_order(parts)
    plan = MergePlan(np.array(list(block_id.values())), column, start)

    merged = merge_segments(decode_rows(b"".join([_HEAD, *rows, _TAIL]), 2, True), plan)

    measured = np.flatnonzero(there.any(axis=1))
    for found, first in ((epochs.exposure_id, 100), (epochs.file_id, 200), (epochs.psf_model_id, 300)):
        assert found.tolist() == (first + np.arange(flux.shape[1])).tolist()
    assert merged.object_id.tolist() == object_id[measured].tolist()
    for found, whole in zip(merged.arrays, (flux, error), strict=True):
        np.testing.assert_array_equal(found, np.where(there, whole, np.nan)[measured])
    np.testing.assert_array_equal(merged.flags, np.where(there, flags, 0)[measured])


def test_nothing_to_merge_gives_nothing():
    stream = b"".join([_HEAD, row(1, OTHER_BLOCK, (np.ones(2), np.ones(2)), np.ones(2, int)), _TAIL])
    plan = MergePlan(np.array([10]), np.array([0]), np.array([0, 1]))
    merged = merge_segments(decode_rows(stream, 2, True), plan)
    assert merged.object_id.size == merged.arrays[0].size == merged.flags.size == 0


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_the_mean_of_blocks_is_that_of_their_points(blocks):
    """Of every object, over the blocks in which the mean is known."""
    object_id = np.arange(4, dtype=np.int64)
    rows = np.empty(len(blocks), [("object_id", "i8"), ("n_point", "f8"), ("value", "f8")])
    points: dict[int, list[float]] = {int(one): [] for one in object_id}
    for i, (one, values, known) in enumerate(blocks):
        rows[i] = (one, len(values), np.mean(values) if known else np.nan)
        points[one] += values if known else []
    found = merge_means(object_id, rows, ["value"])["value"]
    expected = [np.mean(values) if values else np.nan for values in points.values()]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
