"""The density of stars around the red clump, and how its logarithm changes with the parameters.

In magnitude *m* the giant branch is exponential and the clump with its companions Gaussian, as in Nataf et
al. (2013, ApJ 769, 88, section 4); in colour *c* each is Gaussian about a line, and a uniform part takes what
is neither, stars in front of the bulge for the most::

    p = (1 - o) [(1 - f) E(m) N(c; q + d + t x, v) + f G(m) N(c; line, s)] + o E(m) / width in colour

with *x = m - M*; the line is *q + r x* for the clump (*s*: its own width) and that of the giant branch for
its companions. E and G are normalised to the interval of magnitudes.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]

#: Order of the parameters: M, ln sigma, slope of E, logit f, q, r, ln s, d, t, ln v, logit o.
NAMES = (
    "magnitude", "log_sigma", "slope", "logit_clump", "colour", "tilt", "log_width", "branch_offset",
    "branch_tilt", "log_branch_width", "logit_other",
)  # fmt: skip
N_PARAMETER = len(NAMES)

_ROOT_TWO_PI = math.sqrt(2 * math.pi)


@compiled()
def _exponential(slope: float, low: float, high: float) -> tuple[float, float]:
    """Logarithm of the integral of exp(slope m), and its derivative by the slope; low < 0 < high."""
    if abs(slope) < 1e-6:
        return math.log(high - low), (high + low) / 2
    top, bottom = math.exp(slope * high), math.exp(slope * low)
    norm = (top - bottom) / slope
    return math.log(norm), (high * top - low * bottom) / (top - bottom) - 1 / slope


@compiled()
def _gaussians(
    magnitude: float, sigma: float, offset: FloatArray, weight: FloatArray, low: float, high: float
) -> tuple[float, float, float]:
    """Integral of weighted Gaussians over an interval, and its logarithm's derivatives by M, ln sigma."""
    total, by_magnitude, by_log_sigma = 0.0, 0.0, 0.0
    for k in range(offset.size):
        a, b = (low - magnitude - offset[k]) / sigma, (high - magnitude - offset[k]) / sigma
        pa, pb = math.exp(-a * a / 2) / _ROOT_TWO_PI, math.exp(-b * b / 2) / _ROOT_TWO_PI
        total += weight[k] * (math.erf(b / math.sqrt(2)) - math.erf(a / math.sqrt(2))) / 2
        by_magnitude += weight[k] * (pa - pb) / sigma
        by_log_sigma += weight[k] * (a * pa - b * pb)
    total = max(total, 1e-12)
    return total, by_magnitude / total, by_log_sigma / total


@compiled()
def _add(
    score: FloatArray, share: float, place: float, tilt: float, x: float, names: tuple[int, int]
) -> None:
    """Add what a Gaussian in colour contributes to the score: u of its mean, and its width and tilt."""
    width, slope = names
    score[4] += share * place
    score[0] -= share * place * tilt
    score[slope] += share * place * x
    score[width] += share


@compiled()
def log_density(
    theta: FloatArray, star: FloatArray, window: FloatArray, offset: FloatArray, weight: FloatArray,
    score: FloatArray,
) -> FloatArray:  # fmt: skip
    """Logarithm of the density of each star, shape (n,); its derivatives go to ``score``.

    Parameters
    ----------
    theta
        Shape (11,): the parameters in the order of `NAMES`; the zero of magnitudes lies in the window.
    star
        Shape (n, 2): magnitudes and colours.
    window
        Shape (3,): ends of the interval of magnitudes, and width of that of colours.
    offset, weight
        Shape (k,): the clump (0, 1), then its companions: magnitudes fainter, numbers over the clump's.
    score
        Shape (n, 11), overwritten.
    """
    low, high, span = window
    sigma, s, v = math.exp(theta[1]), math.exp(theta[6]), math.exp(theta[9])
    f, o = 1 / (1 + math.exp(-theta[3])), 1 / (1 + math.exp(-theta[10]))
    log_norm, norm_slope = _exponential(theta[2], low, high)
    total, total_magnitude, total_sigma = _gaussians(theta[0], sigma, offset, weight, low, high)
    out = np.empty(star.shape[0])
    score[:] = 0.0
    for i in range(star.shape[0]):
        m, x = star[i, 0], star[i, 0] - theta[0]
        u = (star[i, 1] - theta[4] - theta[5] * x) / s
        w = (star[i, 1] - theta[4] - theta[7] - theta[8] * x) / v
        clump_colour = math.exp(-u * u / 2) / (s * _ROOT_TWO_PI)
        branch_colour = math.exp(-w * w / 2) / (v * _ROOT_TWO_PI)
        branch = math.exp(theta[2] * m - log_norm)
        field, plain = (1 - o) * (1 - f) * branch * branch_colour, o * branch / span
        peaks, pull, spread, first = 0.0, 0.0, 0.0, 0.0
        for k in range(offset.size):
            z = (x - offset[k]) / sigma
            part = weight[k] * math.exp(-z * z / 2) / (sigma * _ROOT_TWO_PI * total)
            part *= (1 - o) * f * (clump_colour if k == 0 else branch_colour)
            peaks += part
            pull += part * z / sigma
            spread += part * (z * z - 1)
            if k == 0:
                first = part
        p = max(field + peaks + plain, 1e-300)
        out[i] = math.log(p)
        mine = score[i]
        is_clump, is_branch = first / p, (field + peaks - first) / p
        mine[0] += pull / p - peaks / p * total_magnitude
        mine[1] += spread / p - peaks / p * total_sigma
        mine[2] += (field + plain) / p * (m - norm_slope)
        mine[3] += peaks / p * (1 - f) - field / p * f
        _add(mine, is_clump, u / s, theta[5], x, (6, 5))
        mine[6] += is_clump * (u * u - 2)
        _add(mine, is_branch, w / v, theta[8], x, (9, 8))
        mine[7] += is_branch * w / v
        mine[9] += is_branch * (w * w - 2)
        mine[10] += plain / p * (1 - o) - (field + peaks) / p * o
    return out
