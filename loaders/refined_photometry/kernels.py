"""The light of stars and its derivatives by their places, as dense rows over the pixels of a cut-out."""

from __future__ import annotations

from typing import Any

import numpy as np

from loaders.psf.kernels import FloatArray, Weights, blend_rows, position_weights, span
from roman_db.compiled import compiled


@compiled()
def fill_light(
    plane: FloatArray, step: int, x: FloatArray, y: FloatArray, side: int, out: FloatArray
) -> None:
    """Draw stars of unit flux.

    Parameters
    ----------
    plane
        Shape (size + 1, size + 1): spline coefficients of the PSF (`loaders.psf.render.spline_coefficients`),
        the last row and column zero.
    step
        Grid steps per pixel.
    x, y
        Shape (n,): places in pixels of the cut-out.
    side
        Pixels along a side of the cut-out.
    out
        Shape (3, n, side²), zero before: the light, and its derivatives by x and y.
    """
    size = plane.shape[0] - 1
    reach = float(size)
    line, slope = np.empty(size + 1), np.empty(size + 1)
    for s in range(x.size):
        i0, i1, ci, u = span(x[s], reach, size, step, side)
        j0, j1, cj, v = span(y[s], reach, size, step, side)
        if i1 < i0:
            continue
        wx, dx = position_weights(u, step, 0), position_weights(u, step, 1)
        wy, dy = position_weights(v, step, 0), position_weights(v, step, 1)
        columns = (ci, ci + step * (i1 - i0) + 4)
        for j in range(j0, j1 + 1):
            row = cj + step * (j - j0)
            blend_rows(plane, row, wy, columns, line)
            blend_rows(plane, row, dy, columns, slope)
            for i in range(i0, i1 + 1):
                c, pixel = ci + step * (i - i0), j * side + i
                out[0, s, pixel] = _four(wx, line, c)
                out[1, s, pixel] = _four(dx, line, c)
                out[2, s, pixel] = _four(wx, slope, c)


@compiled()
def _four(w: Weights, line: FloatArray, c: int) -> Any:
    """Weigh four coefficients of a line."""
    return w[0] * line[c] + w[1] * line[c + 1] + w[2] * line[c + 2] + w[3] * line[c + 3]
