"""``roman-db load mosaic`` and ``run static-catalog`` on a real server: what is stored is what is true."""

from __future__ import annotations

import shutil
from pathlib import Path

import asdf
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.coordinates import Latitude, Longitude, SkyCoord
from astropy.table import QTable
from cdshealpix import lonlat_to_healpix

from loaders.static_catalog import load as loader
from loaders.static_catalog.product import read_product
from tests.faults.command_line import roman_db, succeed
from tests.loaders.static_catalog.field import ELEMENTS, Field, make_field
from tests.roman_db.conftest import execute

TABLES = ("mosaic", "sky_cell", "source_catalog", "source_catalog_mosaic", "source", "source_photometry",
          "object", "object_flux", "object_history", "catalog_version")  # fmt: skip


@pytest.fixture(scope="module")
def field(tmp_path_factory) -> Field:
    return make_field(tmp_path_factory.mktemp("field") / "files")


def counts(url):
    return {name: execute(url, f"SELECT count(*) FROM roman.{name}")[0][0] for name in TABLES}


def run(folder, *options):
    return roman_db("run", "static-catalog", "--products", folder, *options)


def columns(url, statement):
    return [np.array(values) for values in zip(*execute(url, statement), strict=True)]


def test_mosaics_are_registered_once_and_bad_ones_refused(new_database, field, tmp_path):
    text, damaged = tmp_path / "notes_coadd.asdf", tmp_path / "cut_coadd.asdf"
    text.write_text("no mosaic")
    damaged.write_bytes(field.mosaics["F158"].read_bytes()[:20000])
    twin = tmp_path / "twin_f158_coadd.asdf"
    shutil.copy(field.mosaics["F158"], twin)
    exposure = next(field.folder.glob("*_cal.asdf"))
    missing, empty = tmp_path / "none_coadd.asdf", tmp_path / "folder"
    empty.mkdir()
    bad = [text, damaged, exposure, missing, empty, twin]
    outcome = roman_db("load", "mosaic", field.folder, *bad)
    assert outcome.code == 1
    assert outcome.out.startswith("9 files read: 3 loaded (0 of them were there already), 6 rejected.")
    codes = {row[0] for row in execute(new_database, "SELECT code FROM ops.load_rejection")}
    assert codes == {"not_asdf", "truncated", "not_level3", "missing_file", "duplicate_content"}
    again = succeed("load", "mosaic", field.folder)
    assert again.out == "3 files read: 3 loaded (3 of them were there already), 0 rejected.\n"
    rows = execute(
        new_database,
        "SELECT optical_element, set_name, n_exposure, fraction_usable, "
        "time_first_mjd_tdb < time_last_mjd_tdb FROM roman.mosaic ORDER BY optical_element",
    )
    stem = field.mosaics["F158"].name.replace("_f158_coadd.asdf", "")
    assert rows == [(e, stem, len(field.exposures(e)), 1.0, True) for e in ELEMENTS]
    ((ra, dec, scale, orientat),) = execute(
        new_database, "SELECT ra, dec, pixel_scale, orientat FROM roman.sky_cell"
    )
    centre = field.scene.parameters.scene
    assert (ra, dec) == pytest.approx((centre.ra, centre.dec), abs=1e-8)
    assert (scale, orientat) == pytest.approx((0.055, 0), abs=1e-6)
    inside = execute(new_database, f"SELECT count(*) FROM roman.mosaic WHERE footprint @> {_pixel(ra, dec)}")
    assert inside == [(3,)]


def _pixel(ra, dec):
    return int(lonlat_to_healpix(Longitude(ra, "deg"), Latitude(dec, "deg"), 29)[0])


def matched(url, field, element, kind):
    """Stored and true fluxes of sources alone within an arcsec, of stars or galaxies."""
    ra, dec, flux, is_galaxy = field.truth(element)
    true = SkyCoord(ra, dec, unit="deg")
    stored = columns(
        url,
        "SELECT s.ra, s.dec, p.psf_flux, p.psf_flux_err, p.kron_flux, s.is_extended FROM roman.source s "
        f"JOIN roman.source_photometry p USING (source_catalog_id, label) "
        f"WHERE p.optical_element = '{element}' AND s.image_flags = 0 AND s.nn_distance > 1 "
        "AND p.psf_flux > 20 * p.psf_flux_err",
    )
    found = SkyCoord(stored[0], stored[1], unit="deg")
    index, distance, _ = found.match_to_catalog_sky(true)
    near = (distance.arcsec < 0.1) & (is_galaxy[index] == (kind == "galaxy"))
    return [values[near] for values in stored], flux[index][near], distance.arcsec[near]


@pytest.mark.heavy
def test_what_is_stored_is_what_is_true(new_database, field, tmp_path):
    succeed("load", "mosaic", field.folder)
    outcome = run(tmp_path)
    assert outcome.code == 0, outcome
    assert "1 catalogs of 3 mosaics written" in outcome.out
    ratios: list[np.ndarray] = []
    for element in ELEMENTS:
        (_, _, flux, error, kron, extended), true, distance = matched(new_database, field, element, "star")
        assert flux.size > 4
        # A flux is right within its error, and 1 % for the PSF that is a mean over the mosaic.
        assert np.median(np.abs(flux - true) / np.hypot(error, 0.01 * true)) < 1.5
        assert np.median(distance) < 0.01
        assert extended.mean() < 0.1
        ratios.append(flux / true)
        assert 0.75 < np.median(kron / true) < 1
    assert np.median(np.concatenate(ratios)) == pytest.approx(1, abs=0.02)
    (_, _, flux, _, kron, extended), true, _ = matched(new_database, field, "F158", "galaxy")
    assert flux.size > 3
    assert extended.mean() > 0.8
    # The PSF flux of a galaxy is what it is: too low.
    assert np.median(flux / true) < np.median(kron / true) < 1.05
    _products_are_the_rows(new_database, field)
    assert run(tmp_path).out.startswith("Run 3: 0 catalogs")


def _products_are_the_rows(url, field):
    (found,) = execute(
        url,
        "SELECT catalog_path, segmentation_path, photoz_path, n_source, aper_radius "
        "FROM roman.source_catalog",
    )
    paths = [Path(path) for path in found[:3]]
    catalog = pq.read_table(paths[0]).to_pydict()
    rows = columns(url, "SELECT label, ra, photoz FROM roman.source ORDER BY label")
    assert found[3] == rows[0].size == len(catalog["label"])
    np.testing.assert_array_equal(rows[1], catalog["ra"])
    with read_product(paths[1]) as model:
        assert set(np.unique(model.data)) - {0} == set(rows[0].tolist())
    assert pq.read_table(paths[2]).num_rows == found[3]
    own, matched_flux = columns(
        url,
        "SELECT aper_flux[3], matched_flux[3] FROM roman.source_photometry WHERE optical_element = 'F106' "
        "ORDER BY label",
    )
    assert found[4] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6])
    np.testing.assert_array_equal(np.float32(own), np.float32(catalog["aper04_f106_flux"]))
    np.testing.assert_array_equal(np.float32(matched_flux), np.float32(catalog["aper04_f106mf213_flux"]))
    for element, path in execute(url, "SELECT optical_element, forced_path FROM roman.source_catalog_mosaic"):
        forced = pq.read_table(path).to_pydict()
        assert forced["forced_psf_flux"] == pytest.approx(catalog[f"psf_{element.lower()}_flux"], nan_ok=True)


@pytest.mark.heavy
def test_sources_are_objects_and_a_new_mosaic_keeps_their_identifiers(new_database, field, tmp_path):
    own = field.copy(tmp_path / "field")
    for element in ELEMENTS:
        own.write_mosaic(element, 2)
    succeed("load", "mosaic", own.folder)
    assert run(tmp_path / "products").code == 0
    first = dict(execute(new_database, "SELECT object_id, ra FROM roman.object"))
    assert len(first) == execute(new_database, "SELECT n_new FROM roman.source_catalog")[0][0] > 20
    edge = execute(new_database, "SELECT count(*) FROM roman.source WHERE object_id IS NULL "
                                 "AND image_flags & 1 = 0 AND peak_snr >= 6")  # fmt: skip
    assert edge == [(0,)]
    before = {name: execute(new_database, f"SELECT * FROM roman.{name} ORDER BY 1, 2") for name in TABLES}
    assert run(tmp_path / "products").code == 0
    after = {name: execute(new_database, f"SELECT * FROM roman.{name} ORDER BY 1, 2") for name in TABLES}
    assert before == after
    own.write_mosaic("F158")  # all exposures: deeper, and newer
    assert succeed("load", "mosaic", own.folder).out.startswith("3 files read: 3 loaded (2 of them")
    outcome = run(tmp_path / "products")
    assert outcome.code == 0
    assert execute(new_database, "SELECT count(*) FROM roman.source_catalog WHERE superseded_at IS NULL") == [
        (1,)
    ]
    second = columns(
        new_database,
        "SELECT s.object_id, s.object_distance FROM roman.source s JOIN roman.source_catalog c "
        "USING (source_catalog_id) WHERE c.superseded_at IS NULL AND s.object_id IS NOT NULL ORDER BY 1",
    )
    known = np.isin(second[0], list(first))
    assert known.sum() > 0.9 * len(first)
    assert second[0].size == np.unique(second[0]).size
    assert (second[1][~known] == 0).all()
    assert (second[1][known] < 0.3).all()
    # Where static catalogs alone know an object, it moves to its newest place, and the old one is kept.
    assert execute(new_database, "SELECT count(*) > 0 FROM roman.object_history") == [(True,)]
    moved = execute(new_database, "SELECT count(*) FROM roman.object o JOIN roman.source s USING (object_id) "
                    "JOIN roman.source_catalog c USING (source_catalog_id) WHERE c.superseded_at IS NULL "
                    "AND (o.ra, o.dec) IS DISTINCT FROM (s.ra, s.dec)")  # fmt: skip
    assert moved == [(0,)]
    old = roman_db("load", "mosaic", _older(own, tmp_path))
    assert (old.code, "older_version") == (1, _last_code(new_database))


def _older(field, folder):
    path = field.folder / field.mosaics["F158"].name
    with asdf.open(path, memmap=False) as file:
        file.tree["roman"]["meta"]["file_date"] = type(file.tree["roman"]["meta"]["file_date"])(
            "2026-01-01T00:00:00", scale="utc"
        )
        target = folder / path.name
        file.write_to(target)
    return target


def _last_code(url):
    return execute(url, "SELECT code FROM ops.load_rejection ORDER BY load_run_id DESC LIMIT 1")[0][0]


@pytest.mark.heavy
def test_objects_of_another_catalog_are_found_and_left_alone(new_database, field, tmp_path):
    ra, dec, flux, is_galaxy = field.truth("F158")
    stars = ~is_galaxy & (flux > 1500)
    catalog = tmp_path / "stars.ecsv"
    given = {"source_id": np.flatnonzero(stars) + 1, "ra": ra[stars] * u.deg, "dec": dec[stars] * u.deg}
    QTable(given).write(catalog)
    succeed("load", "catalog", catalog, "--anywhere")
    before = execute(new_database, "SELECT * FROM roman.object ORDER BY object_id")
    succeed("load", "mosaic", field.folder)
    assert run(tmp_path / "products").code == 0
    kept = execute(
        new_database, "SELECT o.* FROM roman.object o WHERE first_catalog_version_id = 1 ORDER BY 1"
    )
    assert kept == before
    (n_matched,) = execute(new_database, "SELECT n_matched FROM roman.source_catalog")[0]
    inside = field.mosaics["F158"]
    with asdf.open(inside) as file:
        x, y = file.tree["roman"]["meta"]["wcs"].invert(ra[stars], dec[stars], with_bounding_box=False)
    on_image = (np.abs(x - 179.5) < 170) & (np.abs(y - 179.5) < 170)
    assert 0.85 * on_image.sum() < n_matched <= stars.sum()
    versions = execute(new_database, "SELECT name, n_new, n_changed FROM roman.catalog_version ORDER BY 1")
    assert len(versions) == 2
    assert sum(row[2] for row in versions) == 0


@pytest.mark.heavy
def test_what_fails_in_the_middle_leaves_nothing_and_is_done_the_next_time(
    new_database, field, tmp_path, monkeypatch
):
    succeed("load", "mosaic", field.folder)
    before = counts(new_database)
    real = loader.copy_rows

    def failing(connection, table, rows, partition=None):
        if table == "roman.source_photometry" and rows["optical_element"][0] == "F213":
            raise OSError("the disk is gone")
        return real(connection, table, rows, partition)

    with monkeypatch.context() as patch:
        patch.setattr(loader, "copy_rows", failing)
        outcome = run(tmp_path)
    assert outcome.code == 1
    assert "the disk is gone" in outcome.out + outcome.err
    assert counts(new_database) == before
    assert execute(new_database, "SELECT n_rejected, n_loaded FROM ops.load_run ORDER BY load_run_id DESC "
                   "LIMIT 1") == [(3, 0)]  # fmt: skip
    assert run(tmp_path).code == 0
    assert counts(new_database)["source_catalog_mosaic"] == 3


@pytest.mark.heavy
def test_a_set_that_cannot_be_measured_says_why(new_database, field, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    for path in field.mosaics.values():
        shutil.copy(path, alone)
    succeed("load", "mosaic", alone)
    outcome = run(tmp_path / "products")
    assert outcome.code == 1
    assert "none of its" in outcome.out + outcome.err
    assert counts(new_database)["source_catalog"] == 0
    # Loaded exposures will do, wherever they lie.
    succeed("load", "exposure", field.folder)
    assert run(tmp_path / "products").code == 0
    next(alone.glob("*f158*")).write_bytes(b"#ASDF changed")
    outcome = run(tmp_path / "products", "--redo")
    assert outcome.code == 1
    assert counts(new_database)["source_catalog"] == 1
    assert roman_db("run", "static-catalog", "--cell", "nowhere").code == 2
