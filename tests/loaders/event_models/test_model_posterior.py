"""Posteriors of fitted models, against sums over a grid, walkers and errors from curvature."""

import numpy as np
import pytest

from loaders.event_models.descent import fit_lens
from loaders.event_models.kinds import BINARY, POINT, TWO_SOURCES, curves_of, parameters_of, slopes_of
from loaders.event_models.model_posterior import posterior_of
from loaders.event_models.posterior import LEVELS
from loaders.event_models.posterior_density import (
    CROSSING_SIGMA,
    density_of,
    limits_of,
    residuals_of,
    usual_crossing,
)
from loaders.event_models.setting import Setting, crossing_time
from loaders.stored_curve.band import Band
from tests.loaders.event_models.test_covariance import BEGIN, PLACE, STARTS, setting_of

WEAK = np.array([BEGIN + 20.0, 0.5, np.log(4.0)])


def magnified(t_0, u_0, t_e, time):
    u2 = u_0**2 + ((time - t_0) / t_e) ** 2
    return (u2 + 2) / np.sqrt(u2 * (u2 + 4))


def weak():
    """A short event of few points, whose impact parameter and Einstein time are known to some 20 %."""
    time = BEGIN + np.arange(0, 40, 0.25)
    flux = 1000 * magnified(*WEAK[:2], np.exp(WEAK[2]), time) + 100
    error = np.full(time.size, 30.0)
    band = Band("F146", time, flux + error * np.random.default_rng(5).normal(size=time.size), error)
    return Setting([band], *PLACE, WEAK[0], False, np.zeros(1))


def fitted(kind, setting, begin):
    view = setting.view(setting.bands, setting.fine, dark=True)
    given = parameters_of(kind, begin)
    slopes = slopes_of(kind, view, given.step)
    return fit_lens(view.points, curves_of(kind, view), given, begin, 60, slopes)


def on_a_grid(band, axes):
    """Quantiles of each parameter, by the sum over a grid of exp(-chi² / 2) with the best fluxes."""
    t_0, u_0, ln_t_e = np.meshgrid(*axes, indexing="ij")
    curve = magnified(t_0[..., None], u_0[..., None], np.exp(ln_t_e)[..., None], band.time)
    off = curve - curve.mean(axis=-1, keepdims=True)
    fall = (off @ band.flux) ** 2 / np.sum(off**2, axis=-1) / band.error[0] ** 2
    density = np.exp(0.5 * (fall - fall.max()))
    out = []
    for k, axis in enumerate(axes):
        share = density.sum(axis=tuple({0, 1, 2} - {k}))
        below = (np.cumsum(share) - 0.5 * share) / share.sum()
        out.append(np.interp(LEVELS, below, axis))
    return np.array(out)


def test_quantiles_are_those_of_a_sum_over_a_grid():
    setting = weak()
    found = posterior_of(setting, POINT, fitted(POINT, setting, WEAK))
    axes = WEAK[0] + np.linspace(-0.2, 0.2, 41), np.linspace(0.01, 2.0, 70), np.linspace(0.6, 2.6, 60)
    expected = on_a_grid(setting.bands[0], axes)
    ours = np.array([found.quantile["t_0"], found.quantile["u_0"], np.log(found.quantile["t_E"])])
    width = expected[:, 2] - expected[:, 0]
    # It is no normal distribution: the median is off the middle.
    assert abs(expected[1].sum() / 3 - expected[1, 1]) > 0.01 * width[1]
    np.testing.assert_allclose((ours - expected) / width[:, None], 0.0, atol=0.15)
    assert found.n_effective > 300


@pytest.mark.parametrize("kind", [POINT, TWO_SOURCES])
def test_what_is_well_known_has_the_errors_of_the_curvature(kind):
    begin = np.array(STARTS[kind] if kind is TWO_SOURCES else STARTS[kind][:3])
    setting = setting_of(kind, begin)
    fit = fitted(kind, setting, begin)
    found = posterior_of(setting, kind, fit)
    error = np.sqrt(np.diag(fit.covariance))
    names = ["t_0_1", "u_0_1", "t_E", "t_0_2", "u_0_2"] if kind is TWO_SOURCES else ["t_0", "u_0", "t_E"]
    assert list(found.quantile) == names
    for name, at, sigma in zip(found.quantile, fit.parameter, error, strict=True):
        quantile = np.log(found.quantile[name]) if name == "t_E" else np.array(found.quantile[name])
        np.testing.assert_allclose((quantile - at) / sigma, [-1, 0, 1], atol=0.3)


def test_the_same_fit_has_the_same_posterior():
    setting = weak()
    fit = fitted(POINT, setting, WEAK)
    assert posterior_of(setting, POINT, fit) == posterior_of(setting, POINT, fit)


@pytest.mark.heavy
def test_two_lenses_are_said_as_they_are_stored():
    """The lighter one second, angles in degrees, both widths about those of the curvature."""
    logarithms = [np.log(value) for value in (10.0, 1.3, 0.02, 0.02)]
    truth = np.array([BEGIN + 20, 0.2, *logarithms[:3], np.radians(60.0), logarithms[3]])
    rng, bands = np.random.default_rng(3), []
    for name, step in (("F146", 0.02), ("F087", 0.2)):
        time = BEGIN + np.arange(0, 50, step)
        bands.append(Band(name, time, np.ones(time.size), np.ones(time.size)))
    setting = Setting(bands, *PLACE, BEGIN + 20, False, np.zeros(2))
    view = setting.view(bands, 1e-4)
    curve = curves_of(BINARY, view)(truth, view.points.time)[0]
    made = []
    for band, part in zip(bands, view.points.slices, strict=True):
        flux = 3000 * curve[part] + 200
        made.append(Band(band.name, band.time, flux + 0.02 * flux * rng.normal(size=flux.size), 0.02 * flux))
    setting = Setting(made, *PLACE, BEGIN + 20, False, np.zeros(2))
    fit = fitted(BINARY, setting, truth)
    found = posterior_of(setting, BINARY, fit)
    named = {"s": np.exp(truth[3]), "q": 0.02, "alpha": 60.0, "t_E": 10.0, "u_0": 0.2}
    for name, value in named.items():
        lower, median, upper = found.quantile[name]
        assert abs(value - median) < 2 * (upper - lower)
    turn = np.degrees(np.sqrt(fit.covariance[5, 5]))
    lower, _, upper = found.quantile["alpha"]
    assert (upper - lower) / 2 == pytest.approx(turn, rel=0.3)


@pytest.mark.heavy
def test_a_model_of_which_no_parameter_shows_has_no_posterior_or_a_wide_one():
    """A constant: nothing fails, and nothing is claimed to be known."""
    band = weak().bands[0]
    flat = Band("F146", band.time, np.full(len(band), 500.0), band.error)
    setting = Setting([flat], *PLACE, WEAK[0], False, np.zeros(1))
    found = posterior_of(setting, POINT, fitted(POINT, setting, WEAK))
    assert found is None or found.quantile["u_0"][2] - found.quantile["u_0"][0] > 0.5


def two_lenses():
    """A light curve without noise of a source of 1,000 nJy, and the parameters that made it."""
    at = np.array([BEGIN + 20, 0.3, np.log(8.0), np.log(1.4), np.log(0.01), 1.0, np.log(1e-3)])
    empty = Band("F146", BEGIN + np.arange(0, 40, 0.25), np.ones(160), np.ones(160))
    view = Setting([empty], *PLACE, at[0], False, np.zeros(1)).view([empty], 1e-3)
    flux = 1000 * curves_of(BINARY, view)(at, view.points.time)[0] + 300
    band = Band("F146", empty.time, flux, empty.error)
    return Setting([band], *PLACE, at[0], False, np.zeros(1)).view([band], 1e-3), at


def test_a_source_is_as_slow_as_its_flux_allows_give_or_take_a_factor():
    view, at = two_lenses()
    usual = usual_crossing(BINARY, view, at)
    assert usual == pytest.approx(crossing_time(1000.0), rel=1e-3)
    left, bare = residuals_of(BINARY, view, at, usual)(at), residuals_of(BINARY, view, at)(at)
    np.testing.assert_array_equal(left[:-1], bare)
    np.testing.assert_allclose(bare, 0.0, atol=1e-4)
    assert left[-1] == pytest.approx(np.log(1e-3 * 8.0 / usual) / CROSSING_SIGMA)


def test_both_sides_are_the_same_without_parallax_and_two_with_it():
    _, at = two_lenses()
    assert limits_of(BINARY, at)[0][1] == 0.0
    assert limits_of(BINARY, np.append(at, [0.0, 0.0]))[0][1] < 0


@pytest.mark.heavy
def test_walkers_find_the_same():
    """By emcee (Foreman-Mackey et al. 2013, PASP 125, 306), of a lens with parallax that hardly shows."""
    emcee = pytest.importorskip("emcee")
    begin = np.array([BEGIN + 40, 0.4, np.log(12.0), 0.1, -0.1])
    setting = setting_of(POINT, begin)
    noisy = [Band(b.name, b.time[::4], b.flux[::4], 2.0 * b.error[::4]) for b in setting.bands]
    setting = Setting(noisy, *PLACE, BEGIN + 40, True, np.zeros(2))
    fit = fitted(POINT, setting, begin)
    found = posterior_of(setting, POINT, fit)
    view = setting.view(setting.bands, setting.fine, dark=True)
    rng = np.random.default_rng(1)
    walkers = rng.multivariate_normal(fit.parameter, fit.covariance, size=20)
    moves = [(emcee.moves.DEMove(), 0.8), (emcee.moves.DESnookerMove(), 0.2)]
    sampler = emcee.EnsembleSampler(20, 5, density_of(POINT, view, fit.parameter), moves=moves)
    sampler.random_state = np.random.RandomState(4).get_state()
    sampler.run_mcmc(walkers, 3000)
    chain = sampler.get_chain(discard=500, flat=True)
    chain[:, 2] = np.exp(chain[:, 2])
    expected = np.quantile(chain, LEVELS, axis=0).T
    ours = np.array(list(found.quantile.values()))
    width = expected[:, 2] - expected[:, 0]
    np.testing.assert_allclose((ours - expected) / width[:, None], 0.0, atol=0.15)


def test_stored_draws_are_whole_on_either_side():
    """Of a high magnification with parallax: where the source may have passed on either side of the lens."""
    truth = np.array(STARTS[POINT])
    truth[1] = 2e-4
    setting = setting_of(POINT, truth)
    found = posterior_of(setting, POINT, fitted(POINT, setting, truth))
    draws = found.sample
    assert set(np.sign(draws["u_0"])) == {-1.0, 1.0}
    assert len(set(np.sign(found.quantile["u_0"]))) == 1
    view = setting.view(setting.bands, setting.fine, dark=True)
    names = ("t_0", "u_0", "t_E", "pi_E_N", "pi_E_E")
    chi2 = []
    for k in range(draws["t_0"].size):
        at = np.array([draws[name][k] for name in names])
        at[2] = np.log(at[2])
        curve = curves_of(POINT, view)(at, view.points.time)[0]
        off = 0.0
        for band, part in zip(setting.bands, view.points.slices, strict=True):
            model = draws[f"{band.name}_1"][k] * curve[part] + draws[f"{band.name}_0"][k]
            off += np.sum(((band.flux - model) / band.error) ** 2)
        chi2.append(off)
    assert np.ptp(chi2) < 60
