"""General fits of lenses against the special one, condensed light curves, and parallax against truth."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.event_models.condense import condense
from loaders.event_models.descent import fit_lens
from loaders.event_models.lens_fit import Parameters, Points, TimeIsUp, solve_fluxes
from loaders.event_models.parallax_fit import fit_parallax
from loaders.event_models.point_lens import fit_point_lens, magnification
from loaders.lens.parallax import offsets, shifts
from loaders.stored_curve.band import Band
from tests.loaders.microlensing.curves import event, lensed, times

LENS = Parameters(
    ("t_0", "u_0", "t_E"),
    np.full(3, 1e-4),
    np.array([-np.inf, 1e-3, 0.1]),
    np.array([np.inf, 5.0, 1e3]),
    np.array([1.0, 0.2, 5.0]),
)


def single_lens(parameter, time):
    return lensed(time, *parameter)[None]


def test_the_general_fit_ends_where_the_special_one_does():
    bands = event(40.0, 0.4, 10.0, error=3.0, rng=np.random.default_rng(1), seasons=(0.0,), interval=0.1)
    special = fit_point_lens(bands, 40.2, 4.0, 0.3)
    general = fit_lens(Points.of(bands), single_lens, LENS, np.array([40.3, 0.5, 8.0]))
    assert general.converged
    assert general.chi2 == pytest.approx(special.chi2, abs=0.02)
    assert general.parameter == pytest.approx([special.t_0, special.u_0, special.t_E], rel=1e-3)
    assert np.sqrt(np.diag(general.covariance)) == pytest.approx(
        np.sqrt(np.diag(special.covariance)), rel=0.02
    )
    assert general.flux[:, 0] == pytest.approx(special.source_flux, rel=1e-3)


def test_fluxes_are_those_of_least_squares_and_no_source_is_below_zero():
    bands = event(40.0, 0.4, 10.0, seasons=(0.0,), interval=0.1)
    points = Points.of(bands)
    flux, residual = solve_fluxes(points, lensed(points.time, 40.0, 0.4, 10.0)[None])
    assert flux == pytest.approx(np.array([[100, 20], [30, 0], [50, 10]]), abs=1e-6)
    assert np.abs(residual).max() < 1e-6
    dark = [Band(band.name, band.time, -band.flux, band.error) for band in bands]
    flux, _ = solve_fluxes(Points.of(dark), lensed(points.time, 40.0, 0.4, 10.0)[None])
    assert np.all(flux[:, 0] == 0)


def test_condensing_keeps_weights_and_light_and_the_shape_of_the_curve():
    rng = np.random.default_rng(2)
    bands = event(200.0, 0.2, 12.0, error=1.0, rng=rng)
    few = condense(bands, 200.0, 2.4, 12.0)
    assert sum(map(len, few)) < 0.1 * sum(map(len, bands))
    for before, after in zip(bands, few, strict=True):
        weight = after.error**-2.0
        assert weight.sum() == pytest.approx((before.error**-2.0).sum())
        assert weight @ after.flux == pytest.approx((before.error**-2.0) @ before.flux)
    whole, part = (fit_point_lens(some, 200.0, 2.4, 0.3) for some in (bands, few))
    error = np.sqrt(np.diag(whole.covariance))
    off = np.array([part.t_0 - whole.t_0, part.u_0 - whole.u_0, part.t_E - whole.t_E])
    assert np.all(np.abs(off) < 0.5 * error)


def test_a_constant_condenses_to_itself():
    time = times(0.1)
    (few,) = condense([Band("F146", time, np.full(time.size, 7.0), np.ones(time.size))], 30.0, 1.0, 5.0)
    assert few.flux == pytest.approx(7.0)


@pytest.mark.parametrize(("north", "east", "u_0"), [(0.15, -0.1, 0.3), (-0.1, 0.2, -0.25)])
def test_parallax_is_found_where_it_is(north, east, u_0):
    rng = np.random.default_rng(3)
    ra, dec, t_0, t_e = 268.0, -29.2, 2_461_490.0, 40.0
    bands = []
    for name, step in (("F146", 0.05), ("F087", 0.25)):
        time = 2_461_450.0 + times(step)
        tau, beta = shifts(offsets(time, ra, dec, t_0), north, east)
        flux = 500.0 * magnification(np.hypot((time - t_0) / t_e + tau, u_0 + beta)) + 100.0
        bands.append(Band(name, time, flux + rng.normal(size=time.size), np.ones(time.size)))
    start = fit_point_lens(bands, t_0, 0.3 * t_e, 0.3)
    found = fit_parallax(bands, ra, dec, start)
    assert found.fit.chi2 < start.chi2 - 100
    assert found.fit.chi2 == pytest.approx(sum(map(len, bands)), rel=0.05)
    # The frame is that of the fit's own reference time, which is not the truth's to the last digit.
    assert np.hypot(found.fit.parameter[3], found.fit.parameter[4]) == pytest.approx(
        np.hypot(north, east), abs=0.03
    )


def test_what_was_known_before_counts_like_a_further_point():
    """A fit with a prior is one of the points and of one more, whose value is zero."""
    rng = np.random.default_rng(3)
    time = np.linspace(-30.0, 30.0, 200)
    flux = 300 * single_lens([0.4, 0.3, 9.0], time)[0] + 50 + rng.normal(size=200) * 4
    points = Points.of([Band("F146", time, flux, np.full(200, 4.0))])
    begin = np.array([0.0, 0.4, 8.0])
    known = replace(LENS, prior=np.array([0.05, np.inf, np.inf]))
    free, held = (fit_lens(points, single_lens, one, begin) for one in (LENS, known))
    # Near the best place chi-square is a parabola: the prior and the points share the shift by their weights.
    share = free.covariance[0, 0] / (free.covariance[0, 0] + 0.05**2)
    moved = free.parameter - free.covariance[:, 0] * free.parameter[0] / (free.covariance[0, 0] + 0.05**2)
    assert held.parameter == pytest.approx(moved, rel=0.02)
    assert held.covariance[0, 0] == pytest.approx(free.covariance[0, 0] * (1 - share), rel=0.02)
    assert held.surprise == pytest.approx((held.parameter[0] / 0.05) ** 2)
    assert held.loss == held.chi2 + held.surprise
    assert held.chi2 > free.chi2 == free.loss


@pytest.mark.parametrize("calls", [2, 6, 9])
def test_a_fit_whose_time_is_up_ends_with_what_it_has(calls):
    bands = event(40.0, 0.4, 10.0, error=3.0, rng=np.random.default_rng(1), seasons=(0.0,), interval=0.1)
    made = []

    def until(parameter, time):
        if len(made) == calls:
            raise TimeIsUp
        made.append(parameter)
        return single_lens(parameter, time)

    begin, points = np.array([40.3, 0.5, 8.0]), Points.of(bands)
    fit = fit_lens(points, until, LENS, begin)
    assert not fit.converged
    left = [float(np.sum(solve_fluxes(points, single_lens(one, points.time))[1] ** 2)) for one in made]
    assert fit.chi2 <= left[0]
    assert min(abs(one - fit.chi2) for one in left) < 1e-6


def test_a_fit_without_any_time_has_nothing():
    bands = event(40.0, 0.4, 10.0, error=3.0, rng=np.random.default_rng(1), seasons=(0.0,), interval=0.1)

    def never(parameter, time):
        raise TimeIsUp

    with pytest.raises(TimeIsUp):
        fit_lens(Points.of(bands), never, LENS, np.array([40.3, 0.5, 8.0]))
