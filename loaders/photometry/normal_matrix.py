"""The weighted normal equations of overlapping stamps.

With the value P_s(p) of star s in pixel p and the weight W(p) of the pixel, N_st = Σ_p W P_s P_t. The
covariance matrix of the fluxes is the inverse of N (King 1983, PASP 95, 163, for one star).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from loaders.photometry.cholesky import factor, flat_dot, is_pinned, marginal_variances, solve
from loaders.photometry.psf_table import STAMP, Float32Array, IntArray, Nodes, Planes, blend, fill_stamp
from loaders.photometry.tiling import Tiles
from loaders.psf.model import FloatArray
from roman_db.compiled import compiled

_STRIDE = 2 * STAMP
"""Distance in memory of the rows of a stamp that is framed by zeros."""


class Stamps(NamedTuple):
    """Stars as pixels.

    Parameters
    ----------
    value
        Shape (n, STAMP, STAMP): share of the flux in each pixel.
    row, column
        Shape (n,): first pixel of each stamp, in the framed image.
    """

    value: Float32Array
    row: IntArray
    column: IntArray


class Sums(NamedTuple):
    """Sums over the stamp of each star, shape (n,).

    ``information`` is Σ W P², the diagonal of the normal matrix; ``scale`` its inverse square root, 0 where
    there is none; ``sky`` is Σ W P, the response to a constant background.
    """

    information: Float32Array
    scale: Float32Array
    sky: Float32Array


class Factors(NamedTuple):
    """Cholesky factors of all tiles, packed one after the other: tile t begins at ``start[t]``."""

    value: Float32Array
    start: IntArray


class TileResult(NamedTuple):
    """What the factors say of every star, shape (n,).

    ``variance`` is the marginal variance of the flux (NaN where pinned), ``sky`` the flux that a star loses
    per unit of background, given that its neighbours react too.
    """

    variance: Float32Array
    sky: Float32Array


@compiled()
def fill_stamps(
    begin: int,
    end: int,
    position: tuple[FloatArray, FloatArray],
    cell: IntArray,
    psf: tuple[Planes, Nodes],
    value: Float32Array,
) -> None:
    """Evaluate the stamps of stars that are sorted by ``cell``, with one PSF for each cell."""
    planes, nodes = psf
    buffer = np.empty(planes.coefficient.shape[1:], dtype=np.float32)
    current = -1
    blended = Planes(buffer, planes.step, planes.centre, planes.pad)
    for s in range(begin, end):
        if cell[s] != current:
            current = cell[s]
            blended = blend(planes, nodes, current, buffer)
        fill_stamp(blended, (position[0][s], position[1][s]), (0, 0), value[s])


@compiled(fastmath=True)
def sum_weights(begin: int, end: int, stamps: Stamps, weight: Float32Array, sums: Sums) -> None:
    """Sum weight times PSF, and times PSF squared, over every stamp."""
    for s in range(begin, end):
        information, sky = np.float32(0.0), np.float32(0.0)
        for j in range(STAMP):
            w = weight[stamps.row[s] + j, stamps.column[s] : stamps.column[s] + STAMP]
            p = stamps.value[s, j]
            for i in range(STAMP):
                product = w[i] * p[i]
                sky += product
                information += product * p[i]
        sums.information[s] = information
        sums.scale[s] = 1 / np.sqrt(information) if information > 0 else np.float32(0.0)
        sums.sky[s] = sky


@compiled(fastmath=True)
def project(begin: int, end: int, stamps: Stamps, image: Float32Array, out: Float32Array) -> None:
    """Sum image times PSF over every stamp: ``out[s] = Σ_p image(p) P_s(p)``."""
    for s in range(begin, end):
        total = np.float32(0.0)
        for j in range(STAMP):
            v = image[stamps.row[s] + j, stamps.column[s] : stamps.column[s] + STAMP]
            p = stamps.value[s, j]
            for i in range(STAMP):
                total += v[i] * p[i]
        out[s] = total


@compiled(fastmath=True)
def scatter(
    begin: int,
    end: int,
    colour: IntArray,
    own: IntArray,
    stamps: Stamps,
    amount: Float32Array,
    image: Float32Array,
) -> None:
    """Add ``amount`` times each star to an image, for the stars of the tiles in ``colour[begin:end]``."""
    for k in range(begin, end):
        for s in range(own[colour[k]], own[colour[k] + 1]):
            a = amount[s]
            if a == np.float32(0.0):
                continue
            for j in range(STAMP):
                v = image[stamps.row[s] + j, stamps.column[s] : stamps.column[s] + STAMP]
                p = stamps.value[s, j]
                for i in range(STAMP):
                    v[i] += a * p[i]


@compiled()
def normal_matrix(
    member: IntArray, stamps: Stamps, weight: Float32Array, scale: Float32Array, matrix: Float32Array
) -> None:
    """Fill the packed lower triangle of the scaled normal matrix of some stars.

    Parameters
    ----------
    member
        Shape (m,): indices of the stars.
    stamps, weight
        Stars as pixels, and the framed image of weights.
    scale
        Shape (n,): factor of each star that makes the diagonal one; 0 for a star without information.
    matrix
        At least m (m + 1) / 2 elements, overwritten.
    """
    framed = _frame(member, stamps)
    weighted = np.zeros(STAMP * _STRIDE + 2 * STAMP, dtype=np.float32)
    for a in range(member.size):
        s = member[a]
        row, column = stamps.row[s], stamps.column[s]
        for j in range(STAMP):
            for i in range(STAMP):
                value = scale[s] * weight[row + j, column + i] * stamps.value[s, j, i]
                weighted[STAMP + j * _STRIDE + i] = value
        base = a * (a + 1) // 2
        for b in range(a):
            t = member[b]
            dx, dy = stamps.column[t] - column, stamps.row[t] - row
            if abs(dx) < STAMP and abs(dy) < STAMP:
                p, q = STAMP + max(dy, 0) * _STRIDE + dx, (b * STAMP + max(-dy, 0)) * _STRIDE
                overlap = flat_dot(weighted, p, framed, q, (STAMP - abs(dy)) * _STRIDE)
                matrix[base + b] = scale[t] * overlap
            else:
                matrix[base + b] = np.float32(0.0)
        matrix[base + a] = np.float32(1.0) if scale[s] > 0 else np.float32(0.0)


@compiled()
def _frame(member: IntArray, stamps: Stamps) -> Float32Array:
    """Stamps one after the other, every row followed by a stamp's width of zeros.

    With the zeros, stamps at any offset along x overlap in one contiguous run of memory.
    """
    framed = np.zeros(member.size * STAMP * _STRIDE, dtype=np.float32)
    for b in range(member.size):
        for j in range(STAMP):
            for i in range(STAMP):
                framed[(b * STAMP + j) * _STRIDE + i] = stamps.value[member[b], j, i]
    return framed


@compiled()
def factor_tiles(
    begin: int,
    end: int,
    which: IntArray,
    stars: tuple[Tiles, Stamps],
    weights: tuple[Float32Array, Sums],
    factors: Factors,
    result: TileResult,
) -> None:
    """Build and factor the normal matrices of some tiles, with what they say of the tiles' own stars."""
    tiles, stamps = stars
    weight, sums = weights
    scale = sums.scale
    for tile in which[begin:end]:
        member = tiles.member[tiles.start[tile] : tiles.start[tile + 1]]
        n, first = member.size, tiles.margin[tile]
        if n == first:
            continue
        matrix = factors.value[factors.start[tile] : factors.start[tile + 1]]
        normal_matrix(member, stamps, weight, scale, matrix)
        factor(matrix, n)
        response = sums.sky[member] * scale[member]
        solve(matrix, n, response)
        variance = np.empty(n - first, dtype=np.float32)
        marginal_variances(matrix, first, n, variance)
        for k in range(first, n):
            s = member[k]
            pinned = is_pinned(matrix, k)
            result.variance[s] = np.float32(np.nan) if pinned else variance[k - first] * scale[s] ** 2
            result.sky[s] = response[k] * scale[s]


@compiled()
def solve_tiles(
    begin: int,
    end: int,
    tiles: Tiles,
    factors: Factors,
    scale: Float32Array,
    gradient: Float32Array,
    step: Float32Array,
) -> None:
    """Solve every tile for the steps of the fluxes of its own stars (restricted additive Schwarz)."""
    for tile in range(begin, end):
        member = tiles.member[tiles.start[tile] : tiles.start[tile + 1]]
        if member.size == tiles.margin[tile]:
            continue
        matrix = factors.value[factors.start[tile] : factors.start[tile + 1]]
        x = gradient[member] * scale[member]
        solve(matrix, member.size, x)
        for k in range(tiles.margin[tile], member.size):
            step[member[k]] = x[k] * scale[member[k]]


@compiled(fastmath=True)
def step_length(residual: Float32Array, weight: Float32Array, light: Float32Array) -> float:
    """Multiple of a change of the model, all framed images, that lowers chi-square most; 1 if it is none."""
    asked, square = 0.0, 0.0
    for j in range(residual.shape[0]):
        a, b = np.float32(0.0), np.float32(0.0)
        for i in range(residual.shape[1]):
            product = weight[j, i] * light[j, i]
            a += product * residual[j, i]
            b += product * light[j, i]
        asked += float(a)
        square += float(b)
    return asked / square if square > 0 else 1.0
