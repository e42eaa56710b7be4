"""Catalogs of single exposures: RAD's products, the truth of a simulation, and a detection carried over."""

from __future__ import annotations

import numpy as np
import pytest
import roman_datamodels.datamodels as rdm
from astropy.coordinates import SkyCoord
from photutils.aperture import CircularAperture, aperture_photometry

from loaders.psf.optics import optical_psf
from loaders.static_catalog.background import prepare_band
from loaders.static_catalog.catalog import forced_elsewhere, image_catalog
from loaders.static_catalog.elsewhere import ForeignSources, sources_on
from loaders.static_catalog.exposure import read_exposure
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.product import product_stem, read_product, write_catalog
from loaders.wfi.level2 import read_level2

ELEMENT = "F158"


@pytest.fixture(scope="module")
def path(sparse_field):
    return sorted(sparse_field.folder.glob("*_cal.asdf"))[0]


@pytest.fixture(scope="module")
def psf():
    return optical_psf("WFI07", ELEMENT)


@pytest.fixture(scope="module")
def image(path):
    return read_exposure(path)


@pytest.fixture(scope="module")
def catalog(image, psf):
    return image_catalog(image, psf)


@pytest.fixture(scope="module")
def found(catalog, path):
    """The detection of the exposure itself, as that of another image."""
    return ForeignSources(catalog.columns, catalog.labels, read_level2(path).projection)


@pytest.mark.heavy
def test_pixels_are_those_of_the_file_in_nanojansky(image, path):
    with rdm.open(path) as model:
        data, err = (np.asarray(model[name]) for name in ("data", "err"))
    factor = read_level2(path).njy_per_unit
    good = image.good
    assert good.mean() > 0.9
    np.testing.assert_allclose(image.data[good], data[good] * factor, rtol=1e-6)
    np.testing.assert_allclose(image.variance[good], (err[good].astype(float) * factor) ** 2, rtol=1e-3)
    assert np.isnan(image.data[~good]).all()
    assert (image.read_variance[good] <= 1.05 * image.variance[good]).all()
    assert image.pixel_scale == pytest.approx(0.11, rel=0.03)


def test_the_wcs_is_that_of_the_file(image, path):
    x, y = np.array([3.0, 100.0, 170.5]), np.array([171.0, 60.2, 5.0])
    with rdm.open(path) as model:
        ra, dec = model.meta.wcs(x, y, with_bounding_box=False)
    np.testing.assert_allclose(image.wcs(x, y, with_bounding_box=False), (ra, dec), rtol=0, atol=1e-9)
    np.testing.assert_allclose(image.wcs.invert(ra, dec), (x, y), rtol=0, atol=1e-4)


@pytest.mark.heavy
def test_products_are_valid_when_they_are_opened_again(catalog, path, tmp_path):
    products = write_catalog(catalog, tmp_path, ".asdf")
    stem = path.name.removesuffix("_cal.asdf")
    assert [one.name for one in (products.catalog, products.segmentation)] == [
        f"{stem}_cat.asdf",
        f"{stem}_segm.asdf",
    ]
    with read_product(products.catalog) as model:
        assert isinstance(model, rdm.ImageSourceCatalogModel)
        model.validate()
        names = rdm.ImageSourceCatalogModel.create_fake_data().source_catalog.colnames
        assert {name for name in names if "aper00" not in name} <= set(model.source_catalog.colnames)
        assert model.meta.image.filename == path.name
        assert model.meta.observation.visit_id is not None
        errors = [model.source_catalog[f"{axis}_centroid_err"] for axis in ("ra", "dec", "x", "y")]
        assert all((error > 0).all() for error in errors)
    with read_product(products.segmentation) as model:
        assert isinstance(model, rdm.SegmentationMapModel)
        model.validate()
        np.testing.assert_array_equal(model.data, catalog.labels)


def isolated(field, columns, element=ELEMENT):
    """Rows of bright stars that stand by themselves, and the rows of the truth that they are."""
    ra, dec, flux, is_galaxy = field.truth(element)
    true = SkyCoord(ra, dec, unit="deg")
    measured = SkyCoord(columns["ra"], columns["dec"], unit="deg")
    index, near, _ = measured.match_to_catalog_sky(true)
    good = (near.arcsec < 0.1) & ~is_galaxy[index] & (flux[index] > 800) & (columns["nn_distance"] > 0.8)
    rows = np.flatnonzero(good & (columns["image_flags"] == 0))
    return rows, flux[index[rows]], near.arcsec[rows]


def test_stars_have_their_fluxes_and_places(catalog, sparse_field):
    columns = catalog.columns
    rows, flux, distance = isolated(sparse_field, columns)
    assert rows.size >= 3
    pull = (columns["psf_flux"][rows] - flux) / np.hypot(columns["psf_flux_err"][rows], 0.02 * flux)
    assert np.abs(np.median(pull)) < 1.5
    assert np.abs(pull).max() < 6
    assert np.median(distance) < 0.02
    assert not columns["is_extended"][rows].any()


def test_circles_hold_what_photutils_sums(catalog, image, psf):
    band = prepare_band(image, psf, CatalogOptions())
    columns = catalog.columns
    alone = (columns["nn_distance"] > 1) & (columns["image_flags"] == 0)
    x, y = catalog.sources.x[alone], catalog.sources.y[alone]
    circles = CircularAperture(np.stack([x, y], axis=1), r=0.4 / image.pixel_scale)
    peer = aperture_photometry(band.data.astype(float), circles, method="exact")["aperture_sum"]
    np.testing.assert_allclose(columns["aper04_flux"][alone], peer, rtol=0.01, atol=30)


def test_a_detection_carried_to_its_own_pixels_is_itself(catalog, found, image, psf):
    band = prepare_band(image, psf, CatalogOptions())
    sources, label = sources_on(band, found, CatalogOptions())
    np.testing.assert_array_equal(label, catalog.columns["label"])
    np.testing.assert_array_equal(sources.detection.labels, catalog.labels)
    for name in ("x", "y", "xx", "yy", "xy"):
        ours, theirs = (getattr(one.moments, name) for one in (sources, catalog.sources))
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)
    for ours, theirs in zip(sources.kron.ellipse, catalog.sources.kron.ellipse, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0.02, atol=1e-4)
    forced = forced_elsewhere(image, psf, found)
    np.testing.assert_allclose(
        forced.columns["forced_kron_flux"], catalog.columns["kron_flux"], rtol=0.02, atol=20
    )
    np.testing.assert_allclose(
        forced.columns["forced_aper04_flux"], catalog.columns["aper04_flux"], rtol=1e-3
    )


@pytest.mark.heavy
def test_forced_products_are_valid(found, image, psf, tmp_path):
    forced = forced_elsewhere(image, psf, found)
    products = write_catalog(forced, tmp_path, ".asdf")
    assert products.catalog.name == f"{product_stem(forced)}_forcecat.asdf"
    assert products.segmentation is None
    with read_product(products.catalog) as model:
        assert isinstance(model, rdm.ForcedImageSourceCatalogModel)
        model.validate()
        assert len(model.source_catalog) == forced.sources.count
        names = rdm.ForcedImageSourceCatalogModel.create_fake_data().source_catalog.colnames
        assert {name for name in names if "aper00" not in name} <= set(model.source_catalog.colnames)


def test_labels_of_the_detection_stay_where_some_of_its_sources_are_off_the_image(catalog, found, image, psf):
    columns = {name: np.array(values) for name, values in catalog.columns.items()}
    columns["ra"][0] += 0.1  # deg: far away
    moved = ForeignSources(columns, found.labels, found.projection)
    forced = forced_elsewhere(image, psf, moved)
    np.testing.assert_array_equal(forced.columns["label"], catalog.columns["label"][1:])
    np.testing.assert_array_equal(forced.columns["nn_label"], catalog.columns["nn_label"][1:])
