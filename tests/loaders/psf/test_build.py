"""Empirical PSFs are held against the PSF that drew the scene."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.psf.build import BuildSettings, EmpiricalPsf, build_psf
from loaders.psf.field import StarField
from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected
from tests.loaders.psf.scenes import (
    crowded_field,
    distorted,
    draw_all,
    l2_error,
    phase_error,
    true_psf,
)

UNIFORM = BuildSettings(gradient_star=10**9)
FIXED = replace(UNIFORM, position_sigma=0.0)


@pytest.fixture(scope="module")
def truth() -> EffectivePsf:
    return true_psf()


@pytest.fixture(scope="module")
def start(truth: EffectivePsf) -> EffectivePsf:
    """Five per cent broader than the truth, 0.07 px off its centre."""
    return distorted(truth, 1.05, 0.05)


@pytest.fixture(scope="module")
def built(truth: EffectivePsf, start: EffectivePsf) -> tuple[EmpiricalPsf, StarField, np.ndarray]:
    scene, flux = crowded_field(truth, seed=1, size=400, density=0.1)
    return build_psf([scene], start, settings=FIXED), scene, flux


def test_a_psf_is_recovered_from_a_wrong_start(built, truth, start):
    result, _, _ = built
    assert l2_error(start.stamps, truth.stamps) > 0.1
    assert l2_error(result.psf.stamps, truth.stamps) < 0.004
    assert phase_error(start, truth) > 0.03
    assert phase_error(result.psf, truth) < 0.001
    assert result.n_star > 1300
    assert 0.8 < result.chi2 < 1.05
    assert result.residual < 0.01


@pytest.mark.heavy
def test_with_few_of_the_stars_known_bright_ones_fit_all_the_same(built, truth, start):
    """Those that are missing spoil chi-square, not the PSF: what is left of bright stars tells."""
    _, scene, flux = built
    known = np.argsort(-flux)[: flux.size // 3]
    part = replace(scene, x=scene.x[known], y=scene.y[known], flux=scene.flux[known])
    result = build_psf([part], start, settings=FIXED)
    assert result.chi2 > 2
    assert l2_error(result.psf.stamps, truth.stamps) < 0.02
    assert result.residual < 0.02


def test_fluxes_are_recovered_with_it(built):
    result, scene, flux = built
    k = result.fields[0].measured
    bright = k[flux[k] > 300]
    ratio = result.fields[0].flux[bright] / flux[bright]
    assert np.median(ratio) == pytest.approx(1, abs=0.002)
    assert np.std(ratio) < 0.01
    assert np.std(scene.flux[bright] / flux[bright]) > 0.04


@pytest.mark.heavy
def test_bad_stars_and_pixels_do_no_harm(truth, start):
    scene, _ = crowded_field(truth, seed=2, size=240, density=0.06)
    data, usable = scene.data.copy(), scene.usable.copy()
    rng = np.random.default_rng(5)
    bright = np.argsort(-scene.flux)[:200]
    inside = bright[(np.abs(scene.x[bright] - 120) < 100) & (np.abs(scene.y[bright] - 120) < 100)]
    galaxies, hit, saturated = inside[10:16], inside[20:30], inside[:6]
    y, x = np.mgrid[:240, :240]
    for k in galaxies:
        distance = np.hypot(x - scene.x[k], y - scene.y[k])
        data += scene.flux[k] * np.exp(-distance / 1.5) / (2 * np.pi * 1.5**2)
    rows = np.round(scene.y[hit]).astype(int) + rng.integers(-2, 3, hit.size)
    data[rows, np.round(scene.x[hit]).astype(int)] += 500.0
    for k in saturated:
        usable[np.hypot(x - scene.x[k], y - scene.y[k]) < 2.5] = False
    data[~usable] = np.nan
    result = build_psf([replace(scene, data=data, usable=usable)], start, settings=FIXED)
    clean = build_psf([scene], start, settings=FIXED)
    assert l2_error(result.psf.stamps, truth.stamps) < 1.5 * l2_error(clean.psf.stamps, truth.stamps) + 0.001
    assert not np.isin(galaxies, result.fields[0].measured).any()


@pytest.mark.heavy
def test_exposures_with_pointing_errors_are_combined_without_blur(truth):
    fields = [
        crowded_field(truth, seed=10 + k, size=160, density=0.06, shift=shift)[0]
        for k, shift in enumerate((0.08, -0.08))
    ]
    exact = build_psf(fields, truth, settings=FIXED)
    fitted = build_psf(fields, truth, settings=replace(UNIFORM, position_sigma=0.1, min_signal=50.0))
    assert l2_error(fitted.psf.stamps, truth.stamps) < 0.5 * l2_error(exact.psf.stamps, truth.stamps)
    moved = [np.median(item.shift, axis=1) for item in fitted.fields]
    assert moved[0] == pytest.approx([-0.08, 0.0], abs=0.004)
    assert moved[1] == pytest.approx([0.08, 0.0], abs=0.004)


@pytest.mark.heavy
def test_a_common_error_of_the_positions_goes_into_the_psf(truth):
    scene, flux = crowded_field(truth, seed=3, size=200, density=0.06, shift=0.05)
    result = build_psf([scene], truth, settings=replace(UNIFORM, position_sigma=0.05))
    centre = (truth.size - 1) / 2
    across = result.psf.stamps[0, 0].sum(axis=0)
    inner = slice(int(centre) - 8, int(centre) + 9)
    offset = (np.arange(truth.size)[inner] - centre) / truth.oversampling
    was = (truth.stamps[0, 0].sum(axis=0)[inner] * offset).sum() / truth.stamps[0, 0].sum(axis=0)[inner].sum()
    now = (across[inner] * offset).sum() / across[inner].sum()
    # Within a window of 17 grid points the centroid follows a shift to a factor below one.
    assert -0.05 < now - was < -0.02
    k = result.fields[0].measured
    bright = k[flux[k] > 300]
    assert np.median(result.fields[0].flux[bright] / flux[bright]) == pytest.approx(1, abs=0.003)


@pytest.mark.heavy
def test_a_psf_that_varies_over_the_image_is_followed(truth):
    left, right = distorted(truth, 0.97, 0.0).stamps[0, 0], distorted(truth, 1.03, 0.0).stamps[0, 0]
    varying = EffectivePsf(np.array([[left, right]]), 4, np.array([0.0, 179.0]), np.zeros(1))
    scene, _ = crowded_field(varying, seed=4, size=180, density=0.08)
    uniform = build_psf([scene], truth, settings=FIXED)
    linear = build_psf(
        [scene], truth, settings=replace(FIXED, gradient_star=100, gradient_size=0, gradient=0.1)
    )
    assert uniform.psf.x_node.size == 1
    assert linear.psf.x_node.size == 2
    for x in (15.0, 165.0):
        target = varying.at(x, 0.0)
        assert l2_error(linear.psf.at(x, 90.0), target) < 0.4 * l2_error(uniform.psf.at(x, 90.0), target)


def test_the_given_flux_scale_can_be_kept(truth, start):
    scene, flux = crowded_field(truth, seed=6, size=160, density=0.06)
    scaled = replace(scene, flux=scene.flux * 1.2)
    result = build_psf([scaled], start, settings=replace(FIXED, flux_scale="given"))
    k = result.fields[0].measured
    assert np.median(result.fields[0].flux[k] / flux[k]) == pytest.approx(1.2, rel=0.01)
    assert result.psf.stamps.sum() / truth.stamps.sum() == pytest.approx(1 / 1.2, rel=0.01)


def test_the_sum_of_the_starting_stamp_is_kept_without_wings(built, start):
    assert built[0].psf.stamps.sum() == pytest.approx(start.stamps.sum(), rel=1e-3)


def test_what_cannot_be_fitted_is_refused(truth):
    scene, _ = crowded_field(truth, seed=7, size=60, density=0.02)
    with pytest.raises(Rejected, match=r"no star.*that of the optics, serves"):
        build_psf([scene], truth, settings=replace(FIXED, min_signal=1e6))
    with pytest.raises(ValueError, match="at least one"):
        build_psf([], truth)
    with pytest.raises(ValueError, match="usable pixels"):
        replace(scene, variance=np.zeros_like(scene.variance))
    with pytest.raises(ValueError, match="one length"):
        replace(scene, x=scene.x[:-1])


def test_light_is_conserved_in_the_scenes(truth):
    x, y, flux = np.array([20.3]), np.array([19.8]), np.array([100.0])
    total = draw_all(truth, x, y, flux, (41, 41)).sum()
    assert total == pytest.approx(100 * truth.stamps.sum() / truth.oversampling**2, rel=1e-3)
