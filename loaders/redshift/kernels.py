"""Inner loops: templates on pixels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]


@compiled()
def pixel_means(
    low: FloatArray,
    high: FloatArray,
    scale: FloatArray,
    cumulative: FloatArray,
    ln_start: float,
    ln_step: float,
) -> FloatArray:
    """Means of templates over pixels, as seen at each of some redshifts.

    Parameters
    ----------
    low, high
        Shape (n,), edges of pixels, Å.
    scale
        Shape (m,), 1 + z.
    cumulative
        Shape (k, g), integrals of the templates over wavelength up to each place of their grid.
    ln_start, ln_step
        The grid.

    Returns
    -------
    numpy.ndarray
        Shape (m, k, n).
    """
    n_template, n_grid = cumulative.shape
    out = np.empty((scale.size, n_template, low.size))
    for c in range(scale.size):
        for p in range(low.size):
            a = min(max((math.log(low[p] / scale[c]) - ln_start) / ln_step, 0.0), n_grid - 1.001)
            b = min(max((math.log(high[p] / scale[c]) - ln_start) / ln_step, 0.0), n_grid - 1.001)
            i, j = int(a), int(b)
            f, g = a - i, b - j
            width = (high[p] - low[p]) / scale[c]
            for k in range(n_template):
                upto = cumulative[k, j] + g * (cumulative[k, j + 1] - cumulative[k, j])
                before = cumulative[k, i] + f * (cumulative[k, i + 1] - cumulative[k, i])
                out[c, k, p] = (upto - before) / width
    return out


@compiled()
def smoothed(values: FloatArray, sigma: FloatArray) -> FloatArray:
    """Convolve (m, k, n) along the last axis with a Gaussian whose dispersion (n,), in pixels, varies."""
    n = sigma.size
    reach = min(math.ceil(3.5 * sigma.max()), 40)
    weight = np.zeros((n, 2 * reach + 1))
    for p in range(n):
        for d in range(-reach, reach + 1):
            if 0 <= p + d < n:
                weight[p, d + reach] = math.exp(-0.5 * (d / max(sigma[p], 1e-3)) ** 2)
        total = weight[p].sum()
        for d in range(2 * reach + 1):
            weight[p, d] /= total
    out = np.zeros_like(values)
    for c in range(values.shape[0]):
        for k in range(values.shape[1]):
            for p in range(n):
                total = 0.0
                for d in range(max(-reach, -p), min(reach, n - 1 - p) + 1):
                    total += weight[p, d + reach] * values[c, k, p + d]
                out[c, k, p] = total
    return out
