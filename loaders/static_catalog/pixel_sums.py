"""Sums over ellipses and windows, compiled: the inner loops of photometry.

A pixel that belongs to another source is replaced by the one opposite of the centre, and left out if that
one does not count either. What a kernel is given as ``image`` is a tuple of data, variance, labels and good
pixels, each of the shape of the image.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]

Image = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int32], npt.NDArray[np.bool_]]

_NODE, _WEIGHT = np.polynomial.legendre.leggauss(6)
_NODE, _WEIGHT = _NODE / 2, _WEIGHT / 2
_FWHM_OF_SIGMA = 2.354820045


@compiled()
def covered(dx: float, dy: float, ellipse: tuple[float, float, float]) -> float:
    """Share of a pixel, centred at an offset from the centre of an ellipse, that lies within.

    ``ellipse`` has the coefficients of x**2, y**2 and xy. Along y the chords are summed by Gauss's rule.
    """
    cxx, cyy, cxy = ellipse
    inside = 0
    for sx in (-0.5, 0.5):
        for sy in (-0.5, 0.5):
            u, v = dx + sx, dy + sy
            inside += cxx * u * u + cyy * v * v + cxy * u * v <= 1
    if inside == 4:
        return 1.0
    top = 1 / np.sqrt(cyy - cxy * cxy / (4 * cxx))
    below, above = max(dy - 0.5, -top), min(dy + 0.5, top)
    share = 0.0
    for k in range(_NODE.size):
        v = (below + above) / 2 + _NODE[k] * (above - below)
        half = cxy * v / (2 * cxx)
        root = half * half - (cyy * v * v - 1) / cxx
        if root > 0 and above > below:
            reach = np.sqrt(root)
            chord = min(-half + reach, dx + 0.5) - max(-half - reach, dx - 0.5)
            share += _WEIGHT[k] * (above - below) * max(chord, 0.0)
    return share


@compiled()
def pick(image: Image, centre: tuple[float, float, int], i: int, j: int) -> tuple[float, float, int]:
    """Data and variance at column i, row j for a source, and 0 as found, 1 as mirrored, 2 for none."""
    data, variance, labels, good = image
    x, y, label = centre
    ny, nx = data.shape
    mirrored = 0
    for _ in range(2):
        if 0 <= i < nx and 0 <= j < ny and good[j, i] and (labels[j, i] == label or labels[j, i] == 0):
            return data[j, i], variance[j, i], mirrored
        i, j = int(np.rint(2 * x - i)), int(np.rint(2 * y - j))
        mirrored = 1
    return 0.0, 0.0, 2


@compiled()
def ellipse_sum(
    image: Image, centre: tuple[float, float, int], ellipse: tuple[float, float, float]
) -> tuple[float, float, float, float]:
    """Sum of the data, its variance, covered area, and covered area of pixels that do not count."""
    x, y, _ = centre
    cxx, cyy, cxy = ellipse
    shape = 1 - cxy * cxy / (4 * cxx * cyy)
    rx, ry = 1 / np.sqrt(cxx * shape), 1 / np.sqrt(cyy * shape)
    flux = spread = area = missing = 0.0
    for j in range(int(np.floor(y - ry + 0.5)), int(np.ceil(y + ry - 0.5)) + 1):
        for i in range(int(np.floor(x - rx + 0.5)), int(np.ceil(x + rx - 0.5)) + 1):
            share = covered(i - x, j - y, ellipse)
            if share > 0:
                value, var, kind = pick(image, centre, i, j)
                area += share
                flux += share * value
                spread += share * share * var
                missing += share if kind == 2 else 0.0
    return flux, spread, area, missing


@compiled()
def ellipse_sums(image: Image, source: FloatArray, ellipse: FloatArray, out: FloatArray) -> None:
    """Sums of each source: ``source`` has rows x, y, label; ``ellipse`` cxx, cyy, cxy; ``out`` four sums."""
    for k in range(source.shape[0]):
        if np.isfinite(source[k, 0]) and ellipse[k, 0] > 0:
            centre = source[k, 0], source[k, 1], int(source[k, 2])
            sums = ellipse_sum(image, centre, (ellipse[k, 0], ellipse[k, 1], ellipse[k, 2]))
            out[k, 0], out[k, 1], out[k, 2], out[k, 3] = sums
        else:
            out[k] = np.nan


@compiled()
def first_moment_radii(image: Image, source: FloatArray, ellipse: FloatArray, out: FloatArray) -> None:
    """Mean elliptical radius of the light within ellipses, in units of ``ellipse``'s own axes.

    ``out`` gets, of six times those axes, the ratio of sums of radius times light and of light (Kron 1980,
    ApJS 43, 305); NaN where there is no light.
    """
    for k in range(source.shape[0]):
        out[k] = np.nan
        if not (np.isfinite(source[k, 0]) and ellipse[k, 0] > 0):
            continue
        x, y = source[k, 0], source[k, 1]
        cxx, cyy, cxy = ellipse[k, 0], ellipse[k, 1], ellipse[k, 2]
        shape = 1 - cxy * cxy / (4 * cxx * cyy)
        rx, ry = 6 / np.sqrt(cxx * shape), 6 / np.sqrt(cyy * shape)
        light = first = 0.0
        for j in range(int(np.ceil(y - ry)), int(np.floor(y + ry)) + 1):
            for i in range(int(np.ceil(x - rx)), int(np.floor(x + rx)) + 1):
                u, v = i - x, j - y
                square = cxx * u * u + cyy * v * v + cxy * u * v
                if square <= 36:
                    value, _, _ = pick(image, (x, y, int(source[k, 2])), i, j)
                    light += value
                    first += value * np.sqrt(square)
        if light > 0 and first > 0:
            out[k] = first / light


@compiled()
def fraction_radii(
    image: Image, source: FloatArray, flux: FloatArray, limit: FloatArray, out: FloatArray
) -> None:
    """Radius of the circle that holds a flux, by bisection below a limit; NaN where there is none."""
    for k in range(source.shape[0]):
        out[k] = np.nan
        if not (np.isfinite(source[k, 0]) and flux[k] > 0 and limit[k] > 0):
            continue
        centre = source[k, 0], source[k, 1], int(source[k, 2])
        low, high = 0.0, limit[k]
        if ellipse_sum(image, centre, (1 / high**2, 1 / high**2, 0.0))[0] < flux[k]:
            continue
        while high - low > 1e-3:
            middle = (low + high) / 2
            c = 1 / middle**2
            if ellipse_sum(image, centre, (c, c, 0.0))[0] < flux[k]:
                low = middle
            else:
                high = middle
        out[k] = (low + high) / 2


@compiled()
def annulus_medians(image: Image, source: FloatArray, radii: tuple[float, float], out: FloatArray) -> None:
    """Median of the pixels of no source in an annulus, their mean variance and their number."""
    _, _, labels, good = image
    ny, nx = labels.shape
    inner, outer = radii
    value = np.empty(int(4 * (outer + 1) ** 2) + 1)
    for k in range(source.shape[0]):
        out[k, 0], out[k, 1], out[k, 2] = np.nan, np.nan, 0.0
        x, y = source[k, 0], source[k, 1]
        if not np.isfinite(x):
            continue
        count, spread = 0, 0.0
        for j in range(max(int(np.ceil(y - outer)), 0), min(int(y + outer) + 1, ny)):
            for i in range(max(int(np.ceil(x - outer)), 0), min(int(x + outer) + 1, nx)):
                square = (i - x) ** 2 + (j - y) ** 2
                if inner**2 <= square <= outer**2 and good[j, i] and labels[j, i] == 0:
                    value[count] = image[0][j, i]
                    spread += image[1][j, i]
                    count += 1
        if count > 0:
            out[k, 0], out[k, 1], out[k, 2] = np.median(value[:count]), spread / count, float(count)


@compiled()
def windowed_centroids(
    image: Image, source: FloatArray, half_light: FloatArray, reach: float, out: FloatArray
) -> None:
    """Centroids in a round Gaussian window that follows them, and their covariance.

    The window's dispersion is that of a Gaussian with the half-light radius, the step twice the offset of the
    windowed mean (SExtractor's ``XWIN_IMAGE``, Bertin & Arnouts 1996). ``out`` gets x, y, var(x), var(y),
    cov(x, y); NaN where it does not converge within ``reach`` pixels.
    """
    for k in range(source.shape[0]):
        out[k] = np.nan
        if not (np.isfinite(source[k, 0]) and half_light[k] > 0):
            continue
        sigma = 2 * half_light[k] / _FWHM_OF_SIGMA
        x, y, label = source[k, 0], source[k, 1], int(source[k, 2])
        for _ in range(50):
            sums = _window_sums(image, (x, y, label), sigma)
            if not sums[0] > 0:
                break
            step_x, step_y = 2 * sums[1] / sums[0], 2 * sums[2] / sums[0]
            x, y = x + step_x, y + step_y
            if np.hypot(x - source[k, 0], y - source[k, 1]) > reach:
                break
            if np.hypot(step_x, step_y) < 1e-4:
                scale = 4 / sums[0] ** 2
                out[k, 0], out[k, 1] = x, y
                for i in range(3):
                    out[k, 2 + i] = scale * sums[3 + i]
                break


@compiled()
def _window_sums(
    image: Image, centre: tuple[float, float, int], sigma: float
) -> tuple[float, float, float, float, float, float]:
    """Windowed light, its first moments, and the covariance of these (xx, yy, xy)."""
    x, y, _ = centre
    light = mx = my = vxx = vyy = vxy = 0.0
    reach = 4 * sigma
    for j in range(int(np.ceil(y - reach)), int(np.floor(y + reach)) + 1):
        for i in range(int(np.ceil(x - reach)), int(np.floor(x + reach)) + 1):
            u, v = i - x, j - y
            if u * u + v * v <= reach * reach:
                value, var, _ = pick(image, centre, i, j)
                weight = np.exp(-(u * u + v * v) / (2 * sigma * sigma))
                light += weight * value
                mx += weight * value * u
                my += weight * value * v
                vxx += weight * weight * var * u * u
                vyy += weight * weight * var * v * v
                vxy += weight * weight * var * u * v
    return light, mx, my, vxx, vyy, vxy
