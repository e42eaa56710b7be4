"""Source catalogs and segmentation maps of a simulated field, read back without us."""

from __future__ import annotations

import asdf
import numpy as np
import pyarrow.parquet as pq
import pytest
import roman_datamodels
from astropy.table import Column, Table
from roman_datamodels.datamodels import MosaicSegmentationMapModel, MosaicSourceCatalogModel

from loaders.input_file import file_checksum
from tests.faults.command_line import roman_db, succeed
from tests.loaders.static_catalog.field import make_field
from tests.roman_db.conftest import execute

MULTIBAND = ("F106", "F158")
_SOURCES = "SELECT label, ra, semimajor, nn_label FROM roman.source ORDER BY label"
_FLUXES = """
SELECT psf_flux, kron_flux_err, aper_flux[3], matched_flux[3], matched_kron_flux, is_extended
FROM roman.source_photometry WHERE optical_element = 'F106' ORDER BY label
"""
_NAMES = ("psf_f106_flux", "kron_f106_flux_err", "aper04_f106_flux", "aper04_f106mf158_flux",
          "kron_f106mf158_flux", "is_extended_f106")  # fmt: skip


@pytest.fixture
def measured(database, tmp_path):
    """A database with a catalog of two bands, and the folder with its files."""
    field = make_field(tmp_path / "field", MULTIBAND)
    succeed("load", "mosaic", field.folder)
    succeed("run", "static-catalog", "--products", tmp_path / "made")
    return database, tmp_path


def export(name, folder, *options):
    return roman_db("export", "product", name, "--to", folder, *options)


def same(found, stored):
    """Equal to the last bit; a real comes from psycopg2 in as few digits as tell it from others."""
    plain = np.array([np.nan if value is None else value for value in stored]).astype(np.asarray(found).dtype)
    np.testing.assert_array_equal(np.asarray(found), plain)


@pytest.mark.heavy
def test_what_is_delivered_is_what_is_stored(measured):
    url, folder = measured
    out = folder / "out"
    assert export("multiband_source_catalog", out).code == 0
    (parquet,), (document,) = out.glob("*.parquet"), out.glob("*_cat.asdf")
    table = pq.read_table(parquet)
    with roman_datamodels.open(document) as model:
        model.validate()
        catalog = model.source_catalog.copy()
        assert (model.meta.filename, model.meta.product_type) == (document.name, "l4")
        shape = model.meta.wcsinfo.image_shape
    assert catalog.colnames == table.column_names
    for name in table.column_names:
        same(catalog[name], table[name].to_pylist())
        unit = table.schema.field(name).metadata[b"unit"].decode()
        assert str(catalog[name].unit) == unit
    sources = list(zip(*execute(url, _SOURCES), strict=True))
    same(table["label"], sources[0])
    same(table["ra"], sources[1])
    same(table["semimajor"], sources[2])
    for name, stored in zip(_NAMES, zip(*execute(url, _FLUXES), strict=True), strict=True):
        same(table[name], stored)
    assert export("multiband_segmentation_map", out).code == 0
    (segmentation,) = out.glob("*_segm.asdf")
    with asdf.open(segmentation) as file:
        data = np.asarray(file["roman"]["data"])
        assert data.shape == tuple(shape)
        assert set(np.unique(data)) - {0} == set(sources[0])
    forced = export("forced_mosaic_source_catalog", out)
    assert forced.out.count("rows written to") == len(MULTIBAND)
    _have_rows(url, {parquet.name, document.name}, {segmentation.name})
    _refuse_what_was_changed(url, folder)


def _have_rows(url, catalogs, maps):
    """In the archive's tables, with the time in the file."""
    for view, names in (("sourcecatalog", catalogs), ("segmentationmap", maps)):
        query = f"SELECT filename, origin, program, projection, optical_element FROM archive.{view}"
        rows = {row[0]: row[1:] for row in execute(url, query)}
        assert set(rows) == names
        assert all(row[2] is not None and row[3] is None for row in rows.values()), rows


def _refuse_what_was_changed(url, folder):
    """A row of the database, the file, what is no product of it."""
    execute(url, "UPDATE roman.source SET ra = ra + 1e-9 WHERE label = 1")
    execute(
        url, "UPDATE roman.source_photometry SET psf_flux = -1 WHERE label < 3 AND optical_element = 'F158'"
    )
    refused = export("multiband_source_catalog", folder / "none")
    assert refused.code == 1
    assert "ra: 1 of " in refused.err
    assert "psf_f158_flux: 2 of " in refused.err
    assert list((folder / "none").iterdir()) == []
    execute(url, "DELETE FROM roman.source_photometry WHERE label = 2")
    execute(url, "DELETE FROM roman.source WHERE label = 2")
    assert "labels are not those of the" in export("multiband_segmentation_map", folder / "none").err
    execute(url, "UPDATE roman.source_catalog SET segmentation_sha256 = 'ab'")
    assert "is not the file that was registered" in export("multiband_segmentation_map", folder / "none").err
    execute(url, "UPDATE roman.source_catalog_mosaic SET forced_sha256 = NULL")
    assert "its checksum was not kept" in export("forced_mosaic_source_catalog", folder / "none").err
    assert "there is none of" in export("mosaic_source_catalog", folder / "none").err


#: A catalog of one mosaic with what the file says, and no objects.
_CATALOG = """
INSERT INTO ops.load_run (task, code_version, schema_version, arguments, host, pid)
VALUES ('test', 'x', 'x', '{}', 'h', 1);
INSERT INTO roman.sky_cell (name, ra, dec, orientat, pixel_scale, n_x, n_y, footprint, load_run_id)
SELECT 'c', 10, 20, 0, 0.055, 9, 9, '{[1,2)}', max(load_run_id) FROM ops.load_run;
INSERT INTO roman.source_catalog (sky_cell_id, set_name, epoch_mjd_tdb, threshold, aper_radius, n_source,
    n_matched, n_new, catalog_path, catalog_sha256, segmentation_path, segmentation_sha256, load_run_id)
SELECT sky_cell_id, 's', 61471, 4.5, '{0.04}', 3, 0, 0, '{catalog}', '{catalog_sum}', '{map}', '{map_sum}',
    load_run_id
FROM roman.sky_cell
"""
_SOURCE = """
INSERT INTO roman.source (source_catalog_id, label, parent_label, ra, dec, semimajor, nn_label, is_extended,
    warning_flags, image_flags, load_run_id)
SELECT source_catalog_id, {label}, 1, {ra!r}, {dec!r}, {semimajor}, {nn_label}, false, 4, 0, load_run_id
FROM roman.source_catalog
"""
_PHOTOMETRY = """
INSERT INTO roman.source_photometry (source_catalog_id, label, optical_element, kron_flux, aper_flux,
    psf_flags, is_extended, load_run_id)
SELECT source_catalog_id, {label}, 'F158', {kron_flux}, ARRAY[{aper00_flux}]::real[], 0, {is_extended},
    load_run_id
FROM roman.source_catalog
"""
_VALUES = {
    "label": [1, 2, 3], "ra": [10.1, 10.2, 1 / 3], "dec": [20.1, 20.200000000000003, -0.1],
    "nn_label": [2, 1, -1],
    "semimajor": [0.1, 1 / 3, 2e-8], "kron_flux": [1 / 3, np.nan, -1e9], "aper00_flux": [1.5, 0.1, np.nan],
    "is_extended": [True, False, False], "warning_flags": [4, 4, 4],
}  # fmt: skip


def fake(kind, filename):
    """A product as roman_datamodels makes it up by RAD's schema."""
    model = kind.create_fake_data()
    model["meta"]["filename"], model["meta"]["product_type"] = filename, "l4"
    numbers = {name: 1 for name, value in model.meta.observation.items() if value == -999999}
    model["meta"]["observation"].update(numbers)  # what is made up does not fit the archive's columns
    return model


def write_catalog(path):
    """Three sources; floating columns that the database is not told are NaN, flags and places 0."""
    model = fake(MosaicSourceCatalogModel, path.name)
    table = model.source_catalog
    table["psf_flags"] = Column([], dtype=np.int32)
    columns = []
    for one in table.itercols():
        unknown = np.full(3, np.nan if one.dtype.kind == "f" else 0)
        values = np.array(_VALUES.get(one.name, unknown)).astype(one.dtype)
        columns.append(Column(values, name=one.name, unit=one.unit, description=one.description))
    model["source_catalog"] = Table([*columns, Column(np.ones(3, np.int32), name="parent_label")])
    model.save(path)


def write_map(path):
    model = fake(MosaicSegmentationMapModel, path.name)
    model["data"] = np.array([[0, 1, 1], [2, 0, 3]], np.uint32)
    model.save(path)


def sql(value):
    return "NULL" if value == -1 else "'NaN'" if value != value else repr(value)


@pytest.fixture
def small(database, tmp_path):
    """URL of a database with a small catalog whose files say the same, and their folder."""
    catalog, segmentation = tmp_path / "r1_f158_cat.parquet", tmp_path / "r1_f158_segm.asdf"
    write_catalog(catalog)
    write_map(segmentation)
    words = {"{catalog}": str(catalog), "{map}": str(segmentation), "{catalog_sum}": file_checksum(catalog),
             "{map_sum}": file_checksum(segmentation)}  # fmt: skip
    statement = _CATALOG
    for word, value in words.items():
        statement = statement.replace(word, value)
    execute(database, statement)
    for k in range(3):
        row = {name: values[k] for name, values in _VALUES.items()}
        real = {name: sql(row[name]) for name in ("nn_label", "kron_flux", "aper00_flux")}
        execute(database, _SOURCE.format(**row | real), _PHOTOMETRY.format(**row | real))
    return database, tmp_path


@pytest.mark.heavy
def test_a_catalog_and_its_map_are_delivered_with_their_rows(small, run):
    url, folder = small
    out = folder / "out"
    done = run("mosaic_source_catalog", "--to", out)
    assert done.exit_code == 0, done.output
    assert run("mosaic_segmentation_map", "--set", "s", "--to", out).exit_code == 0
    assert (out / "r1_f158_cat.parquet").read_bytes() == (folder / "r1_f158_cat.parquet").read_bytes()
    with roman_datamodels.open(out / "r1_f158_cat.asdf") as model:
        assert (model.meta.filename, model.meta.model_type) == (
            "r1_f158_cat.asdf",
            "MosaicSourceCatalogModel",
        )
        for name, values in _VALUES.items():
            found = model.source_catalog[name]
            np.testing.assert_array_equal(found, np.array(values).astype(found.dtype))
        assert str(model.source_catalog["kron_flux"].unit) == "nJy"
    with roman_datamodels.open(out / "r1_f158_segm.asdf") as model:
        np.testing.assert_array_equal(model.data, [[0, 1, 1], [2, 0, 3]])
    rows = execute(
        url, "SELECT filename, model_type, projection FROM archive.sourcecatalog ORDER BY filename"
    )
    assert rows == [
        (f"r1_f158_cat.{suffix}", "MosaicSourceCatalogModel", "TAN") for suffix in ("asdf", "parquet")
    ]
    assert execute(url, "SELECT filename, model_type FROM archive.segmentationmap") == [
        ("r1_f158_segm.asdf", "MosaicSegmentationMapModel")
    ]


@pytest.mark.heavy
def test_what_is_not_what_is_stored_is_refused(small, run):
    url, folder = small
    out = folder / "out"
    execute(url, "UPDATE roman.source SET ra = 10.100000000000002 WHERE label = 1")
    execute(url, "UPDATE roman.source_photometry SET aper_flux = '{2}', kron_flux = NULL WHERE label < 3")
    said = run("mosaic_source_catalog", "--to", out).output
    assert "ra: 1 of 3 rows differ" in said
    assert "aper00_flux: 2 of 3 rows differ" in said
    assert "kron_flux: 1 of 3 rows differ" in said
    execute(
        url, "DELETE FROM roman.source_photometry WHERE label = 3", "DELETE FROM roman.source WHERE label = 3"
    )
    said = run("mosaic_segmentation_map", "--to", out).output
    assert "its 3 labels are not those of the 2 sources" in said
    execute(url, "UPDATE roman.source_catalog SET segmentation_sha256 = 'ab', catalog_path = '/none'")
    assert "is not the file that was registered" in run("mosaic_segmentation_map", "--to", out).output
    assert "/none: " in run("mosaic_source_catalog", "--to", out).output
    assert list(out.iterdir()) == []
    assert execute(url, "SELECT count(*) FROM ops.archive_row") == [(0,)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("segmentation_map", "--season", 1), "leave out --season"),
        (("segmentation_map", "--format", "parquet"), "it is not written as parquet"),
        (("segmentation_map", "--set", "a"), "there is none of a"),
        (("event_catalog",), "give --season"),
        (("event_catalog", "--season", 1, "--set", "a"), "leave out --set"),
        (("mood",), "there is no product 'mood': reference_frame, "),
    ],
)
@pytest.mark.usefixtures("database")
def test_what_makes_no_sense_is_refused(run, tmp_path, words, message):
    outcome = run(*words, "--to", tmp_path)
    assert outcome.exit_code == 1
    assert message in outcome.output
    assert list(tmp_path.iterdir()) == []
