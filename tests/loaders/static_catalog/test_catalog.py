"""Catalogs of a simulated sky cell against its truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import KDTree

from loaders.rejection import Rejected
from loaders.static_catalog.catalog import Surroundings, forced_catalog, image_catalog, multiband_catalog
from loaders.static_catalog.mosaic import mosaic_of
from loaders.static_catalog.names import ImageFlag, WarningFlag
from tests.loaders.static_catalog.conftest import ELEMENTS, SIDE
from tests.loaders.static_catalog.fields import scatter

#: A cell of the sky in four bands takes long to simulate; test_load.py and test_exposure.py have less.
pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def mosaics(cell):
    return {element: mosaic_of(model, element) for element, model in cell.models.items()}


@pytest.fixture(scope="module")
def single(cell, mosaics):
    return image_catalog(mosaics["F158"], cell.psfs["F158"])


@pytest.fixture(scope="module")
def several(cell, mosaics):
    return multiband_catalog(list(mosaics.values()), cell.psfs, None, Surroundings(dust_ebv=0.02))


def matched(cell, catalog, element, low, high, galaxy):
    """Rows of truth and catalog of sources apart from brighter and similar ones, by flux."""
    flux = cell.flux[element]
    inside = (cell.x > 20) & (cell.x < SIDE - 20) & (cell.y > 20) & (cell.y < SIDE - 20)
    places = np.stack([cell.x, cell.y], axis=1)
    notable = flux > 0.02 * low
    near = KDTree(places[notable]).query(places, k=2)[0][:, 1]
    chosen = np.flatnonzero(inside & (flux > low) & (flux < high) & (cell.is_galaxy == galaxy) & (near > 12))
    distance, row = KDTree(np.stack([catalog.sources.x, catalog.sources.y], axis=1)).query(places[chosen])
    return chosen, row, distance


def test_bright_sources_are_complete_and_stars_are_no_galaxies(cell, single):
    for galaxy in (False, True):
        _, row, distance = matched(cell, single, "F158", 2000, 1e6, galaxy)
        assert row.size >= 7
        assert (distance < 2).mean() > 0.9
        assert (single.columns["is_extended"][row[distance < 2]] == galaxy).mean() > 0.9


def test_psf_fluxes_and_positions_of_stars_are_the_true_ones(cell, single):
    truth, row, distance = matched(cell, single, "F158", 500, 1e5, False)
    truth, row = truth[distance < 2], row[distance < 2]
    flux, error = single.columns["psf_flux"][row], single.columns["psf_flux_err"][row]
    true = cell.flux["F158"][truth]
    assert np.median(flux / true) == pytest.approx(1, abs=0.015)
    assert scatter((flux - true) / error) == pytest.approx(1, abs=0.4)
    offset = (single.columns["x_psf"][row] - cell.x[truth]) / single.columns["x_psf_err"][row]
    assert scatter(offset) == pytest.approx(1, abs=0.4)


def test_positions_on_the_sky_are_those_of_the_pixels(cell, single):
    columns, wcs = single.columns, cell.models["F158"].meta.wcs
    x, y = wcs.invert(columns["ra"], columns["dec"])
    np.testing.assert_allclose(x, single.sources.x, atol=1e-4)
    np.testing.assert_allclose(y, single.sources.y, atol=1e-4)
    for name in ("ra_centroid_err", "dec_centroid_err", "ra_centroid_win_err"):
        values = columns[name][np.isfinite(columns[name])]
        assert (values > 0).all()


def test_kron_fluxes_of_galaxies_hold_most_of_their_light(cell, single):
    truth, row, distance = matched(cell, single, "F158", 2000, 1e6, True)
    good = distance < 2
    ratio = single.columns["kron_flux"][row[good]] / cell.flux["F158"][truth[good]]
    assert 0.78 < np.median(ratio) < 1.02


def test_angles_and_ellipticities_are_those_of_the_scene(cell, several):
    """Position angles run from north through east in the scene, too; its galaxies are what GalSim drew."""
    truth, row, distance = matched(cell, several, "F158", 1500, 1e6, True)
    truth, row = truth[distance < 2], row[distance < 2]
    galaxies, first = cell.scene.galaxies, cell.is_galaxy.size - cell.scene.galaxies.ra.size
    q, angle = galaxies.axis_ratio[truth - first], np.radians(galaxies.position_angle[truth - first])
    size = (1 - q**2) / (1 + q**2)
    for name, true in (("shape_e1", size * np.cos(2 * angle)), ("shape_e2", size * np.sin(2 * angle))):
        found = several.further[name][0][row]
        known = np.isfinite(found)
        assert known.mean() > 0.5
        assert np.corrcoef(found[known], true[known])[0, 1] > 0.85
    turn = (several.columns["orientation_sky"][row] - np.degrees(angle) + 90) % 180 - 90
    assert np.median(np.abs(turn[size > 0.3])) < 15


def test_matched_colours_of_galaxies_are_the_true_ones(cell, several):
    """Colours of the scene are those of the whole galaxy: galaxies have no gradients there."""
    assert several.reference == "F213"
    truth, row, distance = matched(cell, several, "F158", 1000, 1e6, True)
    truth, row = truth[distance < 2], row[distance < 2]
    reference, reference_err = (several.columns[f"aper04_f213_flux{end}"][row] for end in ("", "_err"))
    for element in ("F106", "F129", "F158"):
        tag = f"{element.lower()}mf213"
        flux, error = (several.columns[f"aper04_{tag}_flux{end}"][row] for end in ("", "_err"))
        true = (cell.flux[element] / cell.flux["F213"])[truth]
        pull = (flux - true * reference) / np.hypot(error, true * reference_err)
        assert np.median(pull) == pytest.approx(0, abs=0.7)
        assert scatter(pull) < 1.5


def test_matching_makes_aperture_colours_of_stars_right(cell, several):
    truth, row, distance = matched(cell, several, "F158", 1000, 1e6, False)
    truth, row = truth[distance < 2], row[distance < 2]
    true = (cell.flux["F106"] / cell.flux["F213"])[truth]
    native = several.columns["aper02_f106_flux"][row] / several.columns["aper02_f213_flux"][row] / true
    made = several.columns["aper02_f106mf213_flux"][row] / several.columns["aper02_f213_flux"][row] / true
    assert np.median(native) > 1.2
    assert np.median(made) == pytest.approx(1, abs=0.04)


def test_every_band_and_redshifts_are_there(several):
    count = several.sources.count
    for element in ELEMENTS:
        assert several.columns[f"psf_{element.lower()}_flux"].shape == (count,)
    assert several.redshifts is not None
    assert several.redshifts.pdf.shape[0] == count
    columns = several.columns
    known = np.isfinite(columns["photoz"])
    assert known.mean() > 0.9
    assert (columns["photoz_low68"][known] <= columns["photoz_high68"][known]).all()
    assert (columns["dust_ebv"] == 0.02).all()


def test_two_bands_give_no_redshifts(cell, mosaics):
    found = multiband_catalog([mosaics["F129"], mosaics["F158"]], cell.psfs)
    assert found.redshifts is None
    assert "photoz" not in found.columns


def test_forced_fluxes_are_measured_at_the_sources_of_the_detection(cell, mosaics, single):
    forced = forced_catalog(mosaics["F106"], cell.psfs["F106"], single)
    assert np.array_equal(forced.columns["label"], single.columns["label"])
    truth, row, distance = matched(cell, single, "F158", 1000, 1e5, False)
    truth, row = truth[distance < 2], row[distance < 2]
    ratio = forced.columns["forced_psf_flux"][row] / cell.flux["F106"][truth]
    assert np.median(ratio) == pytest.approx(1, abs=0.02)
    again = forced_catalog(mosaics["F158"], cell.psfs["F158"], single)
    np.testing.assert_allclose(again.columns["forced_kron_flux"], single.columns["kron_flux"], rtol=1e-6)


def test_flags_of_edges_and_of_deblended_sources(single):
    columns = single.columns
    at_edge = (columns["image_flags"] & ImageFlag.EDGE) > 0
    rim = (columns["bbox_xmin"] == 0) | (columns["bbox_xmax"] == SIDE - 1)
    rim |= (columns["bbox_ymin"] == 0) | (columns["bbox_ymax"] == SIDE - 1)
    assert np.array_equal(at_edge, rim)
    parent = single.sources.detection.parent
    shared = np.bincount(parent)[parent] > 1
    assert np.array_equal((columns["warning_flags"] & WarningFlag.DEBLENDED) > 0, shared)


def test_a_mosaic_with_a_hole_is_measured_around_it(cell, mosaics, single):
    one = mosaics["F158"]
    brightest = np.argmax(single.columns["segment_flux"])
    x, y = round(single.sources.x[brightest]), round(single.sources.y[brightest])
    good = one.good.copy()
    good[y - 1 : y + 2, x - 1 : x + 2] = False
    found = image_catalog(replace(one, good=good), cell.psfs["F158"])
    label = found.labels[y + 2, x]
    assert label > 0
    assert found.columns["image_flags"][label - 1] & ImageFlag.HOLE


def test_an_empty_sky_gives_a_catalog_without_rows(mosaics, cell):
    rng = np.random.default_rng(3)
    made = {}
    for element, one in mosaics.items():
        noise = rng.standard_normal(one.data.shape) * np.sqrt(one.read_variance)
        made[element] = replace(one, data=noise.astype(np.float32), variance=one.read_variance)
    found = multiband_catalog(list(made.values()), cell.psfs)
    assert found.sources.count == 0
    assert not found.labels.any()
    assert all(values.shape == (0,) for values in found.columns.values())


def test_bands_that_do_not_fit_are_refused(cell, mosaics, single):
    one = mosaics["F158"]
    with pytest.raises(Rejected, match="no PSF of F158 is given") as caught:
        multiband_catalog([one], {"F106": cell.psfs["F106"]})
    assert caught.value.code == "missing_psf"
    with pytest.raises(Rejected, match="2 times") as caught:
        multiband_catalog([one, one], cell.psfs)
    assert caught.value.code == "duplicate_band"
    with pytest.raises(Rejected, match="no band") as caught:
        multiband_catalog([], cell.psfs)
    small = replace(one, data=one.data[:100], variance=one.variance[:100], good=one.good[:100])
    with pytest.raises(Rejected) as caught:
        forced_catalog(small, cell.psfs["F158"], single)
    assert caught.value.code == "grid_mismatch"
