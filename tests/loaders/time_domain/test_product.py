"""Catalogs of differences: valid by RAD when read back by others' programs, complete, and what was put in."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet
import pytest
import roman_datamodels
from roman_datamodels.datamodels import TimeDomainSourceCatalogModel

from loaders.difference.exposure import ExposureDifference, places_on_sky
from loaders.difference.forced import ForcedFlag
from loaders.difference.matching import Difference
from loaders.difference.sources import DifferenceSources, SourceClass
from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.reference.frame import ReferenceFrame
from loaders.time_domain.columns import KIND_CODE, ImageFlag, PsfFlag
from loaders.time_domain.measure import KnownObjects, measure_sources
from loaders.time_domain.product import TemplateKeywords, product_name, write_catalog
from loaders.wfi.placement import Placement
from tests.loaders.eight_day import two_spans
from tests.loaders.photometry.scenes import gaussian_psf, star_pixels

SIDE, SIGMA, FINE = 100, 0.9, 2
FRAME = ReferenceFrame(268.0, -29.2, 0.055 * np.diag([-1.0, 1.0]), (SIDE * FINE, SIDE * FINE), FINE)
X, Y = np.array([30.2, 50.0, 69.7, 30.4, 70.3]), np.array([30.1, 50.3, 30.0, 69.8, 70.1])
FLUX = np.array([500.0, -200.0, 90.0, 150.0, 300.0])
KINDS = [SourceClass.NEW, SourceClass.VARIABLE, SourceClass.DIPOLE, SourceClass.HIT, SourceClass.EDGE]
#: Row of the one that is an object, that object, and how far beside it the source was found, pixels.
KNOWN, OBJECT, BESIDE = 1, 2_028_661_698_980_301_345, 0.3
KEYWORDS = TemplateKeywords("r001_wfi07_reference.asdf", 41, True, 6.0, 1.002, 0.03, 1.01, 1e-4)


@pytest.fixture(scope="module")
def exposure(tmp_path_factory, pytestconfig):
    """A Level-2 file, whose keywords the catalog takes over."""
    base = tmp_path_factory.getbasetemp()
    return two_spans.simulated(base.parent if hasattr(pytestconfig, "workerinput") else base).files[0]


def place():
    """Pixel x at fine pixel 2 x."""
    forward = np.zeros((2, 2, 2))
    forward[0, 1, 0] = forward[1, 0, 1] = FINE
    return Placement((0.0, 0.0), (1.0, 1.0), forward, 0.0)


def measured_of(rows):
    """Sources with fluxes that are in the difference, some rows of them."""
    x, y, flux = X[rows], Y[rows], FLUX[rows]
    data = np.zeros((SIDE, SIDE))
    if x.size:
        data += (star_pixels((SIDE, SIDE), x, y, SIGMA) @ flux).reshape(SIDE, SIDE)
    n = len(rows)
    shape = (SIDE, SIDE)
    difference = Difference(
        data.astype(np.float32),
        np.full(shape, 0.04, np.float32),
        np.ones(shape, dtype=bool),
        np.zeros(shape, np.float32),
        np.ones((1, 1)),
        *(1.002, 0.03, 1.01),
    )
    known = rows == KNOWN
    sources = DifferenceSources(
        x=x + np.where(known, BESIDE, 0.0),
        y=y,
        x_err=np.full(n, 0.02),
        y_err=np.full(n, 0.03),
        flux=flux,
        flux_err=np.full(n, 2.0),
        reduced_chi2=np.full(n, 1.1),
        kind=np.array([KINDS[row].value for row in rows], dtype="U8"),
        nearest=np.where(known, 0, -1).astype(np.int64),
        distance=np.where(known, BESIDE, np.nan),
    )
    image = PixelImage(data, NoiseModel(0.03, 0.008), np.ones(shape, dtype=bool))
    objects = KnownObjects(
        *(np.array([OBJECT]), FINE * X[[KNOWN]], FINE * Y[[KNOWN]], np.array([800.0])),
    )
    psf = gaussian_psf(SIGMA, half_width=6, oversampling=8)
    return measure_sources(ExposureDifference(difference, sources), image, psf, (FRAME, place()), objects)


ALL = np.arange(5)


@pytest.fixture(scope="module")
def written(exposure, tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    return {
        suffix: write_catalog(measured_of(ALL), exposure, KEYWORDS, folder / "new", suffix)
        for suffix in (".asdf", ".parquet")
    }


def test_asdf_is_valid_when_it_is_opened_again(written, exposure):
    with roman_datamodels.open(written[".asdf"], memmap=False) as model:
        assert isinstance(model, TimeDomainSourceCatalogModel)
        model.validate()
        assert model.meta.filename == written[".asdf"].name
        assert model.meta.image.filename == exposure.name
        assert model.meta.instrument.detector == "WFI07"
        assert list(model.meta.forced_psf_catalogs) == ["roman.object", written[".asdf"].name]
        assert model.meta.difference["template"] == KEYWORDS.template
        assert model.meta.difference["is_left_out"]
        assert len(model.source_catalog) == 5


def test_parquet_says_the_same_as_asdf(written):
    table = pyarrow.parquet.read_table(written[".parquet"])
    with roman_datamodels.open(written[".asdf"], memmap=False) as model:
        assert table.column_names == model.source_catalog.colnames
        for name in table.column_names:
            np.testing.assert_array_equal(table[name].to_numpy(), np.asarray(model.source_catalog[name]))
    assert table.schema.field("psf_flux").metadata[b"unit"] == b"nJy"
    assert table.schema.metadata[b"roman.meta.difference.n_template"] == b"41"
    assert list(written[".parquet"].parent.glob(".writing-*")) == []


def test_all_columns_of_rad_are_there_with_its_types_and_units(written):
    fake = TimeDomainSourceCatalogModel.create_fake_data()
    table = pyarrow.parquet.read_table(written[".parquet"])
    for name in fake.source_catalog.colnames:
        ours = name.replace("aper00", "aper04")
        column = fake.source_catalog[name]
        assert table[ours].to_numpy().dtype == column.dtype
        assert table.schema.field(ours).metadata[b"unit"].decode() == str(column.unit)


def test_rows_say_what_was_found(written):
    table = pyarrow.parquet.read_table(written[".parquet"]).to_pydict()
    column = {name: np.array(values) for name, values in table.items()}
    ra, dec = FRAME.to_sky(FINE * X, FINE * Y)
    # The object is where the catalog has it; the source beside it where the fit found it.
    np.testing.assert_allclose(column["ra"], ra, atol=1e-9)
    np.testing.assert_allclose(column["dec"], dec, atol=1e-9)
    off = (column["ra_psf"] - ra) * np.cos(np.radians(dec)) * 3600
    np.testing.assert_allclose(off, np.where(ALL == KNOWN, -BESIDE * 0.11, 0), atol=1e-5)
    np.testing.assert_allclose(column["ra_psf_err"], 0.02 * 0.11, rtol=1e-5)
    np.testing.assert_allclose(column["dec_psf_err"], 0.03 * 0.11, rtol=1e-5)
    assert column["id"].tolist() == [0, OBJECT, 2, 3, 4]
    assert column["source_catalog_index"].tolist() == [1, 0, 1, 1, 1]
    assert column["dia_kind"].tolist() == [KIND_CODE[kind] for kind in KINDS]
    assert column["psf_flags"].tolist() == [0, 0, PsfFlag.DIPOLE, PsfFlag.HIT, 0]
    assert column["image_flags"].tolist() == [0, 0, 0, 0, ImageFlag.EDGE]
    np.testing.assert_allclose(column["object_distance"][KNOWN], BESIDE * 0.11, rtol=1e-6)
    assert np.isnan(np.delete(column["object_distance"], KNOWN)).all()
    assert column["object_flux"][KNOWN] == 800.0


def test_forced_light_is_that_at_the_input_place(written):
    """At the object, not where the fit with a free place went."""
    table = pyarrow.parquet.read_table(written[".parquet"])
    np.testing.assert_allclose(table["forced_psf_flux"], FLUX, rtol=2e-3)
    share = 1 - np.exp(-((0.4 / 0.11) ** 2) / (2 * (SIGMA**2 + 1 / 12)))
    np.testing.assert_allclose(table["forced_aper04_flux"], share * FLUX, rtol=5e-3)
    for name in ("forced_psf_flux_err", "forced_aper04_flux_err", "forced_aper_bkg_flux_err"):
        assert (table[name].to_numpy() > 0).all()
    assert table["forced_psf_flags"].to_pylist() == [0] * 5
    assert ForcedFlag.MASKED > 0


@pytest.mark.heavy
def test_a_difference_without_sources_has_a_catalog_without_rows(exposure, tmp_path):
    for suffix in (".asdf", ".parquet"):
        path = write_catalog(measured_of(ALL[:0]), exposure, KEYWORDS, tmp_path, suffix)
        if suffix == ".asdf":
            with roman_datamodels.open(path, memmap=False) as model:
                model.validate()
                assert len(model.source_catalog) == 0
        else:
            assert pyarrow.parquet.read_table(path).num_rows == 0


def test_names_follow_those_of_exposures(exposure):
    assert product_name(exposure).endswith("_tdcat.parquet")
    assert product_name(exposure).removesuffix("_tdcat.parquet") == exposure.name.removesuffix("_cal.asdf")


def test_a_turned_frame_turns_the_errors():
    """Along axes turned by 90 degrees the error along x is that of the declination."""
    turned = replace(FRAME, matrix=0.055 * np.array([[0.0, -1.0], [-1.0, 0.0]]))
    measured = measured_of(ALL)
    sky = places_on_sky(turned, place(), measured.compared.sources)
    np.testing.assert_allclose(sky.ra_err, 1000 * 0.03 * 0.11, rtol=1e-9)
    np.testing.assert_allclose(sky.dec_err, 1000 * 0.02 * 0.11, rtol=1e-9)
