"""Wings measured around bright stars, in scenes whose wings are known and are not those given."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse.linalg import lsqr

from loaders.psf.field import StarField
from loaders.psf.fitted_field import FittedField
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import optical_psf
from loaders.psf.render import SplinePsf, Stars, columns
from loaders.psf.wing_fit import BuiltField, WingSettings, fit_wings
from loaders.psf.wings import with_wings
from tests.loaders.psf.scenes import GAIN, MONOCHROMATIC, READ_NOISE, SKY, draw_all, single_node

SIZE, CORE, WIDE, STEP = 240, 8, 24, 4
EDGE = (WIDE - CORE) * STEP


def wide_psf() -> EffectivePsf:
    return single_node(optical_psf("WFI07", "F146", 2000.0, 2000.0, replace(MONOCHROMATIC, half_width=WIDE)))


def core_of(psf: EffectivePsf) -> EffectivePsf:
    return replace(psf, stamps=psf.stamps[..., EDGE:-EDGE, EDGE:-EDGE])


def beyond(psf: EffectivePsf) -> np.ndarray:
    """Values outside of the core, in a ring that bright stars show well."""
    offset = np.abs(np.arange(psf.size) - psf.size // 2) / psf.oversampling
    distance = np.maximum(offset[:, None], offset)
    return psf.stamps[0, 0][(distance > CORE) & (distance < 16)]


def scene(psf: EffectivePsf, seed: int, light: float = 1.0, n_faint: int = 560) -> BuiltField:
    """A field of bright and faint stars, fitted with their true fluxes and positions."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-4, SIZE + 3, (2, 40 + n_faint))
    flux = light * np.append(rng.uniform(6e3, 2e4, 40), rng.uniform(3, 100, n_faint))
    clean = draw_all(psf, x, y, flux, (SIZE, SIZE)) + SKY
    data = rng.poisson(clean * GAIN) / GAIN + rng.normal(0, READ_NOISE, clean.shape)
    variance = np.maximum(clean, 1.0) / GAIN + READ_NOISE**2
    field = StarField(data, variance, np.ones(data.shape, dtype=bool), x, y, flux)
    background = np.full(4 * 4, SKY)
    measured = np.arange(40)
    state = FittedField(x, y, flux, measured, np.append(background, 1.0), np.zeros((2, 40)))
    return BuiltField(field, state, core_of(psf))


SETTINGS = WingSettings(background_spacing=80.0)


def wrong(psf: EffectivePsf) -> EffectivePsf:
    """Wings turned by 90 degrees and a third too bright: other spikes, other light."""
    return replace(psf, stamps=1.3 * np.rot90(psf.stamps, axes=(-2, -1)).copy())


def error(found: EffectivePsf, truth: EffectivePsf) -> float:
    return float(np.sqrt(((beyond(found) - beyond(truth)) ** 2).sum() / (beyond(truth) ** 2).sum()))


def test_wrong_wings_are_corrected_from_several_fields():
    truth = wide_psf()
    found = fit_wings([scene(truth, 1), scene(truth, 2)], wrong(truth), SETTINGS)
    assert error(wrong(truth), truth) > 0.4
    assert error(found, truth) < 0.1
    assert beyond(found).sum() == pytest.approx(beyond(truth).sum(), rel=0.02)


def with_fluxes_fitted(one: BuiltField, psf: EffectivePsf) -> BuiltField:
    """The field with the fluxes that its faint stars get where all wings are those of another PSF."""
    state = one.state
    residual = one.field.data - SKY - draw_all(psf, state.x, state.y, state.flux, (SIZE, SIZE))
    stars = Stars(state.x, state.y, np.ones(state.x.size), np.full(state.x.size, CORE))
    change = lsqr(columns(np.ones(residual.shape), SplinePsf.of(one.core), stars), residual.ravel())[0]
    change[:40] = 0.0
    return replace(one, state=replace(state, flux=state.flux + change))


@pytest.mark.heavy
def test_faint_stars_give_back_the_light_of_wings():
    """In a field with a star in every eighth pixel they take most of what the wings lack."""
    truth = wide_psf()
    given = wrong(truth)
    scenes = [with_fluxes_fitted(scene(truth, seed, n_faint=7000), given) for seed in (6, 7)]
    found = fit_wings(scenes, given, SETTINGS)
    # With the fluxes held the error is 0.23, and the light 10 % off.
    assert error(found, truth) < 0.13
    assert beyond(found).sum() == pytest.approx(beyond(truth).sum(), rel=0.03)


def test_right_wings_are_left_alone():
    truth = wide_psf()
    assert error(fit_wings([scene(truth, 3)], truth, SETTINGS), truth) < 0.07


def test_without_bright_stars_the_wings_stay():
    truth = wide_psf()
    given = wrong(truth)
    found = fit_wings([scene(truth, 4, light=1e-3)], given, SETTINGS)
    assert error(found, given) < 0.15


def test_the_core_is_in_the_middle():
    truth = wide_psf()
    core = core_of(truth)
    found = with_wings(core, fit_wings([scene(truth, 5)], wrong(truth), SETTINGS))
    middle = truth.size // 2
    near = slice(middle - 4 * STEP, middle + 4 * STEP + 1)
    np.testing.assert_allclose(found.stamps[0, 0][near, near], truth.stamps[0, 0][near, near], atol=1e-9)
