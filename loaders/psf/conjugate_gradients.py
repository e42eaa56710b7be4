"""Linear least squares by preconditioned conjugate gradients on the normal equations, never formed."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from loaders.psf.model import FloatArray


class Design(Protocol):
    """A design matrix, known by its products."""

    def forward(self, unknown: FloatArray) -> FloatArray:
        """Multiply the matrix by a vector of unknowns, shape (n,) to (m,)."""

    def backward(self, row: FloatArray) -> FloatArray:
        """Multiply the transposed matrix by a vector of observations, shape (m,) to (n,)."""

    def precondition(self, unknown: FloatArray) -> FloatArray:
        """Multiply by a symmetric positive matrix near the inverse of the normal matrix, (n,) to (n,)."""


def least_squares(
    design: Design, observed: FloatArray, iterations: int, tolerance: float = 1e-12
) -> FloatArray:
    """Minimise the squared difference of observations and a model that is linear in its unknowns.

    The form of the iteration that keeps the residual and not the gradient, CGLS (Björck 1996, Numerical
    Methods for Least Squares Problems, §7.4), which does not square the condition of the matrix in rounding.

    Parameters
    ----------
    design
        The design matrix.
    observed
        Shape (m,): observations, weighted as the rows of the matrix are.
    iterations
        Most iterations that are made.
    tolerance
        The iteration ends where the squared gradient, in the metric of the preconditioner, has fallen by so
        much.

    Returns
    -------
    ndarray
        Shape (n,): the unknowns.
    """
    residual = observed.copy()
    gradient = design.backward(residual)
    direction = preconditioned = design.precondition(gradient)
    unknown = np.zeros_like(gradient)
    slope = first = float(gradient @ preconditioned)
    for _ in range(iterations):
        if slope <= tolerance * first:
            break
        image = design.forward(direction)
        step = slope / float(image @ image)
        unknown += step * direction
        residual -= step * image
        gradient = design.backward(residual)
        preconditioned = design.precondition(gradient)
        before, slope = slope, float(gradient @ preconditioned)
        direction = preconditioned + slope / before * direction
    return unknown
