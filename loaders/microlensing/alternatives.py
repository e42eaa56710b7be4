"""What else brightens: curves that compete with a lens for a light curve, by their best chi-squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from astropy.timeseries import LombScargle

from loaders.event_models.descent import fit_lens
from loaders.event_models.lens_fit import Parameters, Points
from loaders.stored_curve.band import Band, FloatArray

IntArray = npt.NDArray[np.int64]

_LONGEST_EXPONENT = 50.0

_OUTBURST = Parameters(
    ("t_0", "ln rise", "ln decay"),
    np.array([1e-4, 1e-3, 1e-3]),
    np.array([-np.inf, np.log(1e-3), np.log(1e-3)]),
    np.array([np.inf, np.log(1e3), np.log(1e3)]),
    np.array([1.0, 1.0, 1.0]),
)


def outburst_chi2(bands: Sequence[Band], t_0: float, t_eff: float) -> tuple[float, float]:
    """Best chi-square of an exponential rise and decay, and the ratio of their times.

    Flares and the outbursts of cataclysmic variables rise faster than they decay; a lens is symmetric.

    Parameters
    ----------
    bands
        The light curves.
    t_0, t_eff
        Time and effective time scale of the brightening, days.
    """
    points = Points.of(bands)
    best = min(
        (
            fit_lens(points, _outburst, _OUTBURST, np.array([t_0, np.log(rise), np.log(decay)]), 40)
            for rise, decay in ((0.3 * t_eff, 2 * t_eff), (t_eff, t_eff), (2 * t_eff, 0.3 * t_eff))
        ),
        key=lambda fit: fit.chi2,
    )
    return best.chi2, float(np.exp(abs(best.parameter[2] - best.parameter[1])))


def _outburst(parameter: FloatArray, time: FloatArray) -> FloatArray:
    """Exponential rise and decay, 1 at t_0; shape (1, n)."""
    off = time - parameter[0]
    exponent = np.where(off < 0, off / np.exp(parameter[1]), -off / np.exp(parameter[2]))
    return np.asarray(np.exp(np.maximum(exponent, -_LONGEST_EXPONENT)))[None]


def trend_chi2(bands: Sequence[Band]) -> float:
    """Chi-square of a parabola over all times in each element: stars that move, or drift.

    What is measured at a place of the light of a star that moves past it is, to second order in its distance
    from there, a parabola in time.
    """
    return sum(_parabola_chi2(band) for band in bands)


def _parabola_chi2(band: Band) -> float:
    if not len(band):
        return 0.0
    time = band.time - band.time.mean()
    time /= max(float(np.abs(time).max()), 1e-9)
    design = np.vander(time, 3) / band.error[:, None]
    value = band.flux / band.error
    fluxes = np.linalg.lstsq(design, value, rcond=None)[0]
    return float(np.sum((value - design @ fluxes) ** 2))


def step_chi2(bands: Sequence[Band]) -> float:
    """Best chi-square of a constant that changes at one time, and perhaps back at another: a bad pixel.

    The times are common to all elements. All pairs of 600 of them are tried, and then of those
    next to the best.
    """
    points = Points.of(bands)
    all_edges = np.unique(points.time)
    edges = all_edges[:: max(1, all_edges.size // _MOST_EDGES)]
    gain = _gain_of_steps(points, edges)
    if edges.size < all_edges.size:
        near = _beside(all_edges, edges, np.unravel_index(int(np.argmax(gain)), gain.shape))
        gain = _gain_of_steps(points, near)
    return float(np.sum(points.value**2) - gain.max())


def _beside(all_edges: FloatArray, edges: FloatArray, best: Sequence[np.intp]) -> FloatArray:
    """All times between the neighbours of those that were best of some, a number of them at most."""
    near = np.zeros(all_edges.size, dtype=bool)
    for k in best:
        low, high = edges[max(int(k) - 1, 0)], edges[min(int(k) + 1, edges.size - 1)]
        near |= (all_edges >= low) & (all_edges <= high)
    some = all_edges[near]
    return some[:: max(1, some.size // _MOST_EDGES)]


def _gain_of_steps(points: Points, edges: FloatArray) -> FloatArray:
    """By how much constants between two edges and outside lower the sum of squares, shape (n, n)."""
    gain = np.zeros((edges.size, edges.size))
    for part in points.slices:
        at = np.searchsorted(points.time[part], edges)
        weight = np.concatenate([[0.0], np.cumsum(points.scale[part] ** 2)])
        value = np.concatenate([[0.0], np.cumsum((points.value * points.scale)[part])])
        inside, sum_inside = (
            weight[at][None, :] - weight[at][:, None],
            value[at][None, :] - value[at][:, None],
        )
        outside, sum_outside = weight[-1] - inside, value[-1] - sum_inside
        with np.errstate(invalid="ignore", divide="ignore"):
            gain += np.nan_to_num(sum_inside**2 / inside, posinf=0.0)
            gain += np.nan_to_num(sum_outside**2 / outside, posinf=0.0)
    return np.triu(gain)


def hump_chi2(bands: Sequence[Band], t_0: float, t_eff: float) -> float:
    """Best chi-square of a parabola between two times and a constant outside: an error of some exposures.

    A lens has wings, and what goes wrong for a while has not. The times are common to all elements, and at
    most ten effective time scales from the brightening.

    Parameters
    ----------
    bands
        The light curves, condensed: 150 of their times are tried.
    t_0, t_eff
        Time and effective time scale of the brightening, days.
    """
    points = Points.of(bands)
    near = np.unique(points.time[np.abs(points.time - t_0) < _AROUND * t_eff])
    if near.size < 2:
        return np.inf
    edges = near[:: max(1, near.size // _HUMP_EDGES)]
    first, last = np.triu_indices(edges.size, 1)
    gain = np.zeros(first.size)
    for part in points.slices:
        at = np.searchsorted(points.time[part], edges)
        # Beyond all windows x does not matter, but its powers would drown the sums.
        x = np.clip((points.time[part] - t_0) / t_eff, -2 * _AROUND, 2 * _AROUND)
        gain += _gain_of_hump(x, points.value[part], points.scale[part], (at[first], at[last]))
    return float(np.sum(points.value**2) - gain.max())


def _gain_of_hump(
    x: FloatArray, value: FloatArray, scale: FloatArray, window: tuple[IntArray, IntArray]
) -> FloatArray:
    """By how much parabolas in windows and constants outside lower the sum of squares of an element."""
    first, last = window
    power = x[:, None] ** np.arange(5)
    sums = np.cumsum(np.vstack([np.zeros(5), scale[:, None] ** 2 * power]), axis=0)
    asked = np.cumsum(np.vstack([np.zeros(3), (value * scale)[:, None] * power[:, :3]]), axis=0)
    inside, asked_inside = sums[last] - sums[first], asked[last] - asked[first]
    matrix = inside[:, np.add.outer(np.arange(3), np.arange(3))]
    # Windows with fewer than three points have no parabola of their own: the ridge leaves what there is.
    matrix = matrix + np.eye(3) * (1e-9 * np.trace(matrix, axis1=1, axis2=2) + 1e-30)[:, None, None]
    parabola = np.linalg.solve(matrix, asked_inside[..., None])[..., 0]
    outside, asked_outside = sums[-1, 0] - inside[:, 0], asked[-1, 0] - asked_inside[:, 0]
    constant = np.divide(
        asked_outside**2, outside, out=np.zeros_like(outside), where=outside > 1e-9 * sums[-1, 0]
    )
    return np.asarray(np.sum(parabola * asked_inside, axis=1) + constant)


_MOST_EDGES = 600

_AROUND, _HUMP_EDGES = 10.0, 150


def periodic_chi2(band: Band, shortest: float, longest: float) -> tuple[float, float]:
    """Chi-square of the best wave with one overtone in an element, and its period.

    Parameters
    ----------
    band
        The light curve.
    shortest, longest
        Periods between which it is looked for, days.
    """
    if len(band) < 8 or longest <= shortest:
        return np.inf, np.nan
    mean = np.average(band.flux, weights=band.error**-2)
    total = float(np.sum(((band.flux - mean) / band.error) ** 2))
    periodogram = LombScargle(band.time, band.flux, band.error)
    frequency, power = periodogram.autopower(
        minimum_frequency=1 / longest, maximum_frequency=1 / shortest, samples_per_peak=5, method="fast"
    )
    if not power.size:
        return np.inf, np.nan
    at = frequency[np.argmax(power)]
    wave = LombScargle(band.time, band.flux, band.error, nterms=2)
    near = np.concatenate(
        [at * (1 + np.linspace(-1, 1, 9) * 2e-4), at / 2 * (1 + np.linspace(-1, 1, 9) * 2e-4)]
    )
    best = wave.power(near, method="chi2")
    return total * (1 - float(np.max(best))), float(1 / near[np.argmax(best)])
