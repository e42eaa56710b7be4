"""Templates against single lenses, VBMicrolensing and light curves that are made here."""

import numpy as np
import pytest
import VBMicrolensing

from loaders.event_models.template_kernels import clocks_of, loss_of, magnified, matched, peaks_of, span_of
from loaders.event_models.templates import peak_times, template_seeds
from loaders.stored_curve.band import Band

STEP = 0.02
X, Y = np.arange(-2, 2, STEP), np.arange(0, 1.2, STEP)


def single(u):
    return (u * u + 2) / (u * np.sqrt(u * u + 4))


def map_of_one():
    return np.minimum(single(np.maximum(np.hypot(X[:, None], Y), 1e-2)), 30).astype(np.float32)


@pytest.mark.parametrize("place", [(0.511, 0.333), (-0.707, -0.45), (5.0, 1.0), (0.3, -2.0)])
def test_between_pixels_and_beyond_the_map_the_magnification_is_that_of_one_lens(place):
    found = magnified(map_of_one(), (-2.0, STEP), *place)
    assert found == pytest.approx(single(np.hypot(*place)), rel=3e-3)


def test_peaks_are_those_between_which_a_curve_falls():
    value = np.array([0, 1, 5, 4.9, 5.2, 1, 3, 0, 9.0, 2, 8])
    found = np.empty(5, dtype=np.int64)
    number = peaks_of(value, np.full(value.size, 1.0), found)
    # 5 and 5.2 are one; the last point has nothing after it.
    np.testing.assert_array_equal(found[:number], [4, 6, 8])


def test_of_many_peaks_the_highest_are_kept_in_order():
    value = np.zeros(21)
    value[1::2] = [3, 9, 2, 8, 1, 7, 4, 5, 6, 0.5]
    found = np.empty(3, dtype=np.int64)
    assert peaks_of(value, np.full(21, 0.1), found) == 3
    np.testing.assert_array_equal(found, [3, 7, 11])


def test_the_span_of_a_triangle_is_known():
    """Light that rises from 0 to 2 and falls to 4: a share of a half x² has come by x."""
    time = np.sort(np.concatenate([[-3.0, 9.0], np.linspace(0, 4, 400) ** 1.1 / 4**0.1]))
    begin, end = span_of(time, np.interp(time, [0, 2, 4], [0, 2, 0]), 0.125)
    assert (begin, end) == (pytest.approx(1.0, abs=0.02), pytest.approx(3.0, abs=0.02))


def test_the_loss_is_that_of_the_best_fluxes_and_a_dark_source_has_none():
    rng = np.random.default_rng(1)
    curve, error = rng.uniform(1, 5, 30), np.full(30, 0.5)
    flux = 7 * curve + 3 + error * rng.normal(size=30)
    source, blend = np.linalg.lstsq(np.column_stack([curve, np.ones(30)]), flux, rcond=None)[0]
    left = (flux - source * curve - blend) / error
    points = np.arange(30.0), flux, error**-2.0
    assert loss_of(curve, points) == pytest.approx(np.sum(np.log1p(left**2 / 9)))
    assert loss_of(-curve, points) == np.inf


def test_two_peaks_are_put_where_two_others_are():
    tau, peaks = np.array([-0.5, 0.2, 1.0]), np.array([10.0, 24.0])
    clocks = np.empty((50, 2))
    number = clocks_of(tau, (peaks, np.empty(0)), (0.5, 18.0), clocks)
    # 14 days are 0.7, 0.8 or 1.5 Einstein times: of 20, 17.5 or 9.3 days, the first of which is too long.
    expected = [(pair, 14 / (tau[pair[1]] - tau[pair[0]])) for pair in ((0, 1), (0, 2), (1, 2))]
    expected = [(pair, t_e) for pair, t_e in expected if t_e < 18]
    assert number == len(expected) == 2
    for (t_0, t_e), (pair, pace) in zip(clocks[:number], expected, strict=True):
        assert t_e == pytest.approx(pace)
        np.testing.assert_allclose((peaks - t_0) / t_e, tau[list(pair)], atol=1e-12)


def test_one_peak_is_put_at_another_at_any_pace():
    clocks = np.empty((50, 2))
    number = clocks_of(np.array([-0.5, 0.3]), (np.array([7.0]), np.array([2.0, 9.0])), (0.5, 500.0), clocks)
    found = {(round(t_0, 9), t_e) for t_0, t_e in clocks[:number]}
    assert found == {(8.0, 2.0), (11.5, 9.0), (6.4, 2.0), (4.3, 9.0)}


@pytest.mark.heavy
def test_a_path_is_put_where_the_light_is():
    """Of a single lens, whose light curve has one peak: t_0 and t_E by when most of the light comes."""
    t_0, t_e = 3.0, 8.0
    time = np.arange(-30, 36, 0.25)
    flux = 50 * single(np.hypot((time - t_0) / t_e, 0.3)) + 20
    light = flux - flux[0]
    anchors = np.array([3.0]), span_of(time, light, 0.15), 0.15, np.empty(0)
    best = np.empty((1, 1, 3))
    paths = np.array([0.7]), np.array([0.3])
    points = time, flux, np.full(time.size, 1.0)
    matched(map_of_one(), (-2.0, STEP), paths, points, anchors, (0.5, 500.0), best)
    assert best[0, 0, 0] == pytest.approx(t_0, abs=0.1)
    assert best[0, 0, 1] == pytest.approx(t_e, rel=0.15)


def crossed(number=600):
    """A source that crosses the caustic of two stars: a light curve by VBMicrolensing, and its parameters."""
    engine = VBMicrolensing.VBMicrolensing()
    s, q, u_0, alpha, rho = 0.95, 0.4, 0.05, 2.0, 0.005
    tau = np.linspace(-2, 2, number)
    x = -tau * np.cos(alpha) + u_0 * np.sin(alpha)
    y = -tau * np.sin(alpha) - u_0 * np.cos(alpha)
    curve = np.array([engine.BinaryMag2(s, q, a, b, rho) for a, b in zip(x, y, strict=True)])
    flux = 1000 * curve + 500
    band = Band("F146", 2_461_500 + 20 * tau, flux, 10 + 0.03 * (flux - flux.min()))
    return band, np.array([2_461_500, u_0, np.log(20.0), np.log(s), np.log(q), alpha, np.log(rho)])


def test_the_peaks_of_a_light_curve_are_its_caustic_crossings():
    band, _ = crossed()
    peaks = peak_times(band)
    assert 2 <= peaks.size <= 5
    rise = np.diff(band.flux) / np.ptp(band.flux)
    steep = band.time[1:][np.abs(rise) > 0.1]
    assert all(np.abs(steep - peak).min() < 0.5 for peak in peaks[[0, -1]])


@pytest.mark.heavy
def test_two_stars_are_among_the_best_templates():
    band, truth = crossed()
    seeds = template_seeds(band, 0.1, 24)
    assert [seed.chi2 for seed in seeds] == sorted(seed.chi2 for seed in seeds)
    off = np.abs(np.array([seed.parameter[2:5] for seed in seeds]) - truth[2:5])
    like = (off < [0.25, 0.25, 1.0]).all(axis=1)
    assert like[:6].any()
    assert np.exp(seeds[0].parameter[6] + seeds[0].parameter[2]) == pytest.approx(0.1)


@pytest.mark.heavy
def test_seeds_are_not_like_each_other():
    band, _ = crossed(200)
    seeds = template_seeds(band, 0.1, 24)
    assert len(seeds) == 24
    for k, one in enumerate(seeds):
        for other in seeds[:k]:
            off = np.abs(one.parameter[3:6] - other.parameter[3:6])
            off[2] = min(off[2], 2 * np.pi - off[2])
            assert (off > [0.19, 0.99, 0.39]).any()
