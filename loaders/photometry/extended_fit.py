"""Positions and shapes of bright stars, jointly with the fluxes of all stars.

The system of a tile is extended by further columns for each bright star: the derivatives of its light with
its position (x, y), and with size and ellipticity of its image. A star's image changes with size s and
ellipticity (e1, e2) by the linear map ``(1 + s) I + [[e1, e2], [e2, -e1]]`` of its offsets, the flux held
(Bernstein & Jarvis 2002, AJ 123, 583, for small shears). One solution is one Gauss-Newton step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from loaders.photometry.cholesky import factor, is_pinned, marginal_covariances, solve
from loaders.photometry.normal_matrix import Stamps, normal_matrix
from loaders.photometry.psf_table import (
    BEFORE,
    STAMP,
    Float32Array,
    IntArray,
    Nodes,
    Planes,
    blend,
    fill_stamp,
)
from loaders.photometry.tiling import Tiles
from loaders.psf.model import FloatArray
from roman_db.compiled import compiled

COLUMNS = 6
"""Columns of a star at most: flux, x, y, size, e1, e2."""


class Extended(NamedTuple):
    """What the extended fit reads of the stars, shape (n,) each.

    ``columns`` is the number of columns of each star: 1 (flux), 3 (and position) or 6 (and shape);
    ``cell`` the cell in whose centre its PSF is taken. ``anchor``, shape (n, 3), is what is known of the
    position beforehand: the inverse variance (pixels to the power -2; 0 where nothing is known) along either
    axis, and how far from the present position the expected one lies in x and y (pixels).
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    columns: IntArray
    cell: IntArray
    anchor: FloatArray


class Images(NamedTuple):
    """Framed images of weights and of weighted residuals."""

    weight: Float32Array
    weighted_residual: Float32Array


@compiled()
def solve_extended(
    begin: int,
    end: int,
    tiles: Tiles,
    light: tuple[Extended, Stamps],
    psf: tuple[Planes, Nodes],
    images: Images,
    out: tuple[Float32Array, Float32Array, Float32Array],
) -> None:
    """Step and marginal variance, shape (n, COLUMNS) each, of every column of the tiles' own stars.

    And, shape (n,), the variance of the flux if the star's own position is known: see `Solution`.
    """
    stars, stamps = light
    step, variance, at_place = out
    for tile in range(begin, end):
        member = tiles.member[tiles.start[tile] : tiles.start[tile + 1]]
        margin = tiles.margin[tile]
        if member.size == margin:
            continue
        local, first = _columns(member, margin, stars, stamps, psf)
        n = local.row.size
        scale, x = _project_columns(local, images, _anchors(member, stars, n))
        matrix = np.empty(n * (n + 1) // 2, dtype=np.float32)
        normal_matrix(np.arange(n), local, images.weight, scale, matrix)
        factor(matrix, n)
        solve(matrix, n, x)
        covariance = np.empty((n - first, 3), dtype=np.float32)
        marginal_covariances(matrix, first, n, covariance)
        k = first
        for s in member[margin:]:
            if not is_pinned(matrix, k):
                at_place[s] = _at_place(covariance, k - first, stars.columns[s]) * scale[k] ** 2
            for c in range(stars.columns[s]):
                if not is_pinned(matrix, k):
                    step[s, c] = x[k] * scale[k]
                    variance[s, c] = covariance[k - first, 0] * scale[k] ** 2
                k += 1


@compiled()
def _at_place(covariance: Float32Array, k: int, columns: int) -> np.float32:
    """Variance of the flux in column k given the position in the next two, if these are fitted."""
    own = np.float32(covariance[k, 0])
    if columns == 1:
        return own
    fx, fy = covariance[k, 1], covariance[k, 2]
    xx, xy, yy = covariance[k + 1, 0], covariance[k + 1, 1], covariance[k + 2, 0]
    determinant = xx * yy - xy * xy
    if not determinant > 0:
        return own
    return np.float32(own - (fx * fx * yy - 2 * fx * fy * xy + fy * fy * xx) / determinant)


@compiled()
def _columns(
    member: IntArray, margin: int, stars: Extended, stamps: Stamps, psf: tuple[Planes, Nodes]
) -> tuple[Stamps, int]:
    """All columns of the members of a tile, star by star, and the number of those of the margin."""
    count = 0
    for s in member:
        count += stars.columns[s]
    value = np.empty((count, STAMP, STAMP), dtype=np.float32)
    row, column = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    planes, nodes = psf
    buffer = np.empty(planes.coefficient.shape[1:], dtype=np.float32)
    blended, current = Planes(buffer, planes.step, planes.centre, planes.pad), -1
    k, first = 0, 0
    for m in range(member.size):
        s = member[m]
        if m == margin:
            first = k
        used = stars.columns[s]
        row[k : k + used], column[k : k + used] = stamps.row[s], stamps.column[s]
        for j in range(STAMP):
            for i in range(STAMP):
                value[k, j, i] = stamps.value[s, j, i]
        if used > 1:
            if stars.cell[s] != current:
                current = stars.cell[s]
                blended = blend(planes, nodes, current, buffer)
            _fill_derivatives(blended, stars, s, value[k : k + used])
        k += used
    return Stamps(value, row, column), first


@compiled()
def _fill_derivatives(psf: Planes, stars: Extended, s: int, value: Float32Array) -> None:
    """Derivatives of the light of a star with position and shape, after its PSF in ``value[0]``."""
    at = (stars.x[s], stars.y[s])
    flux = np.float32(stars.flux[s])
    fill_stamp(psf, at, (1, 0), value[1])
    fill_stamp(psf, at, (0, 1), value[2])
    for j in range(STAMP):
        for i in range(STAMP):
            value[1, j, i] *= -flux
            value[2, j, i] *= -flux
    if value.shape[0] < COLUMNS:
        return
    u0, v0 = np.floor(at[0]) - BEFORE - at[0], np.floor(at[1]) - BEFORE - at[1]
    for j in range(STAMP):
        for i in range(STAMP):
            u, v = np.float32(u0 + i), np.float32(v0 + j)
            gx, gy = value[1, j, i], value[2, j, i]
            value[3, j, i] = u * gx + v * gy - 2 * flux * value[0, j, i]
            value[4, j, i] = u * gx - v * gy
            value[5, j, i] = v * gx + u * gy


@compiled()
def _anchors(member: IntArray, stars: Extended, n: int) -> Float32Array:
    """Information and pull of what is known beforehand of each of n columns, shape (n, 2)."""
    known = np.zeros((n, 2), dtype=np.float32)
    k = 0
    for s in member:
        if stars.columns[s] > 1:
            for axis in range(2):
                known[k + 1 + axis, 0] = stars.anchor[s, 0]
                known[k + 1 + axis, 1] = stars.anchor[s, 1 + axis]
        k += stars.columns[s]
    return known


@compiled(fastmath=True)
def _project_columns(local: Stamps, images: Images, known: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Scale of every column, and the scaled right-hand side."""
    n = local.row.size
    scale, right = np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.float32)
    for k in range(n):
        information, asked = known[k, 0], known[k, 0] * known[k, 1]
        for j in range(STAMP):
            w = images.weight[local.row[k] + j, local.column[k] : local.column[k] + STAMP]
            r = images.weighted_residual[local.row[k] + j, local.column[k] : local.column[k] + STAMP]
            p = local.value[k, j]
            for i in range(STAMP):
                information += w[i] * p[i] * p[i]
                asked += r[i] * p[i]
        if information > 0:
            scale[k] = 1 / np.sqrt(information)
            right[k] = asked * scale[k]
    return scale, right
