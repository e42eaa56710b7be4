"""The period of a star from its light curves in all optical elements.

In each element a constant and a sinusoid are fitted at every frequency, and the fall of chi-square is added
over the elements: the multi-band periodogram with a model of its own in each band (VanderPlas & Ivezić 2015,
ApJ 812, 18, Eq. 19 with N_base = 0). The sums over points are those of nifty-ls (Garrison et al. 2024, RNAAS
8, 250). At the best frequencies Fourier series are fitted, as eclipses and sawtooths want them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from nifty_ls import lombscargle
from scipy.special import gammaincc, gammaln

from loaders.stored_curve.band import Band

FloatArray = npt.NDArray[np.float64]

#: Terms of the Fourier series by which frequencies are compared, and by which the best is described.
TERMS, MANY_TERMS = 2, 6

#: Highest frequency, cycles a day: a period of 36 minutes.
HIGHEST = 40.0

#: Cycles that the light curve must hold.
FEWEST_CYCLES = 2.0

_FEWEST_POINTS = 12
"""Points of an element that counts."""

_STEPS = 6.0
"""Frequencies tried for each that are independent."""

_CANDIDATES = 12
"""Peaks of the periodogram that are looked at."""

_FINE = 12
"""Frequencies on either side of one at which the series is tried within a step of the grid."""

_POINTS_A_TERM = 10
"""Points that an element must have for each term of its series."""

_MARGIN = 40.0
"""By how much chi-square, of errors that are right, may be worse at a multiple of the best frequency that is
chosen nevertheless."""

_MULTIPLES = (6, 4, 3, 2)


@dataclass(frozen=True)
class Period:
    """The best period of a star.

    Parameters
    ----------
    period, error
        Days; the error is that where chi-square, scaled to fit, is one more.
    log_false_alarm
        Decimal logarithm of the probability that white noise does as well somewhere: of red noise, and of
        what happens once, it says nothing.
    explained
        Share of chi-square beyond noise that the Fourier series explain, 0 to 1.
    amplitude
        Greatest less least flux of the series in the element with most points, over its mean flux.
    element
        That element.
    n_point
        Points of all elements that count.
    """

    period: float
    error: float
    log_false_alarm: float
    explained: float
    amplitude: float
    element: str
    n_point: int


def find_period(bands: Sequence[Band]) -> Period | None:
    """Find the period with which the light curves of a star are explained best.

    Parameters
    ----------
    bands
        The light curves; elements with fewer than 12 points do not count.

    Returns
    -------
    Period or None
        The best period, be it significant or not; None where points are too few, or all alike.
    """
    found = periodogram(bands)
    return None if found is None else period_at_best(bands, *found)


def periodogram(bands: Sequence[Band]) -> tuple[FloatArray, FloatArray] | None:
    """The frequencies that are tried for a star, and by how much sinusoids lower chi-square at each.

    Parameters
    ----------
    bands
        As of `find_period`.

    Returns
    -------
    frequency, gain
        Shape (n,): cycles a day, evenly spaced, and falls of chi-square; None where points are too few, or
        all alike.
    """
    bands = _counting(bands)
    frequency = _grid(bands)
    return None if frequency.size < 2 else (frequency, fall_of_chi2(bands, frequency))


def period_at_best(bands: Sequence[Band], frequency: FloatArray, gain: FloatArray) -> Period:
    """The period of `find_period` from the `periodogram` of the same light curves."""
    bands = _counting(bands)
    step = float(frequency[1] - frequency[0])
    peaks = _peaks(frequency, gain)
    sinusoid = max(_gain_at(bands, one, 1) for one in peaks)
    best = _refined(bands, max(peaks, key=lambda one: _gain_at(bands, one)), step)
    if best / 2 >= frequency[0]:
        best = _refined(bands, best / 2, step)
    return _described(bands, _shortest(bands, best, frequency), sinusoid, float(frequency[-1]))


def _counting(bands: Sequence[Band]) -> list[Band]:
    """The elements that have points enough, not all alike."""
    return [band for band in bands if len(band) >= _FEWEST_POINTS and np.ptp(band.flux) > 0]


def _peaks(frequency: FloatArray, gain: FloatArray) -> list[float]:
    """The best frequencies of those that are better than their neighbours."""
    inner = gain[1:-1]
    top = 1 + np.flatnonzero((inner >= gain[:-2]) & (inner > gain[2:]))
    top = np.append(top, np.argmax(gain))
    order = top[np.argsort(-gain[top], kind="stable")][:_CANDIDATES]
    return [float(one) for one in frequency[order]]


def fall_of_chi2(bands: Sequence[Band], frequency: FloatArray) -> FloatArray:
    """By how much sinusoids lower the chi-square of constants at evenly spaced frequencies.

    Parameters
    ----------
    bands
        The light curves.
    frequency
        Shape (n,): cycles a day, evenly spaced.

    Returns
    -------
    ndarray
        Shape (n,): sum over the elements. Where even sampling does not tell a sinusoid from a constant it is
        not to be relied on.
    """
    total = np.zeros(frequency.size)
    for band in bands:
        first, last = float(frequency[0]), float(frequency[-1])
        found = lombscargle(
            *(band.time - band.time[0], band.flux, band.error, first, last, frequency.size),
            **{"backend": "finufft", "nthreads": 1},
        )
        total += np.clip(np.nan_to_num(found.power), 0, 1) * _chi2_of_constant(band)
    return total


def log_false_alarm(gain: float, bands: Sequence[Band], highest: float) -> float:
    """Decimal logarithm of the probability that noise lowers chi-square by so much at some frequency.

    The fall at one frequency follows a chi-square distribution; how often it rises above a level over all
    frequencies bounds the rest (Davies 1987, Biometrika 74, 33; Baluev 2008, MNRAS 385, 1279, for one
    element).

    Parameters
    ----------
    gain
        Fall of chi-square, of right errors.
    bands
        The light curves.
    highest
        Highest frequency tried, cycles a day.
    """
    dimensions = len(bands)
    z = max(gain / 2, 1e-9)
    time = np.concatenate([band.time for band in bands])
    width = highest * np.sqrt(4 * np.pi * np.var(time))
    log_rises = np.log(width) + (dimensions - 0.5) * np.log(z) - z - gammaln(dimensions)
    single = float(gammaincc(dimensions, z))
    if log_rises < -30 and single < 1e-12:
        return float(np.logaddexp(log_rises, _log_tail(dimensions, z)) / np.log(10))
    probability = 1 - (1 - single) * np.exp(-np.exp(min(log_rises, 50.0)))
    return float(np.log10(max(probability, 1e-300)))


def _log_tail(dimensions: int, z: float) -> float:
    """Logarithm of the upper tail of the gamma distribution, far out."""
    return float((dimensions - 1) * np.log(z) - z - gammaln(dimensions))


def _grid(bands: Sequence[Band]) -> FloatArray:
    """Evenly spaced frequencies, cycles a day; none where there is no room for any."""
    if not bands:
        return np.empty(0)
    time = np.concatenate([band.time for band in bands])
    span = float(np.ptp(time))
    if span <= 0:
        return np.empty(0)
    densest = max(bands, key=len)
    highest = min(HIGHEST, 0.5 / float(np.median(np.diff(densest.time))))
    step = 1 / (_STEPS * span)
    return np.asarray(FEWEST_CYCLES / span + step * np.arange(int((highest - FEWEST_CYCLES / span) / step)))


def _refined(bands: Sequence[Band], frequency: float, step: float) -> float:
    """The best frequency within a step of one."""
    near = frequency + step * np.linspace(-1, 1, 2 * _FINE + 1)
    return float(near[np.argmax([_gain_at(bands, one) for one in near])])


def _shortest(bands: Sequence[Band], best: float, grid: FloatArray) -> float:
    """The highest multiple of a frequency that explains the light curves nearly as well.

    The second term of a series of twice the period is a star's first; but where minima differ, only the
    longer period has both.
    """
    gain = _gain_at(bands, best, MANY_TERMS)
    enough = gain - _MARGIN * _scale(bands, gain)
    for multiple in _MULTIPLES:
        other = multiple * best
        if other <= grid[-1]:
            other = _refined(bands, other, float(grid[1] - grid[0]))
            # Its series is what the longer one would be without the terms between.
            if _gain_at(bands, other, max(MANY_TERMS // multiple, 1)) >= enough:
                return other
    return best


def _described(bands: Sequence[Band], frequency: float, gain: float, highest: float) -> Period:
    """What is said of a frequency; the fall of chi-square by a sinusoid is that of the search."""
    count = sum(len(band) for band in bands)
    constant = sum(_chi2_of_constant(band) for band in bands)
    by_series = _gain_at(bands, frequency, MANY_TERMS)
    free = _free(bands, MANY_TERMS)
    scale = _scale(bands, by_series)
    densest = max(bands, key=len)
    curve = _series(densest, frequency)
    return Period(
        period=1 / frequency,
        error=_error(bands, frequency, scale) / frequency**2,
        log_false_alarm=log_false_alarm(gain / scale, bands, highest),
        explained=float(np.clip(by_series / max(constant - free, by_series, 1e-9), 0, 1)),
        amplitude=float(np.ptp(curve) / abs(np.average(densest.flux, weights=densest.error**-2))),
        element=densest.name,
        n_point=count,
    )


def _scale(bands: Sequence[Band], gain: float) -> float:
    """Reduced chi-square of what the series leave, at least 1."""
    left = sum(_chi2_of_constant(band) for band in bands) - gain
    return max(left / max(_free(bands, MANY_TERMS), 1), 1.0)


def _terms(band: Band, most: int) -> int:
    """Terms that an element has points for."""
    return max(1, min(most, len(band) // _POINTS_A_TERM))


def _free(bands: Sequence[Band], terms: int) -> int:
    """Degrees of freedom that series leave."""
    return sum(len(band) - 2 * _terms(band, terms) - 1 for band in bands)


def _error(bands: Sequence[Band], frequency: float, scale: float) -> float:
    """Standard error of a frequency from how chi-square bends there."""
    span = float(np.ptp(np.concatenate([band.time for band in bands])))
    step = 0.02 / span
    below, at, above = (_gain_at(bands, frequency + k * step) for k in (-1, 0, 1))
    bend = (2 * at - below - above) / step**2
    return float(np.sqrt(2 * scale / bend)) if bend > 0 else float("nan")


def _chi2_of_constant(band: Band) -> float:
    mean = np.average(band.flux, weights=band.error**-2)
    return float(np.sum(((band.flux - mean) / band.error) ** 2))


def _design(time: FloatArray, frequency: float, terms: int) -> FloatArray:
    """Columns of a constant and the Fourier series, shape (n, 2 terms + 1)."""
    angle = 2 * np.pi * frequency * np.multiply.outer(time - time[0], np.arange(1, terms + 1))
    return np.column_stack([np.ones(time.size), np.sin(angle), np.cos(angle)])


def _fit(band: Band, frequency: float, terms: int) -> tuple[FloatArray, float]:
    """Coefficients of the series that fits best, and by how much it lowers chi-square."""
    weight = band.error**-2
    design = _design(band.time, frequency, _terms(band, terms))
    flux = band.flux - np.average(band.flux, weights=weight)
    right = design.T @ (weight * flux)
    # Even sampling may leave columns alike: then the shortest solution is one of the best.
    found = np.linalg.lstsq((design * weight[:, None]).T @ design, right, rcond=1e-10)[0]
    return np.asarray(found), float(found @ right)


def _gain_at(bands: Sequence[Band], frequency: float, terms: int = TERMS) -> float:
    """Fall of chi-square at one frequency."""
    return sum(_fit(band, frequency, terms)[1] for band in bands)


def _series(band: Band, frequency: float) -> FloatArray:
    """The series over one cycle."""
    coefficients, _ = _fit(band, frequency, MANY_TERMS)
    phase = band.time[0] + np.linspace(0, 1, 200) / frequency
    return np.asarray(_design(phase, frequency, (coefficients.size - 1) // 2) @ coefficients)
