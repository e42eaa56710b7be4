"""Models of a bright simulated event with a planet, against its truth."""

import numpy as np
import pytest

from loaders.event_models.lens_fit import Points, solve_fluxes
from loaders.light_curve_simulation.magnify import magnification
from loaders.light_curve_simulation.simulate import Recipe, prepare, simulate
from loaders.microlensing.judge import judge
from loaders.microlensing.models import models_of
from loaders.microlensing.search import EventSearch
from loaders.stored_curve.band import usable_band, without_outliers

SEED, NUMBER = 20270917, 238
"""Of the part on which the search was tuned; the planet lowers chi-square by 1.4 million."""


def chi2_of_truth(curve, bands):
    """Chi-square of the true magnification, its fluxes being fitted."""
    points = Points.of(bands)
    true = np.empty(points.time.size)
    for name, part in zip(points.names, points.slices, strict=True):
        true[part] = magnification(dict(curve.truth), points.time[part], curve.ra, curve.dec, name)
    _, left = solve_fluxes(points, true[None])
    return float(left @ left)


@pytest.mark.heavy
def test_the_best_model_of_a_bright_planet_is_not_above_the_truth():
    curve = simulate(prepare(Recipe(SEED, {"planet": 1.0})), NUMBER)
    assert curve.split == "tune"
    bands = [
        without_outliers(usable_band(name, one.bjd_tdb, one.flux, one.flux_err, one.flags & 7))
        for name, one in curve.points.items()
    ]
    verdict = judge(bands, EventSearch().best(bands)[0])
    best = models_of(verdict, (curve.ra, curve.dec), sampled=False)[0]
    assert best.kind.name == "2L1S"
    assert best.complete
    assert best.chi2 < chi2_of_truth(curve, verdict.bands) + 5
    assert best.value["s"] == pytest.approx(curve.truth["s"], rel=2e-3)
    assert best.value["q"] == pytest.approx(curve.truth["q"], rel=2e-2)
