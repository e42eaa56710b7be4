"""What two lenses overrule, and what they do not: light curves of VBMicrolensing and of outbursts."""

from dataclasses import replace

import numpy as np
import pytest
import VBMicrolensing

from loaders.event_models.fitted_model import FittedModel
from loaders.event_models.kinds import BINARY, POINT
from loaders.light_curve_simulation.simulate import Recipe, prepare, simulate
from loaders.microlensing.appeal import are_two_lenses, may_be_two_lenses
from loaders.microlensing.find import SkyCurve, look_at
from loaders.microlensing.judge import judge
from loaders.microlensing.search import EventSearch
from loaders.stored_curve.band import Band
from tests.loaders.microlensing.curves import times
from tests.loaders.microlensing.test_judge import cleaned

PLACE = (268.0, -29.0)
UNIFORM = {"F146": 0.0, "F087": 0.0, "F213": 0.0}
LENS = {"t_0": 36.0, "u_0": 0.7, "t_E": 8.0, "s": 1.66, "q": 0.47, "alpha": 170.0, "rho": 0.005}


def two_lenses(time, lens=LENS):
    engine, alpha = VBMicrolensing.VBMicrolensing(), np.radians(lens["alpha"])
    tau = (time - lens["t_0"]) / lens["t_E"]
    x = -tau * np.cos(alpha) + lens["u_0"] * np.sin(alpha)
    y = -tau * np.sin(alpha) - lens["u_0"] * np.cos(alpha)
    pair = lens["s"], lens["q"]
    return np.array([engine.BinaryMag2(*pair, a, b, lens["rho"]) for a, b in zip(x, y, strict=True)])


def outburst(time, begin=30.0):
    """A dwarf nova: a rise by two magnitudes in a day, four days at the top, a decline."""
    since = time - begin
    bright = np.minimum(2 * np.clip(since, 0, 1), 2 - (since - 5) / 2)
    return 10 ** (0.4 * np.clip(bright, 0, None))


def curves(shape, error=20.0, source=300.0):
    """Two elements of two seasons, errors of a part in a thousand of the flux at least."""
    rng, bands = np.random.default_rng(2), []
    for name, step, share in (("F146", 0.05, 1.0), ("F087", 0.25, 0.3)):
        time = times(step, (0.0, 182.0))
        flux = 500 + source * share * shape(time)
        scatter = np.hypot(error, 1e-3 * flux)
        bands.append(Band(name, time, flux + scatter * rng.normal(size=time.size), scatter))
    return bands


def refused(bands):
    return judge(bands, EventSearch().best(bands, 1, 5.0)[0])


def model_of(verdict, shape, complete, kind=BINARY, value=LENS):
    """A model whose fluxes fit best, and whether it is said to leave nothing out."""
    flux, chi2, count = [], 0.0, 0
    for band in verdict.bands:
        design = np.column_stack([shape(band.time), np.ones(len(band))]) / band.error[:, None]
        flux.append(np.linalg.lstsq(design, band.flux / band.error, rcond=None)[0])
        chi2 += float(np.sum((band.flux / band.error - design @ flux[-1]) ** 2))
        count += len(band)
    names = [band.name for band in verdict.bands]
    known = (names, np.array(flux), np.ones(len(names)), chi2, count, None, True, complete)
    return FittedModel(kind, False, value, value, *known)


@pytest.fixture(scope="module")
def stars():
    return refused(curves(two_lenses, 3.0))


def test_two_stars_are_refused_for_their_shape_and_may_ask_again(stars):
    assert not stars.is_event
    assert may_be_two_lenses(stars)


@pytest.mark.parametrize("complete", [True, False])
def test_the_lenses_that_made_a_light_curve_overrule_the_refusal(stars, complete):
    assert are_two_lenses(stars, model_of(stars, two_lenses, complete), PLACE, UNIFORM)


def test_lenses_that_are_off_by_hours_do_not(stars):
    late = LENS | {"t_0": LENS["t_0"] + 0.5}
    shape = lambda time: two_lenses(time, late)  # noqa: E731
    assert not are_two_lenses(stars, model_of(stars, shape, False, value=late), PLACE, UNIFORM)


def test_a_single_lens_overrules_nothing_here(stars):
    single = model_of(stars, two_lenses, True, POINT, {"t_0": 36.0, "u_0": 0.1, "t_E": 8.0})
    assert not are_two_lenses(stars, single, PLACE, UNIFORM)


def test_what_comes_again_or_is_weak_may_not_ask():
    once = refused(curves(outburst, 5.0))
    assert may_be_two_lenses(once)
    weak = refused(curves(outburst, error=100.0))
    assert not weak.is_event
    assert not may_be_two_lenses(weak)
    again = refused(curves(lambda t: sum(outburst(t, at) for at in (5.0, 30.0, 60.0, 200.0, 230.0)), 5.0))
    assert not again.is_event
    assert not may_be_two_lenses(again)


def test_other_refusals_stand(stars):
    assert not may_be_two_lenses(replace(stars, reason="trend"))
    assert not may_be_two_lenses(replace(stars, reason="few_points"))


def test_a_box_is_none_even_if_lenses_leave_nothing_out():
    box = refused(curves(lambda t: 1.0 + ((t > 30) & (t < 42)), 5.0))
    assert box.reason == "step"
    kind = model_of(box, lambda t: 1.0 + ((t > 30) & (t < 42)), True)
    assert not are_two_lenses(box, kind, PLACE, UNIFORM)


@pytest.mark.heavy
def test_two_stars_are_found_with_their_parameters():
    curve = simulate(prepare(Recipe(20271127, {"binary_lens": 1.0})), 11)
    (found,) = look_at(SkyCurve(1, curve.ra, curve.dec, cleaned(curve)), UNIFORM, modelled=False)
    assert (found.verdict.is_event, found.verdict.reason) == (True, "binary_lens")
    value, truth = found.models[0].value, curve.truth
    assert value["s"] == pytest.approx(truth["s"], rel=0.03)
    assert value["q"] == pytest.approx(truth["q"], rel=0.1)
    assert value["t_E"] == pytest.approx(truth["t_E"], rel=0.03)
