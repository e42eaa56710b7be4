"""How well each star was fitted, and how much of the light at its place belongs to others."""

from __future__ import annotations

import numpy as np

from loaders.photometry.joint_fit import FRAME, JointFit
from loaders.photometry.normal_matrix import Stamps
from loaders.photometry.psf_table import STAMP, Float32Array, IntArray
from loaders.psf.model import FloatArray
from roman_db.compiled import compiled

CORE_RADIUS = 2.5
"""Radius in pixels of the core within which the goodness of fit is measured."""


def core_chi2(fit: JointFit, further: FloatArray) -> FloatArray:
    """Reduced chi-square of the core of every star.

    The degrees of freedom are the usable pixels within `CORE_RADIUS` less the parameters spent on them: each
    star spends its one parameter over the pixels in proportion to the information they give about it.

    Parameters
    ----------
    fit
        The joint fit.
    further
        Shape (n,): parameters besides the flux that were fitted to each star; the core has spent these too.

    Returns
    -------
    ndarray
        Shape (n,); NaN where no degree of freedom is left.
    """
    leverage = np.zeros_like(fit.weight)
    information = fit.sums.information
    inverse = np.where(information > 0, 1 / np.maximum(information, np.finfo(np.float32).tiny), np.float32(0))
    for colour in fit.colours:
        fit.workers.run(_scatter_squares, colour.size, colour, fit.tiles.own, fit.stamps, inverse, leverage)
    leverage *= fit.weight
    squares = fit.weight * fit.residual**2
    chi2, freedom = np.empty(fit.count), np.empty(fit.count)
    images = (squares, leverage, fit.weight)
    fit.workers.run(_sum_core, fit.count, fit.stamps, (fit.x, fit.y), images, (chi2, freedom))
    freedom -= further
    return np.asarray(np.where(freedom > 0, chi2 / np.where(freedom > 0, freedom, 1), np.nan))


def crowding(fit: JointFit) -> FloatArray:
    """Share of neighbours in the light of each star's place, weighted by its PSF.

    With the light L of all stars in the model and the star's own flux f and PSF P over its stamp, it is
    ``1 - f Σ P² / Σ P L``, negative fluxes counting as none: 0 for a star alone, towards 1 for a star lost in
    the light of others.

    Returns
    -------
    ndarray
        Shape (n,), between 0 and 1; NaN where the model has no light.
    """
    light = np.zeros_like(fit.residual)
    light[FRAME:-FRAME, FRAME:-FRAME] = fit.field.data - fit.inner_residual - fit.background
    all_light, square = np.empty(fit.count), np.empty(fit.count)
    fit.workers.run(_sum_light, fit.count, fit.stamps, light, (all_light, square))
    own = np.maximum(fit.flux, 0) * square
    others = np.maximum(all_light - fit.flux * square, 0)
    total = own + others
    return np.asarray(np.where(total > 0, others / np.where(total > 0, total, 1), np.nan))


@compiled(fastmath=True)
def _scatter_squares(
    begin: int,
    end: int,
    colour: IntArray,
    own: IntArray,
    stamps: Stamps,
    amount: Float32Array,
    image: Float32Array,
) -> None:
    for k in range(begin, end):
        for s in range(own[colour[k]], own[colour[k] + 1]):
            for j in range(STAMP):
                v = image[stamps.row[s] + j, stamps.column[s] : stamps.column[s] + STAMP]
                p = stamps.value[s, j]
                for i in range(STAMP):
                    v[i] += amount[s] * p[i] * p[i]


@compiled()
def _sum_core(
    begin: int,
    end: int,
    stamps: Stamps,
    position: tuple[FloatArray, FloatArray],
    images: tuple[Float32Array, Float32Array, Float32Array],
    out: tuple[FloatArray, FloatArray],
) -> None:
    squares, leverage, weight = images
    for s in range(begin, end):
        chi2, freedom = 0.0, 0.0
        x, y = position[0][s] + FRAME, position[1][s] + FRAME
        for j in range(stamps.row[s], stamps.row[s] + STAMP):
            for i in range(stamps.column[s], stamps.column[s] + STAMP):
                if weight[j, i] > 0 and (i - x) ** 2 + (j - y) ** 2 <= CORE_RADIUS**2:
                    chi2 += squares[j, i]
                    freedom += 1 - min(leverage[j, i], np.float32(1.0))
        out[0][s], out[1][s] = chi2, freedom


@compiled(fastmath=True)
def _sum_light(
    begin: int, end: int, stamps: Stamps, light: Float32Array, out: tuple[FloatArray, FloatArray]
) -> None:
    for s in range(begin, end):
        total, square = 0.0, 0.0
        for j in range(STAMP):
            v = light[stamps.row[s] + j, stamps.column[s] : stamps.column[s] + STAMP]
            p = stamps.value[s, j]
            for i in range(STAMP):
                total += v[i] * p[i]
                square += p[i] * p[i]
        out[0][s], out[1][s] = total, square
