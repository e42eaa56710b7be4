"""Products: valid by RAD when they are read back, complete, and in the archive's form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import roman_datamodels.datamodels as rdm

from loaders.static_catalog.catalog import forced_catalog, image_catalog, multiband_catalog
from loaders.static_catalog.mosaic import mosaic_of
from loaders.static_catalog.product import catalog_model, product_stem, read_product, write_catalog
from loaders.static_catalog.templates import rest_spectra

#: As test_catalog.py, whose cell of the sky this is.
pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def catalogs(cell):
    mosaics = {element: mosaic_of(model, element) for element, model in cell.models.items()}
    single = image_catalog(mosaics["F158"], cell.psfs["F158"])
    several = multiband_catalog(list(mosaics.values()), cell.psfs)
    forced = forced_catalog(mosaics["F106"], cell.psfs["F106"], single)
    return {"single": single, "several": several, "forced": forced}


KINDS = {
    "single": (rdm.MosaicSourceCatalogModel, rdm.MosaicSegmentationMapModel, "F158"),
    "several": (rdm.MultibandSourceCatalogModel, rdm.MultibandSegmentationMapModel, None),
    "forced": (rdm.ForcedMosaicSourceCatalogModel, None, "F106"),
}


@pytest.mark.parametrize("name", KINDS)
def test_asdf_is_valid_when_it_is_opened_again(catalogs, name, tmp_path):
    kind, map_kind, element = KINDS[name]
    products = write_catalog(catalogs[name], tmp_path, ".asdf")
    with read_product(products.catalog) as model:
        assert isinstance(model, kind)
        model.validate()
        table = model.source_catalog
        assert len(table) == catalogs[name].sources.count
        assert model.meta.instrument.optical_element == element
        assert model.meta.model_type == kind.__name__
        needed = kind.create_fake_data().source_catalog
        plain = {n for n in needed.colnames if "f184" not in n and "aper00" not in n}
        assert plain <= set(table.colnames)
    if map_kind is not None:
        with read_product(products.segmentation) as model:
            assert isinstance(model, map_kind)
            model.validate()
            np.testing.assert_array_equal(model.data, catalogs[name].labels)
    else:
        assert products.segmentation is None


@pytest.mark.parametrize("name", list(KINDS))
def test_columns_have_the_type_unit_and_description_of_rad(catalogs, name):
    model = catalog_model(catalogs[name])
    definition = KINDS[name][0].create_fake_data().get_column_definition
    for column in catalogs[name].columns:
        expected = definition(column)
        found = model.source_catalog[column]
        assert found.dtype == expected["datatype"]
        assert str(found.unit) == str(type(found)([0], unit=expected["unit"]).unit)
        assert found.description == expected["description"]


def test_parquet_has_units_and_metadata(catalogs, tmp_path):
    products = write_catalog(catalogs["several"], tmp_path)
    table = pq.read_table(products.catalog)
    assert products.catalog.name == f"{product_stem(catalogs['several'])}_cat.parquet"
    assert table.num_rows == catalogs["several"].sources.count
    assert table.schema.field("aper04_f158mf213_flux").metadata[b"unit"] == b"nJy"
    assert table.schema.metadata[b"roman.meta.psf_match_reference_filter"] == b"F213"
    np.testing.assert_allclose(
        table["kron_f158_flux"], catalogs["several"].columns["kron_f158_flux"].astype(np.float32)
    )
    assert list(tmp_path.glob(".writing-*")) == []


def test_probabilities_of_redshifts_have_a_file_of_their_own(catalogs, tmp_path):
    products = write_catalog(catalogs["several"], tmp_path)
    table = pq.read_table(products.redshifts)
    redshift = np.array(table.schema.metadata[b"redshift"].decode().split(","), dtype=float)
    pdf = np.stack(table["photoz_pdf"].to_numpy(zero_copy_only=False))
    assert pdf.shape == (catalogs["several"].sources.count, redshift.size)
    assert tuple(table.schema.metadata[b"photoz_sed"].decode().split(",")) == rest_spectra()[0]


def test_names_of_several_bands_leave_the_element_out(catalogs):
    assert "_f158" in product_stem(catalogs["single"])
    assert "_f1" not in product_stem(catalogs["several"])


def test_a_column_that_rad_does_not_know_is_refused(catalogs):
    wrong = replace(catalogs["single"], columns={"flux_of_the_moon": np.zeros(3)})
    with pytest.raises(ValueError, match="flux_of_the_moon"):
        catalog_model(wrong)
