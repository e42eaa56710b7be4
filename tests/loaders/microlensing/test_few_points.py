"""Candidates that rest on one or two points are refused before a fit; short lenses are not."""

import numpy as np
import pytest

from loaders.microlensing.few_points import rests_on_few
from loaders.microlensing.find import CANDIDATES, SkyCurve, look_at
from loaders.microlensing.search import Candidate, EventSearch
from loaders.stored_curve.band import Band
from tests.loaders.microlensing.curves import event

SEASONS = (0.0, 182.0)


def constant(seed=2):
    bands = event(1e6, 1.0, 1.0, rng=np.random.default_rng(seed), seasons=SEASONS)
    return [Band(b.name, b.time, b.flux - np.mean(b.flux) + 100.0, b.error) for b in bands]


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_points_are_few_and_need_no_fit(count):
    bands = constant()
    bands[1].flux[60 : 60 + count] += 40.0
    (best,) = EventSearch().best(bands, 1, 5.0)
    assert best.gain > 150
    assert rests_on_few(bands, best)
    found = look_at(SkyCurve(1, 268.0, -29.0, bands))
    assert found[0].verdict.reason == "few_points"
    assert np.isnan(found[0].verdict.gain)


def test_six_points_are_not_few():
    bands = constant()
    bands[0].flux[600:606] += 10.0
    (best,) = EventSearch().best(bands, 1, 5.0)
    assert not rests_on_few(bands, best)


@pytest.mark.parametrize(("u_0", "t_e"), [(0.5, 0.06), (0.1, 0.1), (0.8, 5.0)])
def test_a_short_lens_does_not_rest_on_few(u_0, t_e):
    bands = event(30.0, u_0, t_e, rng=np.random.default_rng(3), seasons=SEASONS)
    (best,) = EventSearch().best(bands, 1, 5.0)
    assert not rests_on_few(bands, best)


def test_outliers_do_not_keep_an_event_from_being_looked_at():
    """More single points of a sparse element than candidates are looked at, all of them stronger."""
    bands = event(30.0, 0.6, 1.0, error=40.0, rng=np.random.default_rng(3), seasons=SEASONS)
    for place in np.linspace(150, 500, 2 * CANDIDATES).astype(int):
        bands[1].flux[place] += 40.0 * 80.0
    found = look_at(SkyCurve(1, 268.0, -29.0, bands), modelled=False)
    assert sum(one.verdict.reason == "few_points" for one in found) >= CANDIDATES
    assert found[-1].verdict.is_event
    assert abs(found[-1].verdict.fit.t_0 - 30.0) < 0.1


@pytest.mark.parametrize("count", [0, 1, 2])
def test_less_than_three_points_are_few(count):
    band = Band("F146", np.arange(float(count)), np.ones(count), np.ones(count))
    assert rests_on_few([band] if count else [], Candidate(1.0, 1.0, 60.0, 1))
