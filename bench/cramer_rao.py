"""The smallest errors that joint photometry of all stars of an image can have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import scipy.sparse

from bench.sample import WINDOW_ORIGIN, Sample
from loaders.psf.model import EffectivePsf
from loaders.psf.render import SplinePsf, Stars, draw

FloatArray = npt.NDArray[np.float64]

#: Sky in the romanisim files, DN/s.
SKY = 3.0
BRIGHT_REACH, FAINT_REACH = 60, 20
CRB_TILE, CRB_MARGIN, CRB_RADIUS = 50, 10, 12


def cramer_rao(sample: Sample, psf: EffectivePsf) -> FloatArray:
    """Smallest errors that fluxes can have, all fluxes and the local sky being unknown; NaN off the image.

    The Fisher matrix is inverted densely in windows with a margin, light beyond 12 pixels left out.
    """
    local = replace(psf, x_node=psf.x_node - WINDOW_ORIGIN[0], y_node=psf.y_node - WINDOW_ORIGIN[1])
    model = np.zeros(sample.image.data.shape)
    reach = np.where(sample.flux > 100, BRIGHT_REACH, FAINT_REACH).astype(np.int64)
    draw(model, SplinePsf.of(local), Stars(sample.stars.x, sample.stars.y, sample.flux, reach))
    good = sample.image.good_pixels()
    weight = np.where(good, 1 / sample.image.noise.variance(model + SKY), 0.0)
    bound = np.full(sample.flux.size, np.nan)
    for top in range(0, model.shape[0], CRB_TILE):
        for left in range(0, model.shape[1], CRB_TILE):
            _window_bounds(sample, local, weight, (top, left), bound)
    return bound


def _window_bounds(
    sample: Sample, psf: EffectivePsf, weight: FloatArray, corner: tuple[int, int], bound: FloatArray
) -> None:
    top, left = corner
    rows = slice(max(top - CRB_MARGIN, 0), top + CRB_TILE + CRB_MARGIN)
    columns = slice(max(left - CRB_MARGIN, 0), left + CRB_TILE + CRB_MARGIN)
    part = weight[rows, columns]
    x, y = sample.stars.x - columns.start, sample.stars.y - rows.start
    member = np.flatnonzero((x > -1) & (x < part.shape[1]) & (y > -1) & (y < part.shape[0]))
    here = psf.at(left + CRB_TILE / 2, top + CRB_TILE / 2)
    design = _design(here, psf.oversampling, (x[member], y[member]), part.shape)
    fisher = (design.T @ scipy.sparse.diags_array(part.ravel()) @ design).toarray()
    seen = np.diag(fisher) > 1e-6 * np.median(np.diag(fisher))
    error = np.full(member.size + 1, np.nan)
    error[seen] = np.sqrt(np.diag(np.linalg.inv(fisher[np.ix_(seen, seen)])))
    xs, ys = sample.stars.x[member] + 0.5, sample.stars.y[member] + 0.5
    own = (xs >= left) & (xs < left + CRB_TILE) & (ys >= top) & (ys < top + CRB_TILE)
    bound[member[own]] = error[:-1][own]


def _design(
    grid: FloatArray, oversampling: int, position: tuple[FloatArray, FloatArray], shape: tuple[int, int]
) -> scipy.sparse.csc_array:
    """Light of each star of unit flux in every pixel, and a constant sky as the last column.

    All stars are drawn at once, side by side on a strip.
    """
    psf = SplinePsf.of(EffectivePsf(grid[None, None], oversampling, np.zeros(1), np.zeros(1)))
    x, y = position
    count, side = x.size, 2 * CRB_RADIUS + 3
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    strip = np.zeros((side, side * count))
    middle = CRB_RADIUS + 1 + side * np.arange(count)
    stars = Stars(x - column + middle, y - row + CRB_RADIUS + 1, np.ones(count), np.full(count, CRB_RADIUS))
    draw(strip, psf, stars)
    offset = np.arange(side) - CRB_RADIUS - 1
    at_row = row[:, None, None] + offset[None, :, None] + np.zeros_like(offset)
    at_column = column[:, None, None] + offset[None, None, :] + np.zeros_like(offset)[:, None]
    light = strip.reshape(side, count, side).transpose(1, 0, 2)
    star = np.broadcast_to(np.arange(count)[:, None, None], light.shape)
    inside = (at_row >= 0) & (at_row < shape[0]) & (at_column >= 0) & (at_column < shape[1]) & (light != 0)
    pixel = at_row[inside] * shape[1] + at_column[inside]
    matrix = scipy.sparse.coo_array((light[inside], (pixel, star[inside])), (shape[0] * shape[1], count))
    return scipy.sparse.csc_array(scipy.sparse.hstack([matrix, np.ones((matrix.shape[0], 1))]))
