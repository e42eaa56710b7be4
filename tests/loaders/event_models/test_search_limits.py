"""What searches do where time runs out, and where strong parallax and a large source go together."""

from time import process_time

import numpy as np
import pytest

from loaders.event_models import binary_search
from loaders.event_models.limb import LIMB_DARKENING, coefficients
from loaders.event_models.rounds import Round, fit_round
from loaders.event_models.seeds import grid_seeds
from loaders.event_models.setting import Setting
from loaders.light_curve_simulation.simulate import Recipe, prepare, simulate
from loaders.microlensing.find import SkyCurve, look_at
from loaders.stored_curve.band import usable_band, without_outliers
from tests.loaders.event_models.mulens_curves import BEGIN, PLACE, bands_of

LENS = {"t_0": BEGIN + 20.0, "u_0": 0.1, "t_E": 8.0, "s": 1.1, "q": 0.01, "alpha": 70.0, "rho": 0.002}
AT = np.array([LENS["t_0"], 0.1, np.log(8.0), np.log(1.1), np.log(0.01), np.radians(70.0), np.log(0.002)])


def setting(until):
    return Setting(
        bands_of(LENS),
        *PLACE,
        LENS["t_0"],
        False,
        coefficients(["F146", "F087"], LIMB_DARKENING),
        until=until,
    )


def test_rounds_end_when_the_time_of_a_search_is_up():
    over = setting(process_time() - 1)
    assert fit_round([AT], Round(over.view(over.bands, 0.01), 5, 1, 0.1, 1.0)) == []
    begun, limit = process_time(), 0.4
    some = setting(begun + limit)
    fits = fit_round(
        [AT + 0.01 * k for k in range(500)], Round(some.view(some.bands, 1e-4), 30, 500, 1e-9, 1.0)
    )
    assert process_time() - begun < 10 * limit
    assert len(fits) < 500


@pytest.mark.heavy
@pytest.mark.parametrize("limit", [0.0, 2.0])
def test_a_search_whose_time_is_up_ends_without_an_error(limit, monkeypatch):
    monkeypatch.setattr(binary_search, "_MOST_TIME", limit)
    single = np.array([LENS["t_0"], 0.1, np.log(8.0)])
    own, fits = binary_search.companions(setting(np.inf), single)
    assert own.until == np.inf
    assert all(np.isfinite(fit.chi2) for fit in fits)


def test_a_round_leaves_time_for_the_next():
    view = setting(process_time() + 100.0).view(setting(np.inf).bands, 0.01)
    assert 20 < view.round_until - process_time() < 30


def test_a_grid_that_is_cut_has_seeds_of_what_was_tried():
    whole = setting(process_time() + 0.8)
    few = [band.take(np.arange(len(band)) % 40 == 0) for band in whole.bands]
    seeds = grid_seeds(whole.view(few, 0.05), np.array([*AT[:3]]), 0.002)
    assert seeds
    assert np.isfinite([seed.chi2 for seed in seeds]).all()
    assert len({float(seed.parameter[3]) for seed in seeds}) > 3


@pytest.mark.heavy
def test_a_large_source_with_strong_parallax_is_a_single_lens():
    """t_E = 192 days, π_E = 1.24: a light curve of a year that looks like one of seven weeks."""
    survey = prepare(Recipe(20270917, {"finite_source": 1.0}))
    curve = simulate(survey, 25)
    truth = dict(curve.truth)
    assert truth["t_E"] == pytest.approx(191.8, abs=0.1)
    bands = [
        without_outliers(usable_band(name, one.bjd_tdb, one.flux, one.flux_err, one.flags & 7))
        for name, one in curve.points.items()
    ]
    (found,) = look_at(SkyCurve(25, curve.ra, curve.dec, bands))
    best = found.models[0]
    assert best.kind.n_lens == best.kind.n_source == 1
    assert best.complete
    assert best.value["t_E"] == pytest.approx(truth["t_E"], rel=0.05)
    assert np.hypot(best.value["pi_E_N"], best.value["pi_E_E"]) == pytest.approx(
        np.hypot(truth["pi_E_N"], truth["pi_E_E"]), rel=0.05
    )
