"""``roman-db run image-catalog`` on a real server: catalogs of exposures, and what is forced on mosaics'."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import SkyCoord

from loaders.static_catalog.product import read_product
from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

_ROWS = """
SELECT e.exposure_id, c.catalog_path, c.segmentation_path, c.n_source, x.n_source, c.n_new, c.sky_cell_id
FROM roman.source_catalog c JOIN roman.source_catalog_exposure x USING (source_catalog_id, exposure_id)
JOIN roman.exposure e ON e.exposure_id = c.exposure_id AND e.file_id = x.file_id
WHERE c.superseded_at IS NULL ORDER BY e.midpoint_mjd_tdb
"""


#: Exposures that are loaded.
N = 1


def exposures(field):
    return sorted(field.folder.glob("*_cal.asdf"))


def run(folder, *options):
    return roman_db("run", "image-catalog", "--products", folder / "products", *options)


@pytest.mark.heavy
def test_exposures_get_catalogs_and_are_measured_for_those_of_mosaics(new_database, sparse_field, tmp_path):
    succeed("load", "exposure", *exposures(sparse_field)[:N])
    succeed("load", "mosaic", sparse_field.folder)
    succeed("run", "static-catalog", "--products", tmp_path / "static")
    objects = execute(new_database, "SELECT * FROM roman.object ORDER BY object_id")
    outcome = run(tmp_path)
    assert outcome.code == 0, outcome.err
    assert f"{N} catalogs written" in outcome.out
    assert f"{N} forced catalogs" in outcome.out
    rows = execute(new_database, _ROWS)
    assert len(rows) == N
    assert all(row[3] == row[4] > 0 and row[5] == 0 and row[6] is None for row in rows)
    for _, catalog, segmentation, n_source, *_ in rows:
        assert pq.read_table(catalog).num_rows == n_source
        with read_product(segmentation) as model:
            assert np.unique(model.data).tolist() == list(range(n_source + 1))
    # A single exposure makes no objects and moves none, but its sources are known to be those there are.
    assert execute(new_database, "SELECT * FROM roman.object ORDER BY object_id") == objects
    check_objects(new_database, sparse_field)
    check_forced(new_database)
    assert succeed("audit").code == 0
    again = run(tmp_path)
    assert ": 0 catalogs written with 0 sources" in again.out
    assert "0 forced catalogs" in again.out
    redone = run(tmp_path, "--redo", "--day", int(first_day(new_database)))
    assert f"{N} catalogs written" in redone.out
    assert execute(new_database, "SELECT count(*) FROM roman.source_catalog WHERE superseded_at IS NULL") == [
        (N + 1,)
    ]
    # The catalog of mosaics, the light of the release catalog, and the example have nothing of exposures.
    assert ": 0 catalogs of 0 mosaics" in succeed("run", "static-catalog", "--products", tmp_path).out
    assert succeed("audit").code == 0


def first_day(url):
    return execute(url, "SELECT min(day_mjd) FROM roman.exposure")[0][0]


def check_objects(url, field):
    """Bright stars of the truth are the objects that the catalog of the mosaic made of them."""
    rows = execute(
        url,
        "SELECT s.ra, s.dec, s.object_id, p.psf_flux, m.psf_flux FROM roman.source s "
        "JOIN roman.source_catalog c USING (source_catalog_id) "
        "JOIN roman.source_photometry p USING (source_catalog_id, label) "
        "JOIN (SELECT s.object_id, p.psf_flux, s.is_extended FROM roman.source s "
        "JOIN roman.source_catalog c USING (source_catalog_id) "
        "JOIN roman.source_photometry p USING (source_catalog_id, label) WHERE c.exposure_id IS NULL) m "
        "USING (object_id) WHERE c.exposure_id IS NOT NULL AND NOT m.is_extended AND m.psf_flux > 1000 "
        "AND s.nn_distance > 0.8 AND s.image_flags = 0",
    )
    ra, dec, _, ours, mosaic = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    true = field.truth("F158")
    places = SkyCoord(ra, dec, unit="deg"), SkyCoord(*true[:2], unit="deg")
    index, distance, _ = places[0].match_to_catalog_sky(places[1])
    assert ra.size >= 3
    assert np.median(distance.arcsec) < 0.03
    np.testing.assert_allclose(np.median(ours / true[2][index]), 1, atol=0.08)
    np.testing.assert_allclose(np.median(ours / mosaic), 1, atol=0.08)


def check_forced(url):
    """Labels are those of the catalog of the mosaic, and the light in circles is about that in it."""
    (mosaic,) = execute(url, "SELECT source_catalog_id, catalog_path FROM roman.source_catalog "
                        "WHERE exposure_id IS NULL")  # fmt: skip
    detected = pq.read_table(mosaic[1])
    paths = execute(
        url,
        "SELECT forced_path, n_source FROM roman.source_catalog_exposure "
        f"WHERE source_catalog_id = {mosaic[0]} AND forced_path IS NOT NULL",
    )
    assert len(paths) == N
    pulls = []
    for path, n_source in paths:
        forced = pq.read_table(path)
        assert forced.num_rows == n_source > 0.8 * detected.num_rows
        label = np.asarray(forced["label"])
        assert np.isin(label, np.asarray(detected["label"])).all()
        theirs = np.asarray(detected["aper04_flux"])[label - 1]
        ours, error = np.asarray(forced["forced_aper04_flux"]), np.asarray(forced["forced_aper04_flux_err"])
        good = np.asarray(forced["image_flags"]) == 0
        # The PSFs of mosaic and exposure differ, and so does the light in a circle, by some per cent.
        pulls.append(((ours - theirs) / np.hypot(error, 0.05 * theirs))[good])
    pull = np.concatenate(pulls)
    assert pull.size >= 15 * N
    assert np.abs(np.median(pull)) < 0.4
    assert np.median(np.abs(pull)) * 1.4826 < 1.3


def test_what_cannot_be_measured_says_why(new_database, sparse_field, tmp_path):
    own = sparse_field.copy(tmp_path / "own")
    first, *others = exposures(own)[:2]
    succeed("load", "exposure", first, *others)
    first.unlink()
    outcome = run(tmp_path)
    assert outcome.code == 1
    assert f"{len(others)} catalogs written" in outcome.out
    found = execute(new_database, "SELECT code, source FROM ops.load_rejection")
    assert found == [("missing_file", str(first))]
    counted = "SELECT n_read, n_loaded, n_rejected FROM ops.load_run ORDER BY load_run_id DESC LIMIT 1"
    assert execute(new_database, counted) == [(2, 1, 1)]
    assert run(tmp_path, "--detector", "WFI99").code == 2
