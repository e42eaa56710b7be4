"""The truth table of the romanisim files as a catalog; skipped where it is absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loaders.catalog.check import check_rows
from loaders.catalog.duplicates import find_duplicates
from loaders.catalog.identity import free_ids, wanted_id
from loaders.catalog.mapping import apply_mapping, check_mapping, needed_columns
from loaders.catalog.read import open_catalog, read_chunks
from loaders.catalog.recognise import recognise
from loaders.wfi.footprint import covers, footprint
from loaders.wfi.level2 import read_level2

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "romanisim_l2"


@pytest.fixture(scope="module")
def sources():
    path = DATA / "truth.parquet"
    if not path.exists():
        pytest.skip(f"there is no {path}")
    reader = open_catalog(path)
    mapping = recognise(reader.file, ("F146",))
    check_mapping(mapping, reader.file)
    (chunk,) = read_chunks(reader, needed_columns(mapping))
    return apply_mapping(chunk, mapping, reader.file)


def test_recognised_without_units(sources):
    assert len(sources) == 40_790
    assert np.allclose(sources.ref_epoch, 2027.16, atol=0.01)
    assert np.abs(sources.pm_ra).max() < 20
    # Magnitudes 14.5 to 25.
    assert 300 < sources.flux["F146"].min() < sources.flux["F146"].max() < 6e6


def test_all_rows_are_good_and_distinct(sources):
    good, refused = check_rows(sources)
    assert len(refused) == 0
    # 411 pairs of these distinct stars are closer than the radius; fluxes keep nearly all of them apart.
    assert len(good) - find_duplicates(good).max() - 1 < 10


def test_numbers_are_free(sources):
    wanted = wanted_id(sources.ra, sources.dec)
    given = free_ids(wanted, np.array([], dtype=np.int64), (sources.ra, sources.dec))
    assert np.unique(given).size == len(sources)
    assert (given != wanted).sum() < 5


def test_lies_in_the_footprint_of_the_exposure(sources):
    ranges = footprint(read_level2(sorted(DATA.glob("*_cal.asdf"))[0]).projection)
    assert covers(ranges, wanted_id(sources.ra, sources.dec)).mean() > 0.9
