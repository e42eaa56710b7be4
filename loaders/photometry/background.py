"""The smooth light below the stars: a bicubic spline surface fitted together with the fluxes.

In a crowded field the stars can imitate most of a change of the background, so that a background taken from
the residuals, fluxes fitted, background taken again … converges slowly (by a factor of about two a round).
The surface is therefore moved by the Newton step of the problem *from which the fluxes are eliminated*: a
change b of the background changes the fluxes by -u b (u is known from the factors of the normal matrix), so a
pixel informs it with the weight q = W (1 - Σ u P) and a residual r asks for Σ q r / Σ q.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
import scipy.sparse
import scipy.sparse.linalg
from scipy.interpolate import BSpline

from loaders.photometry.psf_table import Float32Array
from loaders.psf.model import FloatArray
from roman_db.compiled import compiled

BLOCK = 16
"""Side in pixels of the blocks whose means the surface is fitted to."""

_DEGREE = 3
_STIFFNESS = 1e-3
"""Weight of the squared second differences of the coefficients, relative to the mean weight of the data."""

_LEVEL = 1e-5
"""Weight of the squared first differences relative to that of the second ones."""


@dataclass
class BackgroundSurface:
    """A tensor product of cubic B-splines over an image, zero to begin with.

    Parameters
    ----------
    shape
        Shape (ny, nx) of the image.
    spacing
        Distance of the knots in pixels; where an axis is shorter than this the surface is one cubic.
    """

    shape: tuple[int, int]
    spacing: float
    _coefficient: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self._knots = [_knots(length, self.spacing) for length in self.shape]
        self._coefficient = np.zeros([knots.size - _DEGREE - 1 for knots in self._knots])
        self._weight: FloatArray | None = None
        centres = [np.minimum(np.arange(0, n, BLOCK) + (BLOCK - 1) / 2, n - 1) for n in self.shape]
        design = [BSpline.design_matrix(c, k, _DEGREE) for c, k in zip(centres, self._knots, strict=True)]
        self._blocks = scipy.sparse.kron(design[0], design[1], format="csr")
        self._pixels = [
            BSpline.design_matrix(np.arange(n, dtype=float), k, _DEGREE).toarray()
            for n, k in zip(self.shape, self._knots, strict=True)
        ]

    def update(self, value: FloatArray, weight: FloatArray) -> None:
        """Add to the surface the one that fits the blocks best.

        Parameters
        ----------
        value, weight
            Shape (ceil(ny / BLOCK), ceil(nx / BLOCK)): what the background lacks in each block, and the
            inverse variance of it; 0 where a block says nothing.
        """
        if not weight.any():
            return
        if self._weight is None or not np.array_equal(weight, self._weight):
            self._weight, self._solve = weight.copy(), self._factored(weight)
        right = self._blocks.T @ (weight * np.where(weight > 0, value, 0.0)).ravel()
        self._coefficient += self._solve(np.asarray(right)).reshape(self._coefficient.shape)

    def _factored(self, weight: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Solver of the normal equations, which stay the same as long as the weights do."""
        normal = self._blocks.T @ scipy.sparse.diags(weight.ravel()) @ self._blocks
        stiffness = _STIFFNESS * weight.sum() / self._coefficient.size
        system = normal + stiffness * _roughness(self._coefficient.shape)
        return cast("Callable[[FloatArray], FloatArray]", scipy.sparse.linalg.factorized(system.tocsc()))

    def image(self) -> Float32Array:
        """The surface in every pixel, shape (ny, nx)."""
        return np.asarray(self._pixels[0] @ self._coefficient @ self._pixels[1].T, dtype=np.float32)


def block_medians(
    image: Float32Array, usable: npt.NDArray[np.bool_], quantile: float
) -> tuple[FloatArray, FloatArray]:
    """A quantile of the usable pixels of each block, and how many they are."""
    ny, nx = image.shape
    pad = ((0, -ny % BLOCK), (0, -nx % BLOCK))
    framed = np.pad(np.where(usable, image, np.float32(np.nan)), pad, constant_values=np.nan)
    rows, columns = framed.shape[0] // BLOCK, framed.shape[1] // BLOCK
    blocks = framed.reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    count = np.isfinite(blocks).sum(axis=-1)
    ordered = np.sort(blocks, axis=-1)
    at = np.floor(quantile * np.maximum(count - 1, 0)).astype(np.int64)
    value = np.take_along_axis(ordered, at[..., None], axis=-1)[..., 0]
    return np.where(count > 0, value, 0.0).astype(float), count.astype(float)


@compiled()
def block_means(
    residual: Float32Array, weight: Float32Array, response: Float32Array, clip: float
) -> tuple[FloatArray, FloatArray]:
    """Background that the residuals of each block ask for, and its inverse variance.

    Parameters
    ----------
    residual, weight
        Shape (ny, nx): data minus model, and inverse variance (0: unusable).
    response
        Shape (ny, nx): Σ u P, the light that the stars lose per unit of background.
    clip
        Standard deviations at which a residual is held, so that what is no star does not pull (Huber 1964).

    Returns
    -------
    tuple of ndarray
        Shape (ceil(ny / BLOCK), ceil(nx / BLOCK)) each; both are 0 where a block has no information.
    """
    ny, nx = residual.shape
    rows, columns = (ny + BLOCK - 1) // BLOCK, (nx + BLOCK - 1) // BLOCK
    asked, total = np.zeros((rows, columns)), np.zeros((rows, columns))
    for j in range(ny):
        for i in range(nx):
            w = weight[j, i]
            if w > 0:
                q = w * (1 - response[j, i])
                limit = clip / np.sqrt(w)
                asked[j // BLOCK, i // BLOCK] += q * min(max(residual[j, i], -limit), limit)
                total[j // BLOCK, i // BLOCK] += q
    for j in range(rows):
        for i in range(columns):
            if total[j, i] > 0:
                asked[j, i] /= total[j, i]
            else:
                asked[j, i], total[j, i] = 0.0, 0.0
    return asked, total


def _knots(length: int, spacing: float) -> FloatArray:
    """Knots of a cubic spline over the pixel centres of an axis, the outer ones fourfold."""
    intervals = max(1, round((length - 1) / spacing))
    inner = np.linspace(0.0, max(length - 1.0, 1.0), intervals + 1)
    return np.concatenate([[inner[0]] * _DEGREE, inner, [inner[-1]] * _DEGREE])


def _roughness(shape: tuple[int, ...]) -> scipy.sparse.csr_array:
    """Sum of the squared second differences of a coefficient array, as a matrix (Eilers & Marx 1996).

    First differences come in weakly, so that a surface of which little is known stays level.
    """
    total = scipy.sparse.csr_array((np.prod(shape), np.prod(shape)))
    one = [scipy.sparse.eye_array(n) for n in shape]
    for order, weight in ((2, 1.0), (1, _LEVEL)):
        bending = [np.diff(np.eye(n), n=order, axis=0) for n in shape]
        rows, columns = [weight * scipy.sparse.csr_array(part.T @ part) for part in bending]
        total = total + scipy.sparse.kron(rows, one[1]) + scipy.sparse.kron(one[0], columns)
    return scipy.sparse.csr_array(total)
