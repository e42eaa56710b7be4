"""Inner loops: templates on pixels, and least squares with amplitudes that are not negative."""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_TINY = 1e-12


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def pixel_means(low, high, scale, cumulative, ln_start, ln_step):  # type: ignore[no-untyped-def]
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


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def smoothed(values, sigma):  # type: ignore[no-untyped-def]
    """Convolve along the last axis with a Gaussian whose dispersion (pixels) varies; shapes (m, k, n), (n,)."""
    n = sigma.size
    reach = min(int(math.ceil(3.5 * sigma.max())), 40)
    weight = np.zeros((n, 2 * reach + 1))
    for p in range(n):
        for d in range(-reach, reach + 1):
            if 0 <= p + d < n:
                weight[p, d + reach] = math.exp(-0.5 * (d / max(sigma[p], 1e-3)) ** 2)
        weight[p] /= weight[p].sum()
    out = np.zeros_like(values)
    for c in range(values.shape[0]):
        for k in range(values.shape[1]):
            for p in range(n):
                total = 0.0
                for d in range(max(-reach, -p), min(reach, n - 1 - p) + 1):
                    total += weight[p, d + reach] * values[c, k, p + d]
                out[c, k, p] = total
    return out


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def line_profiles(low, high, scale, sigma_ln, wavelength, ratio, group, n_group):  # type: ignore[no-untyped-def]
    """Narrow lines on pixels, as seen at each of some redshifts, of flux 1 for the first line of a group.

    Parameters
    ----------
    low, high
        Shape (n,), edges of pixels, Å.
    scale
        Shape (m,), 1 + z.
    sigma_ln
        Shape (n,), dispersion of a line in the logarithm of the wavelength.
    wavelength, ratio, group
        Shape (l,), of the lines.

    Returns
    -------
    numpy.ndarray
        Shape (m, n_group, n); flux density by Å.
    """
    out = np.zeros((scale.size, n_group, low.size))
    middle = 0.5 * (low + high)
    for c in range(scale.size):
        for one in range(wavelength.size):
            place = wavelength[one] * scale[c]
            near = min(max(np.searchsorted(middle, place), 0), low.size - 1)
            sigma = place * sigma_ln[near]
            first = np.searchsorted(high, place - 5 * sigma)
            for p in range(first, low.size):
                if low[p] > place + 5 * sigma:
                    break
                up = math.erf((high[p] - place) / (sigma * math.sqrt(2.0)))
                down = math.erf((low[p] - place) / (sigma * math.sqrt(2.0)))
                out[c, group[one], p] += 0.5 * ratio[one] * (up - down) / (high[p] - low[p])
    return out


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _solve(matrix, right, used, out):  # type: ignore[no-untyped-def]
    """Solve the normal equations of the variables that are used, by Cholesky; others become 0."""
    n = 0
    index = np.empty(right.size, np.int64)
    for i in range(right.size):
        out[i] = 0.0
        if used[i]:
            index[n] = i
            n += 1
    lower = np.zeros((n, n))
    y = np.zeros(n)
    for i in range(n):
        for j in range(i + 1):
            total = matrix[index[i], index[j]]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                lower[i, i] = math.sqrt(max(total, 1e-10 * matrix[index[i], index[i]]))
            else:
                lower[i, j] = total / lower[j, j]
        total = right[index[i]]
        for k in range(i):
            total -= lower[i, k] * y[k]
        y[i] = total / lower[i, i]
    for i in range(n - 1, -1, -1):
        total = y[i]
        for k in range(i + 1, n):
            total -= lower[k, i] * out[index[k]]
        out[index[i]] = total / lower[i, i]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def non_negative(matrix, right, free, used, x):  # type: ignore[no-untyped-def]
    """Minimise x·A·x / 2 - b·x with x not negative but where it is free (Lawson & Hanson 1974; Bro & de Jong 1997).

    ``used`` (bool) is where to begin, and becomes what is above 0; ``x`` is filled. Shapes (n, n) and (n,).
    """
    n = right.size
    trial = np.empty(n)
    x[:] = 0.0
    for i in range(n):
        used[i] = (used[i] or free[i]) and matrix[i, i] > _TINY
    for _ in range(4 * n):
        _solve(matrix, right, used, trial)
        step, worst = 1.0, -1
        for i in range(n):
            if used[i] and not free[i] and trial[i] <= 0.0:
                share = x[i] / (x[i] - trial[i]) if x[i] > trial[i] else 0.0
                if worst < 0 or share < step:
                    step, worst = share, i
        if worst >= 0:
            for i in range(n):
                x[i] += step * (trial[i] - x[i])
            used[worst] = False
            x[worst] = 0.0
            continue
        x[:] = trial
        best, gain = -1, 1e-8
        for i in range(n):
            if not used[i] and matrix[i, i] > _TINY:
                slope = right[i]
                for j in range(n):
                    slope -= matrix[i, j] * x[j]
                slope /= math.sqrt(matrix[i, i])
                if slope > gain:
                    best, gain = i, slope
        if best < 0:
            return
        used[best] = True


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def gains(continuum, continuum_right, polynomial, line_at, line_pixel, line_value, template, basis, weight, signal,
          reluctance):  # type: ignore[no-untyped-def]  # fmt: skip
    """How much of chi-square each candidate takes away from a spectrum.

    Parameters
    ----------
    continuum
        Shape (m, k, k + q): sums of weight over templates by templates, and by the basis of polynomials.
    continuum_right
        Shape (m, k): sums of weighted data.
    polynomial
        ``(q, q)``: sums over the basis, with the prior of its amplitudes.
    line_at
        Shape (m + 1,): where each candidate's pixels with lines begin in the next two.
    line_pixel, line_value
        Shapes (s,) and (s, g): pixels with lines, and what one unit of each group gives there.
    template, basis
        Shapes (m, k, n) and (q, n).
    weight, signal
        Shape (n,): inverse variances, and data times them.
    reluctance
        Shape (g,), standard errors that a group must be worth.

    Returns
    -------
    gain : numpy.ndarray
        Shape (m,).
    x : numpy.ndarray
        Shape (m, k + q + g): amplitudes.
    """
    m, k, width = continuum.shape
    q, g = basis.shape[0], reluctance.size
    n = width + g
    gain, amplitude = np.zeros(m), np.zeros((m, n))
    free, used = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    free[k:width] = True
    poly_right = basis @ signal
    row = np.zeros(n)
    for c in range(m):
        matrix, right = np.zeros((n, n)), np.zeros(n)
        matrix[:k, :width] = continuum[c]
        matrix[k:width, :k] = continuum[c, :, k:].T
        matrix[k:width, k:width] = polynomial
        right[:k] = continuum_right[c]
        right[k:width] = poly_right
        for s in range(line_at[c], line_at[c + 1]):
            p = line_pixel[s]
            row[:k] = template[c, :, p]
            row[k:width] = basis[:, p]
            row[width:] = line_value[s]
            for i in range(g):
                value = row[width + i]
                if value != 0.0:
                    right[width + i] += value * signal[p]
                    for j in range(width + i + 1):
                        matrix[width + i, j] += value * row[j] * weight[p]
        for i in range(width, n):
            for j in range(i):
                matrix[j, i] = matrix[i, j]
            right[i] -= reluctance[i - width] * math.sqrt(matrix[i, i])
        non_negative(matrix, right, free, used, amplitude[c])
        total = 0.0
        for i in range(n):
            total += right[i] * amplitude[c, i]
        gain[c] = total
    return gain, amplitude
