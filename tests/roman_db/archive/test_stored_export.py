"""Source catalogs and segmentation maps of a simulated field, read back without us."""

from __future__ import annotations

import asdf
import numpy as np
import pyarrow.parquet as pq
import pytest
import roman_datamodels

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
def measured(new_database, tmp_path):
    """A database with a catalog of two bands, and the folder with its files."""
    field = make_field(tmp_path / "field", MULTIBAND)
    succeed("load", "mosaic", field.folder)
    succeed("run", "static-catalog", "--products", tmp_path / "made")
    return new_database, tmp_path


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
