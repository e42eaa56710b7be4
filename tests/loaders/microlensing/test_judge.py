"""What is kept as an event, and what is refused, and why."""

import numpy as np
import pytest

from loaders.light_curve_simulation.simulate import Recipe, prepare, simulate
from loaders.microlensing.find import SkyCurve, look_at
from loaders.microlensing.judge import judge
from loaders.microlensing.search import EventSearch
from loaders.stored_curve.band import Band, usable_band, without_outliers
from tests.loaders.event_models.mulens_curves import BEGIN, bands_of
from tests.loaders.microlensing.curves import event, lensed, times

SEASONS = (0.0, 182.0)


def noisy(shape, error=1.0, seed=1, blend=100.0):
    """Three elements whose source brightens as a function of time says."""
    rng = np.random.default_rng(seed)
    bands = []
    for name, step, source in (("F146", 0.02, 100.0), ("F087", 0.25, 30.0), ("F213", 0.26, 50.0)):
        time = times(step, SEASONS)
        flux = blend + source * shape(time) + error * rng.normal(size=time.size)
        bands.append(Band(name, time, flux, np.full(time.size, error)))
    return bands


def verdicts(bands):
    return [one.verdict for one in look_at(SkyCurve(1, 268.0, -29.0, bands))]


@pytest.mark.parametrize(
    ("u_0", "t_e"), [pytest.param(0.1, 8.0, marks=pytest.mark.heavy), (0.5, 2.0), (0.6, 0.3)]
)
def test_a_lens_is_an_event_with_its_parameters(u_0, t_e):
    bands = event(30.0, u_0, t_e, rng=np.random.default_rng(3), seasons=SEASONS)
    (found,) = look_at(SkyCurve(1, 268.0, -29.0, bands))
    assert found.verdict.is_event
    assert found.verdict.reason == "single_lens"
    plain = next(model for model in found.models if model.name == "1L1S")
    for name, truth in (("t_0", 30.0), ("u_0", u_0), ("t_E", t_e)):
        assert abs(plain.value[name] - truth) < 5 * plain.error[name]


@pytest.mark.heavy
def test_points_as_far_apart_as_the_event_is_long_keep_their_errors():
    """With ten points each neighbours differ by what the lens does: that is no noise."""
    rng, bands = np.random.default_rng(6), []
    for name, step in (("F146", 0.15), ("F087", 2.0)):
        time = np.arange(0, 20, step)
        flux = 100 + 100 * lensed(time, 9.0, 0.15, 5.0) + rng.normal(size=time.size)
        bands.append(Band(name, time, flux, np.ones(time.size)))
    (verdict,) = verdicts(bands)
    assert verdict.reason == "single_lens"
    assert (verdict.error_scale < 1.5).all()
    # Errors that are too small by three are still seen.
    small = [Band(one.name, one.time, one.flux, one.error / 3) for one in bands]
    (verdict,) = verdicts(small)
    assert verdict.error_scale[0] == pytest.approx(3, rel=0.25)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("reason", "shape"),
    [
        ("step", lambda t: 0.2 * (t > 40)),
        ("step", lambda t: 0.2 * ((t > 40) & (t < 47))),
        ("erratic", lambda t: 0.4 * ((t > 40) & (t < 47) & (np.sin(1e4 * t) > 0))),
        ("hump", lambda t: 0.3 * np.maximum(1 - ((t - 40) / 6) ** 2, 0) ** 2 + 0.15 * (np.abs(t - 40) < 6)),
        ("trend", lambda t: 0.002 * t),
        ("trend", lambda t: np.exp(-0.5 * ((t - 90) / 400) ** 2)),
        ("outburst", lambda t: np.where(t > 30, np.exp(-(np.maximum(t, 30) - 30) / 3), 0)),
        ("periodic", lambda t: 0.2 * np.sin(2 * np.pi * t / 1.7)),
    ],
)
def test_what_is_no_lens_is_refused_with_its_reason(reason, shape):
    found = verdicts(noisy(shape))
    assert found
    assert not any(one.is_event for one in found)
    assert found[0].reason == reason


def test_a_source_with_a_size_is_not_erratic():
    """At the peak of a bright event a point is a poor source, by many errors and little of the light."""
    bands = bands_of({"t_0": BEGIN + 20.003, "u_0": 0.0006, "t_E": 20.0, "rho": 0.0012}, error=20.0)
    verdict = judge(bands, EventSearch().best(bands, 1, 5.0)[0])
    assert (verdict.is_event, verdict.reason) == (True, "single_lens")


@pytest.mark.heavy
def test_a_year_seen_from_a_moving_telescope_is_no_step():
    """An event of many months whose parallax a single lens without it can't follow."""
    curve = simulate(prepare(Recipe(20270924, {"point_lens": 1.0, "finite_source": 1.0})), 208)
    bands = cleaned(curve)
    assert judge(bands, EventSearch().best(bands, 1, 5.0)[0]).reason == "step"
    (found,) = look_at(SkyCurve(1, curve.ra, curve.dec, bands))
    assert (found.verdict.is_event, found.verdict.reason) == (True, "single_lens")
    value, error = found.models[0].value, found.models[0].error
    assert abs(value["t_E"] - curve.truth["t_E"]) < 5 * error["t_E"]


@pytest.mark.heavy
def test_two_sources_are_no_outburst():
    """A single lens explains them less well than a sudden rise and a decay do, two sources all of them."""
    curve = simulate(prepare(Recipe(20270917, {"binary_source": 1.0})), 6)
    bands = cleaned(curve)
    assert judge(bands, EventSearch().best(bands, 1, 5.0)[0]).reason == "outburst"
    (found,) = look_at(SkyCurve(1, curve.ra, curve.dec, bands))
    assert (found.verdict.is_event, found.verdict.reason) == (True, "binary_source")
    value = found.models[0].value
    moments = sorted([value["t_0_1"], value["t_0_2"]])
    assert moments == pytest.approx([curve.truth["t_0"], curve.truth["t_0_2"]], rel=0, abs=0.5)


def cleaned(curve):
    """Elements of a simulated light curve without outliers."""
    return [
        without_outliers(usable_band(name, one.bjd_tdb, one.flux, one.flux_err, one.flags & 7))
        for name, one in curve.points.items()
    ]


def test_noise_has_no_event():
    for seed in range(5):
        assert not any(one.is_event for one in verdicts(noisy(np.zeros_like, seed=seed)))


@pytest.mark.heavy
def test_outliers_are_no_event_and_hide_none():
    rng = np.random.default_rng(8)
    bands = event(30.0, 0.5, 1.0, rng=rng, seasons=SEASONS)
    for band in bands:
        band.flux[rng.choice(len(band), 6, replace=False)] += 300.0
    found = verdicts(bands)
    assert found[-1].is_event
    assert abs(found[-1].fit.t_0 - 30.0) < 0.05
    constant = noisy(np.zeros_like)
    for band in constant:
        band.flux[rng.choice(len(band), 6, replace=False)] += 300.0
    assert not any(one.is_event for one in verdicts(constant))


def test_a_brightening_in_one_element_alone_is_refused():
    bands = noisy(np.zeros_like)
    lens = event(30.0, 0.2, 5.0, seasons=SEASONS, interval=0.02)[0]
    bands[0] = Band("F146", bands[0].time, bands[0].flux + lens.flux[: len(bands[0])], bands[0].error)
    assert {one.reason for one in verdicts(bands)} == {"one_element"}


def test_errors_that_are_too_small_do_not_make_an_event_of_noise():
    bands = [Band(b.name, b.time, b.flux, b.error / 3) for b in noisy(np.zeros_like)]
    assert not any(one.is_event for one in verdicts(bands))
    (best,) = EventSearch().best(bands, 1, 5.0)
    assert judge(bands, best).error_scale == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_points_have_no_verdict(count):
    band = Band("F146", np.arange(float(count)), np.ones(count), np.ones(count))
    assert look_at(SkyCurve(1, 268.0, -29.0, [band])) == []


def test_one_element_is_enough():
    (band, *_) = event(30.0, 0.3, 5.0, rng=np.random.default_rng(4), seasons=SEASONS)
    assert verdicts([band])[-1].is_event


def test_single_points_that_stand_alone_go_and_pairs_stay():
    rng = np.random.default_rng(5)
    time = times(0.01, (0.0,), 5.0)
    flux = rng.normal(size=time.size)
    flux[100], flux[200:202] = 50.0, 50.0
    kept = without_outliers(Band("F146", time, flux, np.ones(time.size))).time
    assert set(time) - set(kept) == {time[100]}
    # Points six hours apart have no neighbours to be judged by.
    wide = Band("F087", 25 * time, flux, np.ones(time.size))
    assert len(without_outliers(wide)) == len(wide)
