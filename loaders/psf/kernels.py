"""The compiled loops over the pixels of stars: drawing with an effective PSF and its transposes.

Arguments that all of them share: ``psf`` is the pair of spline coefficients, shape (n_y, n_x, size, size),
and grid steps per pixel; ``groups`` says which stars share a blend of nodes: the stars in order of group,
the first of each group and the end, and for each group the flat indices and weights of four nodes;
``stars`` has the columns x, y, flux and radius, shape (n, 4); ``order`` the orders of the derivative with
respect to the star's position in (y, x).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
Weights = tuple[float, float, float, float]
Psf = tuple[FloatArray, int]
IntArray = npt.NDArray[np.int64]
Groups = tuple[IntArray, IntArray, IntArray, FloatArray]


@compiled()
def spline_weights(t: float, order: int) -> Weights:
    """Cubic B-spline weights (order 0), or their derivative (order 1), of the four coefficients at hand."""
    s = 1.0 - t
    if order == 0:
        return s**3 / 6, (4 - 6 * t * t + 3 * t**3) / 6, (4 - 6 * s * s + 3 * s**3) / 6, t**3 / 6
    return -s * s / 2, (3 * t * t - 4 * t) / 2, (4 * s - 3 * s * s) / 2, t * t / 2


@compiled()
def span(position: float, radius: float, size: int, step: int, limit: int) -> tuple[int, int, int, float]:
    """First and last pixel of a star along an axis of ``limit`` pixels, spline cell of the first, phase."""
    centre = (size - 3) // 2
    reach = min(radius, centre / step)
    first = max(int(np.ceil(position - reach)), 0)
    last = min(int(np.floor(position + reach)), limit - 1)
    at = max(centre + step * (first - position), 0.0)
    cell = int(np.floor(at))
    return first, last, cell, at - cell


@compiled()
def position_weights(phase: float, step: int, order: int) -> Weights:
    """Weights of the PSF, or of its derivative with respect to the star's position in pixels."""
    w = spline_weights(phase, order)
    scale = 1.0 if order == 0 else -float(step)
    return scale * w[0], scale * w[1], scale * w[2], scale * w[3]


@compiled()
def blend_nodes(coefficients: FloatArray, node: IntArray, share: FloatArray, plane: FloatArray) -> None:
    """Blend the coefficients of up to four nodes into ``plane``, shape (size + 1, size + 1).

    The last row and column stay zero: a pixel exactly on the outermost grid point gives them no weight.
    """
    n_x, size = coefficients.shape[1], coefficients.shape[2]
    plane[:] = 0.0
    for k in range(4):
        if share[k] != 0.0:
            add_plane(coefficients[node[k] // n_x, node[k] % n_x], share[k], plane[:size, :size])


@compiled()
def add_plane(plane: FloatArray, share: float, out: FloatArray) -> None:
    """Add a share of a plane to another of the same shape."""
    for row in range(out.shape[0]):
        source, target = plane[row], out[row]
        for c in range(target.size):
            target[c] += share * source[c]


@compiled()
def blend_rows(plane: FloatArray, row: int, w: Weights, columns: tuple[int, int], out: FloatArray) -> None:
    """Blend four spline rows from ``row`` on, in some columns of coefficients.

    Slices counted from zero, here and in `add_rows`, are what the compiler makes vector instructions of.
    """
    first, end = columns
    r0, r1 = plane[row, first:end], plane[row + 1, first:end]
    r2, r3 = plane[row + 2, first:end], plane[row + 3, first:end]
    blend = out[first:end]
    for c in range(blend.size):
        blend[c] = w[0] * r0[c] + w[1] * r1[c] + w[2] * r2[c] + w[3] * r3[c]


@compiled()
def add_rows(line: FloatArray, row: int, w: Weights, columns: tuple[int, int], plane: FloatArray) -> None:
    """Add a line to four spline rows from ``row`` on, in some columns of coefficients."""
    first, end = columns
    r0, r1 = plane[row, first:end], plane[row + 1, first:end]
    r2, r3 = plane[row + 2, first:end], plane[row + 3, first:end]
    part = line[first:end]
    for c in range(part.size):
        value = part[c]
        r0[c] += w[0] * value
        r1[c] += w[1] * value
        r2[c] += w[2] * value
        r3[c] += w[3] * value


@compiled()
def draw(
    image: FloatArray, psf: Psf, groups: Groups, stars: FloatArray, order: tuple[int, int], hole: int
) -> None:
    """Add stars to an image, except for a square of half-width ``hole`` around each."""
    size = psf[0].shape[-1]
    plane, line = np.empty((size + 1, size + 1)), np.empty(size + 1)
    for g in range(groups[1].size - 1):
        blend_nodes(psf[0], groups[2][g], groups[3][g], plane)
        for s in groups[0][groups[1][g] : groups[1][g + 1]]:
            draw_star(image, (plane, psf[1]), stars[s], order, hole, line)


@compiled()
def draw_star(
    image: FloatArray,
    psf: tuple[FloatArray, int],
    star: FloatArray,
    order: tuple[int, int],
    hole: int,
    line: FloatArray,
) -> None:
    """Add one star with the PSF of its group."""
    plane, step = psf
    x, y, flux = star[0], star[1], star[2]
    i0, i1, ci, u = span(x, star[3], plane.shape[0] - 1, step, image.shape[1])
    j0, j1, cj, v = span(y, star[3], plane.shape[0] - 1, step, image.shape[0])
    if i1 < i0:  # beside the image: the end of a slice may be negative, which counts from the other side
        return
    wx, wy = position_weights(u, step, order[1]), position_weights(v, step, order[0])
    columns = (ci, ci + step * (i1 - i0) + 4)
    for j in range(j0, j1 + 1):
        blend_rows(plane, cj + step * (j - j0), wy, columns, line)
        spared = abs(j - y) <= hole
        pixels = image[j, i0 : i1 + 1]
        for i in range(pixels.size):
            if spared and abs(i + i0 - x) <= hole:
                continue
            four = line[ci + step * i : ci + step * i + 4]
            pixels[i] += flux * (wx[0] * four[0] + wx[1] * four[1] + wx[2] * four[2] + wx[3] * four[3])


@compiled()
def count_pixels(stars: FloatArray, size: int, step: int, shape: tuple[int, int], out: IntArray) -> None:
    """Number of pixels in which every star is drawn, for a PSF of ``size`` coefficients along a side."""
    for s in range(len(stars)):
        i0, i1, _, _ = span(stars[s, 0], stars[s, 3], size, step, shape[1])
        j0, j1, _, _ = span(stars[s, 1], stars[s, 3], size, step, shape[0])
        out[s] = max(i1 - i0 + 1, 0) * max(j1 - j0 + 1, 0)


@compiled()
def fill_columns(
    weight: FloatArray,
    psf: Psf,
    groups: Groups,
    stars: FloatArray,
    order: tuple[int, int],
    out: tuple[IntArray, IntArray, FloatArray],
) -> None:
    """Write flat pixel indices and values of every star, times its flux and ``weight``, one after the other.

    ``out`` are the place where each star begins, by the counts of `count_pixels`, the indices and the values.
    """
    start, pixel, value = out
    size, step = psf[0].shape[-1], psf[1]
    plane, line = np.empty((size + 1, size + 1)), np.empty(size + 1)
    for g in range(groups[1].size - 1):
        blend_nodes(psf[0], groups[2][g], groups[3][g], plane)
        for s in groups[0][groups[1][g] : groups[1][g + 1]]:
            i0, i1, ci, u = span(stars[s, 0], stars[s, 3], size, step, weight.shape[1])
            j0, j1, cj, v = span(stars[s, 1], stars[s, 3], size, step, weight.shape[0])
            wx, wy = position_weights(u, step, order[1]), position_weights(v, step, order[0])
            columns, at = (ci, ci + step * (i1 - i0) + 4), start[s]
            for j in range(j0, j1 + 1 if i1 >= i0 else j0):
                blend_rows(plane, cj + step * (j - j0), wy, columns, line)
                for i in range(i0, i1 + 1):
                    c = ci + step * (i - i0)
                    light = wx[0] * line[c] + wx[1] * line[c + 1] + wx[2] * line[c + 2] + wx[3] * line[c + 3]
                    pixel[at], value[at] = j * weight.shape[1] + i, weight[j, i] * stars[s, 2] * light
                    at += 1


@compiled()
def accumulate(image: FloatArray, psf: Psf, groups: Groups, stars: FloatArray, hole: int) -> None:
    """Add an image, times the flux of every star, to the coefficients that its pixels draw on.

    Pixels in the square of half-width ``hole`` around a star count for nothing.
    """
    out, n_x = psf[0], psf[0].shape[1]
    size = out.shape[-1]
    plane, line = np.empty((size + 1, size + 1)), np.empty(size + 1)
    for g in range(groups[1].size - 1):
        plane[:] = 0.0
        for s in groups[0][groups[1][g] : groups[1][g + 1]]:
            accumulate_star(image, (plane, psf[1]), stars[s], hole, line)
        for k in range(4):
            if groups[3][g, k] != 0.0:
                node = out[groups[2][g, k] // n_x, groups[2][g, k] % n_x]
                add_plane(plane[:size, :size], groups[3][g, k], node)


@compiled()
def accumulate_star(
    image: FloatArray, psf: tuple[FloatArray, int], star: FloatArray, hole: int, line: FloatArray
) -> None:
    """Add an image, times the flux of one star, to the coefficients of its group."""
    plane, step = psf
    i0, i1, ci, u = span(star[0], star[3], plane.shape[0] - 1, step, image.shape[1])
    j0, j1, cj, v = span(star[1], star[3], plane.shape[0] - 1, step, image.shape[0])
    if i1 < i0:  # beside the image: the end of a slice may be negative, which counts from the other side
        return
    wx, wy = spline_weights(u, 0), spline_weights(v, 0)
    end = ci + step * (i1 - i0) + 4
    for j in range(j0, j1 + 1):
        line[ci:end] = 0.0
        spared = abs(j - star[1]) <= hole
        pixels = image[j, i0 : i1 + 1]
        for i in range(pixels.size):
            if spared and abs(i + i0 - star[0]) <= hole:
                continue
            value = star[2] * pixels[i]
            four = line[ci + step * i : ci + step * i + 4]
            four[0] += value * wx[0]
            four[1] += value * wx[1]
            four[2] += value * wx[2]
            four[3] += value * wx[3]
        add_rows(line, cj + step * (j - j0), wy, (ci, end), plane)
