"""Blocks in the database: what is read is what was written, once, whoever else writes."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.light_curve.block import BlockPhotometry, epochs_in_order
from loaders.light_curve.load import NewBlock, current_blocks, withdraw_exposures, write_block, write_blocks
from loaders.rejection import Rejected
from roman_db import session
from tests.loaders.light_curve.synthetic import (
    EXCLUDING,
    FIRST_DAY,
    context,
    epochs,
    fluxes,
    key,
    object_ids,
    photometry,
    points,
    summaries,
    write,
)


def expected_points(when, measured):
    """Points as the view should list them, made from the matrices."""
    rows = []
    flux, flux_err, flags = measured.segments.flux, measured.segments.flux_err, measured.segments.flags
    for i, object_id in enumerate(measured.object_id.tolist()):
        for j, exposure_id in enumerate(when.exposure_id.tolist()):
            if not np.isnan(flux[i, j]) or flags[i, j]:
                rows.append((object_id, exposure_id, flux[i, j], flux_err[i, j], int(flags[i, j])))
    return rows


def read_points():
    query = "SELECT object_id, exposure_id, flux, flux_err, flags FROM roman.light_curve ORDER BY 1, 2"
    with session.reading() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_the_view_lists_what_was_written(database):
    when, measured = epochs(n=30), photometry(1, object_ids(), 30)
    write(key(), when, measured)
    found, expected = read_points(), expected_points(when, measured)
    assert [row[:2] + row[4:] for row in found] == [row[:2] + row[4:] for row in expected]
    np.testing.assert_array_equal(
        np.array([row[2:4] for row in found], "f4"), np.array([row[2:4] for row in expected], "f4")
    )


@pytest.mark.parametrize(
    ("view", "kind", "columns"),
    [
        ("astrometry_curve", "astrometry", "offset_ra, offset_dec, offset_ra_err, offset_dec_err"),
        ("shape_curve", "shape", "size_excess, e1, e2, size_excess_err, e1_err, e2_err, reduced_chi2"),
    ],
)
def test_the_views_of_bright_objects_list_what_was_written(database, view, kind, columns):
    when, measured = epochs(n=12), photometry(2, object_ids(), 12)
    write(key(), when, measured)
    matrix = getattr(measured, kind)
    there = ~np.isnan(matrix.arrays[0])
    with session.reading() as connection:
        query = sa.text(f"SELECT object_id, exposure_id, {columns} FROM roman.{view} ORDER BY 1, 2")
        found = np.array([tuple(row) for row in connection.execute(query)])
    np.testing.assert_array_equal(found[:, 0], np.repeat(matrix.object_id, there.sum(1)))
    np.testing.assert_array_equal(found[:, 1], np.tile(when.exposure_id, (len(there), 1))[there])
    np.testing.assert_array_equal(
        found[:, 2:].astype("f4"), np.stack([array[there] for array in matrix.arrays], 1)
    )


def test_the_array_view_holds_every_epoch_in_order(database):
    write(key(FIRST_DAY + 1), epochs(FIRST_DAY + 1, 4), photometry(2, object_ids(3), 4))
    first = photometry(1, object_ids(3), 5)
    write(key(), epochs(n=5), first)
    with session.reading() as connection:
        rows = connection.execute(sa.text("SELECT * FROM roman.light_curve_array ORDER BY object_id")).all()
    assert [row.n_epoch for row in rows] == [9, 9, 9]
    for i, row in enumerate(rows):
        assert np.all(np.diff(row.midpoint_mjd_tdb) > 0)
        assert (
            row.exposure_id
            == epochs(n=5).exposure_id.tolist() + epochs(FIRST_DAY + 1, 4).exposure_id.tolist()
        )
        np.testing.assert_array_equal(np.array(row.flux[:5], "f4"), first.segments.flux[i])


def test_magnitudes_are_ab(database):
    """2.5 log10(3631 Jy / 1 nJy) = 31.400066; an error of 10 % is 0.10857 mag; no magnitude below zero."""
    flux = np.array([[1.0, 1e4, -5.0, 0.0]], "f4")
    write(key(), epochs(n=4), fluxes(object_ids(1), flux, np.full((1, 4), 0.1, "f4"), np.zeros((1, 4), "u2")))
    with session.reading() as connection:
        query = "SELECT ab_mag, ab_mag_err FROM roman.light_curve ORDER BY exposure_id"
        found = connection.execute(sa.text(query)).all()
    zero = 2.5 * np.log10(3631e9)
    assert found[0] == pytest.approx((zero, 0.1085736), abs=1e-6)
    assert found[1] == pytest.approx((zero - 10, 0.1085736e-4), abs=1e-6)
    assert found[2:] == [(None, None), (None, None)]


def test_flags_expand_in_sql_as_in_numpy(database):
    rng = np.random.default_rng(5)
    flags = rng.choice(np.array([0, 0, 1, 2, 40000, 65535], "u2"), (40, 17))
    measured = fluxes(object_ids(40), np.ones((40, 17), "f4"), np.ones((40, 17), "f4"), flags)
    write(key(), epochs(n=17), measured)
    query = """
        SELECT coalesce(roman.expand_flag_run(flag_run, 17), array_fill(0, ARRAY[17]))
        FROM roman.light_curve_segment ORDER BY object_id
    """
    with session.reading() as connection:
        found = connection.execute(sa.text(query)).scalars().all()
    np.testing.assert_array_equal(np.array(found), flags)


def test_a_block_of_no_objects(database):
    write(key(), epochs(), photometry(1, object_ids(0), 5))
    assert points() == []


def test_several_blocks_of_a_day_stand_beside_each_other(database):
    """A late exposure is a block of its own, and so is another filter, detector or kind."""
    early = write(key(), epochs(n=5), photometry(1, object_ids(), 5))
    late = write(key(), epochs(n=1, first=7), photometry(2, object_ids(), 1))
    other = write(key(photometry_kind="dia"), epochs(n=5), photometry(3, object_ids(), 5))
    with session.reading() as connection:
        query = "SELECT block_id FROM roman.light_curve_block WHERE superseded_at IS NULL ORDER BY 1"
        assert connection.execute(sa.text(query)).scalars().all() == sorted([early, late, other])


def test_reprocessing_replaces_and_nothing_is_seen_twice(database):
    write(key(), epochs(), photometry(1, object_ids(), 5))
    write(key(), epochs(n=1, first=7), photometry(2, object_ids(), 1))
    again = photometry(3, object_ids(9), 8)
    write(key(), epochs(n=8), again)
    assert [row[:2] for row in read_points()] == [row[:2] for row in expected_points(epochs(n=8), again)]


def test_replacing_a_part_of_a_block_is_refused(database):
    write(key(), epochs(n=5), photometry(1, object_ids(), 5))
    before = points()
    with pytest.raises(Rejected, match=r"its exposures 61520003, 61520004 are not"):
        write(key(), epochs(n=3), photometry(2, object_ids(), 3))
    assert points() == before


def test_blocks_of_many_exposures_are_found_by_any_of_them(database):
    """Pieces of 256 exposures are asked for: those of a block may begin and end within them."""
    stored = {}
    for first, n in ((0, 300), (300, 499), (799, 1)):
        when = epochs(n=n, first=first)
        stored[write(key(days=8), when, photometry(3, object_ids(1), n))] = when.exposure_id
    held = np.concatenate(list(stored.values()))
    with session.transaction() as connection:
        for wanted in (held, held[::-1], held[:256], held[255:301], held[799:], held[:0]):
            found = {block.block_id for block in current_blocks(connection, "psf", wanted)}
            assert found == {block for block, own in stored.items() if np.isin(own, wanted).any()}
        assert current_blocks(connection, "dia", held) == []


def test_exposures_that_are_withdrawn_go_with_their_block(database):
    """With others in its place or none, but not together with exposures of which nothing was said."""
    write(key(), epochs(n=5), photometry(1, object_ids(), 5))
    first, last = epochs(n=4).exposure_id, epochs(n=5).exposure_id[4:].tolist()
    with pytest.raises(Rejected, match="stays as it was"), session.transaction() as connection:
        withdraw_exposures(connection, key(), last)
    measured = photometry(2, object_ids(), 4)
    block = NewBlock(key(), epochs(n=4), lambda: measured)
    with session.transaction() as connection:
        write_blocks(connection, [block], context(), last)
    assert [row[:2] for row in read_points()] == [row[:2] for row in expected_points(epochs(n=4), measured)]
    with session.transaction() as connection:
        withdraw_exposures(connection, key(), first.tolist())
    assert read_points() == []


@pytest.mark.parametrize("days", [(0, 1), (0, 8)], ids=["of one window", "of two windows"])
def test_a_merged_block_is_replaced_by_blocks_of_a_day_at_once(database, days):
    """The photometry of each is asked for when its turn comes."""
    when, _, _ = epochs_in_order([epochs(FIRST_DAY + day) for day in days])
    write(key(days=9), when, photometry(1, object_ids(), 10))
    measured = [photometry(2 + day, object_ids(), 5) for day in days]
    asked = []

    def ask(number: int) -> BlockPhotometry:
        asked.append(number)
        return measured[number]

    blocks = [
        NewBlock(key(FIRST_DAY + day), epochs(FIRST_DAY + day), partial(ask, number))
        for number, day in enumerate(days)
    ]
    where = context()
    with pytest.raises(Rejected, match="stays as it was"), session.transaction() as connection:
        write_blocks(connection, blocks[:1], where)
    assert asked == []
    with session.transaction() as connection:
        write_blocks(connection, blocks, where)
    assert asked == [0, 1]
    expected = [
        row[:2]
        for block, one in zip(blocks, measured, strict=True)
        for row in expected_points(block.epochs, one)
    ]
    assert [row[:2] for row in read_points()] == sorted(expected)


def test_photometry_of_other_epochs_is_refused(database):
    with pytest.raises(ValueError, match="photometry of 4 epochs for 5 exposures"):
        write(key(), epochs(n=5), photometry(1, object_ids(), 4))


def test_epochs_without_their_files_are_refused():
    with pytest.raises(ValueError, match=r"'file_id': \(4,\)"):
        dataclasses.replace(epochs(n=5), file_id=np.arange(4))


def test_summaries_are_stored_as_computed(database):
    """Against moments that numpy takes of the points that the view lists."""
    measured = photometry(4, object_ids(20), 40)
    write(key(), epochs(n=40), measured)
    stored = summaries()
    with session.reading() as connection:
        query = "SELECT object_id, flux::float8, flux_err::float8, flags FROM roman.light_curve"
        rows = np.array(connection.execute(sa.text(f"{query} WHERE flux <> 'NaN'")).all())
    rows = rows[(rows[:, 3].astype(int) & EXCLUDING) == 0]
    for one in stored:
        flux, err = rows[rows[:, 0] == one["object_id"], 1:3].T
        assert one["n_point"] == flux.size
        assert one["mean_flux"] == pytest.approx(np.average(flux, weights=err**-2), rel=1e-12)
        assert one["weighted_m2"] == pytest.approx(np.sum((flux - one["mean_flux"]) ** 2 / err**2), rel=1e-10)
    np.testing.assert_array_equal(stored["reference_flux"].astype("f4"), measured.reference_flux)
    np.testing.assert_array_equal(stored["mean_crowding"].astype("f4"), measured.mean_crowding)


def run_at_once(*tasks):
    """Run functions in threads from the same moment; return what they raised."""
    start = threading.Barrier(len(tasks))

    def run(task):
        start.wait()
        task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        futures = [pool.submit(run, task) for task in tasks]
    return [error for future in futures if (error := future.exception())]


def test_loaders_that_need_the_same_new_partition(database):
    """Of two windows, from six loaders at once."""
    context()
    detectors = [f"WFI{number:02d}" for number in range(1, 7)]

    def writer(number, detector):
        day = FIRST_DAY + 8 * (number % 2)
        return lambda: write(
            key(day, detector=detector), epochs(day, series=number), photometry(number, object_ids(50), 5)
        )

    assert run_at_once(*(writer(number, detector) for number, detector in enumerate(detectors))) == []
    with session.reading() as connection:
        query = "SELECT from_mjd, to_mjd FROM ops.light_curve_partition ORDER BY 1"
        assert connection.execute(sa.text(query)).all() == [(61520, 61528), (61528, 61536)]
        query = "SELECT count(*) FROM roman.light_curve_segment"
        assert connection.execute(sa.text(query)).scalar_one() == 300


@pytest.mark.parametrize("before", [False, True], ids=["new", "replaced"])
def test_loaders_of_the_same_exposures_leave_one_version(database, before):
    context()
    if before:
        write(key(), epochs(), photometry(0, object_ids(), 5))
    versions = [photometry(seed, object_ids(), 5) for seed in range(1, 5)]
    writers = [lambda measured=measured: write(key(), epochs(), measured) for measured in versions]
    assert run_at_once(*writers) == []
    found = [row[:2] for row in read_points()]
    assert len(found) == len(set(found))
    assert found in [[row[:2] for row in expected_points(epochs(), measured)] for measured in versions]


def test_a_changed_length_of_windows_leaves_no_gap_and_no_overlap(database):
    write(key(FIRST_DAY + 2), epochs(FIRST_DAY + 2), photometry(1, object_ids(), 5))
    with session.transaction() as connection:
        connection.execute(sa.text("UPDATE ops.light_curve_layout SET window_days = 30"))
    for day in (FIRST_DAY - 1, FIRST_DAY + 8, FIRST_DAY + 40):
        write(key(day), epochs(day), photometry(day, object_ids(), 5))
    with session.reading() as connection:
        query = "SELECT from_mjd, to_mjd FROM ops.light_curve_partition ORDER BY 1"
        windows = connection.execute(sa.text(query)).all()
    assert windows == [(61500, 61520), (61520, 61528), (61528, 61530), (61560, 61590)]


def test_a_failure_in_the_middle_leaves_nothing(database):
    where = context()
    bad = photometry(1, object_ids(), 5, mean_crowding=np.zeros(3))
    with pytest.raises(ValueError, match="same number of rows"), session.transaction() as connection:
        write_block(connection, key(), epochs(), bad, where)
    assert points() == []
    with session.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM ops.light_curve_partition")).scalar_one() == 0
