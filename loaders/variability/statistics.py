"""Statistics of light curves that need the points themselves; those that add up are SQL over the summaries.

Definitions are those of the package ``light-curve`` (Malanchev et al. 2021, MNRAS 502, 5147), which names
their sources; fluxes take the place of magnitudes. All is computed in double precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.light_curve.block import FloatArray, FloatMatrix
from roman_db.compiled import compiled

#: Fields of the statistics of a light curve; NaN where there are too few points.
#:
#: ``n_point`` points; ``weighted_mean`` by inverse variances; ``standard_deviation`` of the sample;
#: ``median``; ``median_absolute_deviation`` about it; ``inter_quartile_range``; ``percentile_05`` and
#: ``percentile_95``; ``skewness`` and ``kurtosis`` without bias; ``reduced_chi2`` about the weighted mean;
#: ``excess_variance`` as a share of the squared mean (Nandra et al. 1997, ApJ 476, 70); ``von_neumann``
#: (1941, Ann. Math. Stat. 12, 367); ``stetson_k`` (1996, PASP 108, 851).
STATISTICS_DTYPE = np.dtype(
    [("n_point", "i8")]
    + [
        (name, "f8")
        for name in (
            "weighted_mean",
            "standard_deviation",
            "median",
            "median_absolute_deviation",
            "inter_quartile_range",
            "percentile_05",
            "percentile_95",
            "skewness",
            "kurtosis",
            "reduced_chi2",
            "excess_variance",
            "von_neumann",
            "stetson_k",
        )
    ]
)

StatisticsArray = npt.NDArray[np.void]


def describe(flux: FloatMatrix | FloatArray, flux_err: FloatMatrix | FloatArray) -> StatisticsArray:
    """Statistics of light curves.

    Parameters
    ----------
    flux, flux_err
        Shape (n_object, n_epoch), in order of time, one unit; points that are NaN, or have no error above
        zero, do not count.

    Returns
    -------
    numpy.ndarray
        Shape (n_object,), dtype `STATISTICS_DTYPE`.
    """
    out = np.empty(flux.shape[0], STATISTICS_DTYPE)
    table = np.full((flux.shape[0], len(STATISTICS_DTYPE.names or ())), np.nan)
    _describe_rows(flux, flux_err, table)
    for k, name in enumerate(STATISTICS_DTYPE.names or ()):
        out[name] = table[:, k]
    return out


@compiled()
def _describe_rows(flux: Any, flux_err: Any, out: Any) -> None:
    value, error = np.empty(flux.shape[1]), np.empty(flux.shape[1])
    for i in range(flux.shape[0]):
        n = 0
        for j in range(flux.shape[1]):
            if np.isfinite(flux[i, j]) and 0 < flux_err[i, j] < np.inf:
                value[n], error[n] = flux[i, j], flux_err[i, j]
                n += 1
        out[i, 0] = n
        if n > 0:
            _by_errors(value[:n], error[:n], out[i])
            _by_moments(value[:n], error[:n], out[i])
            _by_order(value[:n], out[i])


@compiled()
def _by_errors(value: Any, error: Any, out: Any) -> None:
    """Weighted mean, reduced chi-square and Stetson's K."""
    n = value.size
    weights, weighted = 0.0, 0.0
    for k in range(n):
        weight = 1.0 / error[k] ** 2
        weights += weight
        weighted += weight * value[k]
    mean = weighted / weights
    chi2, absolute = 0.0, 0.0
    for k in range(n):
        off = (value[k] - mean) / error[k]
        chi2 += off * off
        absolute += abs(off)
    out[1] = mean
    if n > 1:
        out[10] = chi2 / (n - 1)
    if chi2 > 0:
        out[13] = absolute / np.sqrt(n * chi2)


@compiled()
def _by_moments(value: Any, error: Any, out: Any) -> None:
    """Moments about the mean, excess variance, and successive differences."""
    n = value.size
    mean = value.mean()
    m2, m3, m4, noise, steps = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(n):
        d = value[k] - mean
        m2 += d * d
        m3 += d * d * d
        m4 += d * d * d * d
        noise += error[k] ** 2
        if k > 0:
            steps += (value[k] - value[k - 1]) ** 2
    if n < 2:
        return
    variance = m2 / (n - 1)
    out[2] = np.sqrt(variance)
    if mean != 0:
        out[11] = (variance - noise / n) / mean**2
    if variance == 0:
        return
    out[12] = steps / m2
    if n > 2:
        out[8] = n / ((n - 1.0) * (n - 2.0)) * m3 / variance**1.5
    if n > 3:
        scale = (n - 1.0) / ((n - 2.0) * (n - 3.0))
        out[9] = scale * ((n + 1.0) * n * m4 / (m2 * m2) - 3.0 * (n - 1.0))


@compiled()
def _by_order(value: Any, out: Any) -> None:
    """Median, percentiles and the median absolute deviation."""
    ordered = np.sort(value)
    middle = _quantile(ordered, 0.5)
    out[3] = middle
    out[5] = _quantile(ordered, 0.75) - _quantile(ordered, 0.25)
    out[6], out[7] = _quantile(ordered, 0.05), _quantile(ordered, 0.95)
    out[4] = _quantile(np.sort(np.abs(ordered - middle)), 0.5)


@compiled()
def _quantile(ordered: Any, share: float) -> float:
    """Quantile of sorted values by Hazen's rule: the k-th of n values is the quantile (k - 1/2) / n."""
    at = share * ordered.size - 0.5
    if at <= 0:
        return float(ordered[0])
    low = int(at)
    if low >= ordered.size - 1:
        return float(ordered[-1])
    return float(ordered[low] + (at - low) * (ordered[low + 1] - ordered[low]))


def stetson_j(
    first: tuple[FloatArray, FloatArray, FloatArray],
    second: tuple[FloatArray, FloatArray, FloatArray],
    within: float,
) -> float:
    """Stetson's J of pairs of points in two optical elements (1996, PASP 108, 851), all of one weight.

    ``J = Σ sgn(P) √|P| / n`` over pairs with ``P = δ₁ δ₂`` and ``δ = √(n / (n - 1)) (f - mean) / error``.

    Parameters
    ----------
    first, second
        Times in days, fluxes and errors in the elements, shape (n,) each, in order of time.
    within
        Greatest distance in time of the points of a pair, days; each point of the first has the nearest of
        the second.

    Returns
    -------
    float
        NaN where there is no pair.
    """
    if min(first[0].size, second[0].size) < 2:
        return float("nan")
    after = np.clip(np.searchsorted(second[0], first[0]), 1, second[0].size - 1)
    before = after - 1
    nearer = np.abs(second[0][before] - first[0]) <= np.abs(second[0][after] - first[0])
    partner = np.where(nearer, before, after)
    paired = np.abs(second[0][partner] - first[0]) <= within
    if not paired.any():
        return float("nan")
    product = (_residuals(*first[1:]) * _residuals(*second[1:])[partner])[paired]
    return float(np.mean(np.sign(product) * np.sqrt(np.abs(product))))


def _residuals(flux: FloatArray, error: FloatArray) -> FloatArray:
    """Stetson's δ of each point."""
    mean = np.average(flux, weights=1 / error**2)
    return np.asarray(np.sqrt(flux.size / (flux.size - 1)) * (flux - mean) / error)
