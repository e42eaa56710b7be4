"""Two lensing events of one star: both are found, and what comes again and again is none."""

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.event_models.point_lens import PointLensFit
from loaders.microlensing import load
from loaders.microlensing.find import SkyCurve, fit_again, look_at
from loaders.microlensing.repeated import without_event
from loaders.stored_curve.band import Band
from roman_db import session
from roman_db.load_run import load_run
from roman_db.parallel import Ended
from tests.loaders.microlensing.curves import lensed, times


def star(*shapes, seed=1):
    """Three elements of a source whose light some shapes add to."""
    rng = np.random.default_rng(seed)
    bands = []
    for name, step, source in (("F146", 0.036, 1000.0), ("F087", 0.5, 300.0), ("F213", 0.52, 500.0)):
        time = times(step)
        flux = source * (1.2 + sum(shape(time) for shape in shapes)) + 8 * rng.normal(size=time.size)
        bands.append(Band(name, time, flux, np.full(time.size, 8.0)))
    return bands


def lens(t_0, t_e, u_0=0.3):
    return lambda time: lensed(time, t_0, u_0, t_e) - 1


def outburst(begin, decay=4.0):
    return lambda time: np.where(time > begin, np.exp(-np.maximum(time - begin, 0) / decay), 0.0)


def plateau(begin, top=6.0):
    """A dwarf nova: a rise of a day, days at the top, a decline in two days a magnitude."""

    def shape(time):
        since = time - begin
        magnitude = np.minimum(2.5 * np.clip(since, 0, 1), 2.5 - (since - 1 - top) / 2)
        return 0.2 * (10 ** (0.4 * np.clip(magnitude, 0, None)) - 1)

    return shape


def looked_at(bands, **options):
    return look_at(SkyCurve(1, 268.0, -29.0, bands), **({"modelled": False} | options))


def events_of(bands, **options):
    found = [one for one in looked_at(bands, **options) if one.verdict.is_event]
    return sorted(found, key=lambda one: one.candidate.t_0)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "truth",
    [
        ((36.0, 8.0), (218.0, 6.0)),
        ((36.0, 15.0), (1679.0, 12.0)),
        ((26.0, 5.0), (46.0, 3.0)),
        ((36.0, 20.0), (1862.0, 20.0)),
        ((36.0, 25.0), (1500.0, 0.8)),
    ],
)
def test_both_of_two_events_are_found_with_their_parameters(truth):
    found = events_of(star(*(lens(*one) for one in truth)))
    assert len(found) == 2
    for one, (t_0, t_e) in zip(found, truth, strict=True):
        fit = one.verdict.fit
        error = np.sqrt(np.diag(fit.covariance))
        assert one.verdict.reason == "single_lens"
        assert abs(fit.t_0 - t_0) < 5 * error[0]
        assert abs(fit.t_E - t_e) < 5 * error[2]


def test_one_event_is_one():
    (found,) = events_of(star(lens(36.0, 6.0)))
    assert found.verdict.reason == "single_lens"


@pytest.mark.heavy
@pytest.mark.parametrize(
    "shapes",
    [
        [lens(t_0, 6.0) for t_0 in (36.0, 401.0, 1679.0)],
        pytest.param([outburst(20.0), outburst(220.0)], marks=pytest.mark.heavy),
        pytest.param([plateau(20.0), plateau(220.0)], marks=pytest.mark.heavy),
        pytest.param(
            [plateau(begin) for begin in (20.0, 200.0, 380.0, 1480.0, 1660.0, 1840.0)],
            marks=pytest.mark.heavy,
        ),
        [lambda time: 0.3 * np.sin(2 * np.pi * time / 400)],
        [lambda time: 0.1 * ((time > 20) & (time < 30)), lambda time: 0.1 * ((time > 220) & (time < 224))],
    ],
)
def test_what_comes_again_without_being_a_lens_is_refused(shapes):
    found = looked_at(star(*shapes))
    assert found
    assert not any(one.verdict.is_event for one in found)


def test_a_lens_keeps_its_row_where_something_else_brightens_too():
    """What is no lens does not become one because another is."""
    (found,) = events_of(star(lens(36.0, 8.0), lambda time: 0.02 * ((time > 1480) & (time < 1490))))
    assert abs(found.verdict.fit.t_0 - 36.0) < 0.1


def test_without_an_event_its_wings_are_the_constant_and_its_peak_is_missing():
    time = times(0.1)
    band = Band("F146", time, 100 * lensed(time, 30.0, 0.2, 5.0) + 20, np.full(time.size, 20.0))
    one = np.ones(1)
    fit = PointLensFit(30.0, 0.2, 5.0, 100 * one, 20 * one, 0.0, time.size, np.eye(3), True)
    (rest,) = without_event([band], fit)
    np.testing.assert_allclose(rest.flux, 120.0, rtol=1e-12)
    assert not np.any(np.abs(rest.time - 30.0) < 1.0)
    assert np.any(np.abs(rest.time - 30.0) < 10.0)
    # A tenth of the rise is left at the edges of what is missing.
    edge = np.abs(rest.time - 30.0).min()
    assert lensed(30.0 + edge, 30.0, 0.2, 5.0) - 1 == pytest.approx(
        0.1 * (lensed(30.0, 30.0, 0.2, 5.0) - 1), rel=0.1
    )
    # Where the points are so good that a tenth of the light matters, more is missing.
    (good,) = without_event([replace(band, error=np.ones(time.size))], fit)
    assert (lensed(good.time, 30.0, 0.2, 5.0) - 1).max() == pytest.approx(0.01 * 10, rel=0.1)


@pytest.mark.heavy
def test_far_events_have_a_model_each():
    found = events_of(star(lens(36.0, 8.0), lens(1679.0, 6.0)), modelled=True)
    assert [one.models[0].name.removesuffix("_parallax") for one in found] == ["1L1S", "1L1S"]
    for one, t_0 in zip(found, (36.0, 1679.0), strict=True):
        plain = next(model for model in one.models if model.name == "1L1S")
        assert abs(plain.value["t_0"] - t_0) < 5 * plain.error["t_0"]


@pytest.mark.heavy
def test_an_event_that_is_fitted_again_is_without_the_other():
    bands = star(lens(36.0, 8.0), lens(1679.0, 6.0))
    alone = [one for one in looked_at(bands) if one.verdict.is_event]
    assert len(alone) == 2
    for one in alone:
        again = fit_again(SkyCurve(1, 268.0, -29.0, bands), one.candidate)
        assert again.verdict.reason == "single_lens"
        assert again.models[0].complete
        assert again.models[0].value["t_0"] == pytest.approx(one.verdict.fit.t_0, abs=0.1)


def test_two_events_of_an_object_keep_their_rows(own_survey):
    """Two rows that are near each other in time, searched again in another order."""
    found = [one for one in looked_at(star(lens(26.0, 5.0), lens(46.0, 3.0))) if one.verdict.is_event]
    assert len(found) == 2
    object_id = int(own_survey.object_id[0])
    given = {"season": 1, "photometry_kind": "psf", "refinement_run": {}}
    place = SkyCurve(object_id, 268.0, -29.0, [])
    rows = []
    for order in (1, -1):
        # Time scales so long that each is within both.
        some = [
            replace(one, object_id=object_id, candidate=replace(one.candidate, t_eff=15.0)) for one in found
        ]
        with load_run("test", {}, 1) as run:
            load._store(run, given, [Ended(place, some[::order])])
        with session.reading() as connection:
            query = "SELECT t_0_guess, event_id FROM roman.event WHERE is_event AND object_id = :o"
            rows.append(dict(map(tuple, connection.execute(sa.text(query), {"o": object_id}))))
    assert rows[0] == rows[1]
    assert len(rows[0]) == 2
