from __future__ import annotations

import numpy as np
import pytest

from loaders.catalog.identity import wanted_id
from loaders.catalog.overlap import check_overlap, overlapping
from loaders.rejection import Rejected

# The cell of order 8, a quarter of a degree wide, that holds a position.
RA, DEC = 268.0, -29.2
CELL = wanted_id(np.array([RA]), np.array([DEC])) >> 42
RANGES = np.stack([CELL << 42, (CELL + 1) << 42], axis=1)


def test_positions_in_a_footprint():
    inside = overlapping(np.array([RA, RA + 3, 10.0]), np.array([DEC, DEC, 10.0]), RANGES)
    assert inside.tolist() == [True, False, False]


def test_no_overlap_is_refused():
    check_overlap(np.array([10.0, RA]), np.array([10.0, DEC]), RANGES, "catalog.fits")
    with pytest.raises(Rejected, match=r"catalog\.fits: none of its 1 sources") as caught:
        check_overlap(np.array([10.0]), np.array([10.0]), RANGES, "catalog.fits")
    assert caught.value.code == "no_overlap"
