"""Values as JSON, and coverage as maps."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import image
from mocpy import MOC

from roman_db.portal.answer import json_response, plain
from roman_db.portal.coverage import moc_of
from roman_db.portal.page import size
from roman_db.portal.picture import png


def test_what_is_not_a_number_is_null():
    document = {
        "a": np.array([1.0, np.nan, np.inf]),
        "b": np.array([1, 2**40]),
        "c": float("nan"),
        "d": np.float32(0.5),
        "e": [datetime(2027, 1, 1, tzinfo=UTC), Decimal("1.5")],
        "f": np.array(["x"]),
        "g": None,
        "h": True,
    }
    found = json.loads(json_response(document).body)
    assert found == {
        "a": [1.0, None, None], "b": [1, 2**40], "c": None, "d": 0.5, "e": ["2027-01-01T00:00:00+00:00", 1.5],
        "f": ["x"], "g": None, "h": True,
    }  # fmt: skip
    assert plain((1, "é")) == [1, "é"]


@given(st.lists(st.tuples(st.integers(0, 12 * 4**29 - 1), st.integers(1, 4**20)), max_size=12))
def test_coverage_is_that_of_mocpy(spans):
    last = 12 * 4**29
    pairs = np.array([(low, min(low + size, last)) for low, size in spans], np.uint64).reshape(-1, 2)
    ranges = "{" + ",".join(f"[{low},{high})" for low, high in pairs) + "}"
    theirs = MOC.from_depth29_ranges(29, pairs).degrade_to_order(15)
    ours = moc_of(ranges)
    # Equal cell by cell: as few as can be.
    assert {int(order): sorted(cells) for order, cells in ours.items()} == {
        int(order): sorted(cells) for order, cells in theirs.serialize(format="json").items() if cells
    }


def test_a_picture_is_read_as_it_was_written():
    levels = np.random.default_rng(1).integers(0, 256, (13, 29)).astype(np.uint8)
    found = image.imread(io.BytesIO(png(levels)), format="png")
    np.testing.assert_array_equal(np.rint(found * 255).astype(np.uint8), levels)


def test_bytes_are_written_in_powers_of_ten():
    written = [size(one) for one in (None, 0, 999, 1000, 24_576, 5e8, 1e11, 2e13, 3e18)]
    assert written == [
        "–",
        "0 B",
        "999 B",
        "1.0 kB",
        "24.6 kB",
        "500.0 MB",
        "100.0 GB",
        "20.0 TB",
        "3000.0 PB",
    ]
