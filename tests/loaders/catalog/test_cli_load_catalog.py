"""``roman-db load catalog``: all formats, and files and rows that cannot be used."""

from __future__ import annotations

import os

import numpy as np
import pytest
from astropy import units as u
from astropy.table import vstack

from tests.faults.command_line import succeed
from tests.loaders.catalog.conftest import FORMATS
from tests.loaders.catalog.stored import (
    DEC,
    MAS,
    RA,
    count,
    load,
    objects,
    refused,
    rejections,
    stars,
    version_ids,
    versions,
    write,
)
from tests.roman_db.conftest import execute


@pytest.mark.parametrize("kind", FORMATS)
def test_all_formats_with_units_of_their_own(new_database, write_catalog, kind):
    table = stars(5)
    table["flux_F146"] = (np.array(table["flux_F146"]) / 1000) * u.uJy
    table["ra_error"] = np.full(5, 0.002) * u.arcsec
    succeed("load", "catalog", write_catalog(table, kind), "--name", "survey")
    plain = stars(5)
    found = np.array(objects(new_database, "ra, dec, ra_err, ref_epoch"))
    np.testing.assert_allclose(found[:, 0], plain["ra"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[:, 1], plain["dec"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[:, 2], 2.0, rtol=1e-6)
    np.testing.assert_array_equal(found[:, 3], 2027.0)
    flux = execute(new_database, "SELECT psf_flux FROM roman.object_flux ORDER BY psf_flux")
    np.testing.assert_allclose(np.ravel(flux), plain["flux_F146"], rtol=1e-6)


def test_rows_that_are_refused_leave_the_others(new_database, tmp_path):
    table = stars()
    table["ra"][2] = np.nan
    table["dec"][4] = np.nan
    table["dec"][7] = 91.0
    outcome = refused(write(table, tmp_path / "a.ecsv"), "--name", "survey")
    assert "12 rows read: 9 loaded (0 of them were there already), 3 rejected." in outcome.out
    assert [row[:2] for row in rejections(new_database)] == [
        ("nan_position", 2),
        ("nan_position", 4),
        ("position_out_of_range", 7),
    ]
    assert rejections(new_database)[2][2].startswith("dec 91 ")
    (line,) = outcome.lines("rejected rows")
    assert "row 2: ra nan is not a position; row 4: dec nan is not a position; row 7: dec 91 is" in line
    assert count(new_database, "roman.object") == 9
    run = "SELECT n_read, n_loaded, n_rejected, state FROM ops.load_run"
    assert execute(new_database, run) == [(12, 9, 3, "succeeded")]


def test_rows_that_are_all_refused(new_database, tmp_path):
    table = stars()
    table["ra"][:] = np.nan
    outcome = refused(write(table, tmp_path / "a.ecsv"))
    assert "12 rows read: 0 loaded (0 of them were there already), 12 rejected." in outcome.out
    assert version_ids(new_database) == []


@pytest.mark.parametrize("system", ["unit", "name"])
def test_magnitudes_that_are_none(new_database, tmp_path, system):
    """Whether the unit or the name of the column says that they are AB magnitudes; unknown ones are fine."""
    table = stars()
    table.remove_columns(["flux_F146", "flux_F146_error"])
    magnitude = np.full(12, 20.0)
    magnitude[[1, 2, 3, 4, 5, 6]] = [-60, 99, -999, np.inf, np.nan, -4.9]
    table["F146" if system == "unit" else "F146_mag"] = magnitude
    table["F146" if system == "unit" else "F146_mag"].unit = u.ABmag if system == "unit" else None
    outcome = refused(write(table, tmp_path / "a.ecsv"), "--name", "survey")
    assert [row[:2] for row in rejections(new_database)] == [("absurd_magnitude", k) for k in (1, 2, 3, 4)]
    (line,) = outcome.lines("rejected rows")
    assert "row 1: magnitude.F146 -60 is not between -5 and 40" in line
    assert "and 1 more" in line
    assert count(new_database, "roman.object") == 8
    assert count(new_database, "roman.object_flux") == 7


def test_text_is_told_before_units(new_database, tmp_path):
    table = stars(2)
    table["ra"] = ["17:52:00.0", "17:52:00.1"]
    refused(write(table, tmp_path / "a.ecsv"))
    ((code, _, reason),) = rejections(new_database)
    assert code == "not_numeric"
    assert reason == "it holds text, not numbers, such as '17:52:00.0'"


def test_files_and_mappings_that_cannot_be_read(new_database, tmp_path, monkeypatch):
    """Whoever runs the tests may read everything: reading this file of Linux fails for everybody."""
    locked, may_access = "/proc/self/mem", os.access
    monkeypatch.setattr(
        os, "access", lambda path, *mode: os.fspath(path) != locked and may_access(path, *mode)
    )
    refused(locked)
    refused(write(stars(), tmp_path / "a.ecsv"), "--mapping", locked)
    assert [row[0] for row in rejections(new_database)] == ["unreadable_file"] * 2


def _in_seconds(table):
    table["ra"].unit = u.s


def _without_unit(table):
    table["flux_F146"].unit = None


def _flux_in_degrees(table):
    table["flux_F146"].unit = u.deg


def _without_ra(table):
    table.remove_column("ra")


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (_in_seconds, "wrong_unit", ("ra", "'s'", "deg")),
        (_without_unit, "missing_unit", ("flux_F146", "no unit")),
        (_flux_in_degrees, "wrong_unit", ("flux_F146", "'deg'", "nJy")),
        (_without_ra, "no_position_columns", ("ra",)),
    ],
)
def test_columns_that_make_no_sense_refuse_the_file(new_database, tmp_path, spoil, code, words):
    table = stars()
    spoil(table)
    path = write(table, tmp_path / "a.ecsv")
    outcome = refused(path)
    assert outcome.out == "1 files read: 0 loaded (0 of them were there already), 1 rejected.\n"
    ((found, row, reason),) = rejections(new_database)
    assert (found, row) == (code, None)
    (line,) = outcome.lines("rejected ")
    assert path.name in line
    assert all(word in line for word in words), line
    assert reason
    assert count(new_database, "roman.object") == 0
    assert count(new_database, "ops.input_file") == 0


def test_numbers_that_cannot_be_stored(new_database, tmp_path):
    table = stars()
    table["flux_F146"][5] = 1e99
    outcome = refused(write(table, tmp_path / "a.ecsv"))
    assert "Traceback" not in outcome.err
    assert "1e+99" in outcome.err


@pytest.mark.parametrize("name", ["none.ecsv", "none.parquet", "folder"])
def test_missing_file(new_database, tmp_path, name):
    (tmp_path / "folder").mkdir()
    outcome = refused(tmp_path / name)
    ((code, _, reason),) = rejections(new_database)
    assert code == "missing_file"
    (line,) = outcome.lines("rejected ")
    if name == "folder":
        assert reason == "it is a folder"
        assert "Give one file: a catalog in Parquet, FITS, VOTable or ECSV" in line


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.9])
def test_truncated_file(new_database, write_catalog, kind, fraction):
    path = write_catalog(stars(200, flux_F146=np.full(200, 100.0) * u.nJy), kind)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * fraction)])
    outcome = refused(path)
    assert "Traceback" not in outcome.err
    assert len(rejections(new_database)) == len(outcome.lines("rejected ")) == 1
    assert count(new_database, "roman.object") == 0


def test_no_overlap(loaded, survey, tmp_path):
    before = count(loaded, "roman.object")
    elsewhere = write(stars(dec=DEC + 5), tmp_path / "a.ecsv")
    refused(elsewhere)
    ((code, _, reason),) = rejections(loaded)
    assert code == "no_overlap"
    assert "none of its 12 sources" in reason
    assert count(loaded, "roman.object") == before
    succeed("load", "catalog", elsewhere, "--anywhere")
    assert count(loaded, "roman.object") == before + 12


def test_one_source_on_the_observed_sky_is_enough(loaded, survey, tmp_path):
    table = stars(dec=DEC + 5)
    table["ra"][0], table["dec"][0] = execute(loaded, "SELECT ra, dec FROM roman.exposure LIMIT 1")[0]
    table["flux_F146"][0] = 1e9
    load(table, tmp_path / "a.ecsv")
    assert versions(loaded)[1][0] >= 11


def test_duplicates_are_merged(new_database, tmp_path):
    """The mean is weighted with the inverse variances of the rows."""
    twin = stars(1)
    twin["source_id"] = [7]
    twin["dec"] += 6 * MAS
    twin["dec_error"][:] = 1.5
    outcome = load(vstack([stars(), twin]), tmp_path / "a.ecsv")
    assert (
        "12 objects new, 0 changed, 0 unchanged; 12 fluxes new or changed; 1 duplicate rows merged"
        in outcome.out
    )
    merged = execute(new_database, "SELECT dec, dec_err FROM roman.object WHERE dec_err < 2")
    weight = 1.5**-2 / (1.5**-2 + 3**-2)
    ((dec, dec_err),) = merged
    assert dec == pytest.approx(DEC + weight * 6 * MAS, abs=0.001 * MAS)
    assert dec_err == pytest.approx((1.5**-2 + 3**-2) ** -0.5, rel=1e-6)
    assert versions(new_database) == [(12, 0, 0, 1)]
    run = "SELECT n_read, n_loaded FROM ops.load_run"
    assert execute(new_database, run) == [(13, 13)]


def test_mapping_file(new_database, tmp_path):
    table = stars(3)
    table.rename_columns(["ra", "dec"], ["lon", "lat"])
    path = write(table, tmp_path / "a.ecsv")
    refused(path)
    mapping = tmp_path / "map.yaml"
    columns = "columns: {source_id: source_id, ra: {column: lon}, dec: {column: lat}}"
    mapping.write_text(f"name: survey\nref_epoch: 2027.0\n{columns}\n")
    succeed("load", "catalog", path, "--mapping", mapping)
    assert objects(new_database, "dec") == [(DEC,)] * 3
    assert objects(new_database, "ra")[0] == (RA,)


@pytest.mark.parametrize("text", ["columns: {ra: {colum: lon}}", "]", "- 1"])
def test_bad_mapping_file(new_database, tmp_path, text):
    mapping = tmp_path / "map.yaml"
    mapping.write_text(text)
    outcome = refused(write(stars(), tmp_path / "a.ecsv"), "--mapping", mapping)
    ((code, *_),) = rejections(new_database)
    assert code == "bad_mapping"
    assert mapping.name in outcome.lines("rejected ")[0]
