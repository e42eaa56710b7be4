"""The effective PSF: what a star of unit flux leaves in pixels at any offset from its centre.

Anderson & King (2000, PASP 112, 1360) call the pixel-integrated PSF the *effective* PSF: no further
integration over pixels is needed, the value is read off at the offset of the pixel from the star.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EffectivePsf:
    """An effective PSF on a grid finer than the pixel, at nodes over the detector.

    Parameters
    ----------
    stamps
        Shape (n_y, n_x, size, size), axes (node row, node column, y, x); ``size`` is odd. The value at
        ``[..., j, i]`` is the fraction of a star's flux in a pixel whose centre lies
        ``((i - c) / oversampling, (j - c) / oversampling)`` pixels from the star, ``c = (size - 1) / 2``.
        Normalised to the flux at infinity: one pixel phase of a stamp sums to less than one by the flux in
        the wings beyond it. Never NaN.
    oversampling
        Grid steps per pixel.
    x_node, y_node
        Shapes (n_x,), (n_y,): detector pixel coordinates (0-based, pixel centres at integers) of the nodes,
        ascending. A single node serves the whole detector.
    """

    stamps: FloatArray
    oversampling: int
    x_node: FloatArray
    y_node: FloatArray

    def __post_init__(self) -> None:
        shape = (self.y_node.size, self.x_node.size, self.size, self.size)
        if self.stamps.shape != shape or self.size % 2 == 0:
            raise ValueError(f"stamps must have shape {shape} with an odd size, got {self.stamps.shape}")
        if not np.isfinite(self.stamps).all():
            raise ValueError("stamps must be finite")

    @property
    def size(self) -> int:
        """Grid points along one side of a stamp."""
        return int(self.stamps.shape[-1])

    @property
    def half_width(self) -> float:
        """Distance in pixels from the centre of a stamp to its outermost grid point."""
        return (self.size - 1) / (2 * self.oversampling)

    def at(self, x: float, y: float) -> FloatArray:
        """Blend the stamps of the nodes around a detector position bilinearly, shape (size, size)."""
        j, v = _cell(self.y_node, y)
        i, u = _cell(self.x_node, x)
        rows = self.stamps[j] if v == 0 else (1 - v) * self.stamps[j] + v * self.stamps[j + 1]
        return np.asarray(rows[i] if u == 0 else (1 - u) * rows[i] + u * rows[i + 1])


def _cell(node: FloatArray, value: float) -> tuple[int, float]:
    """Index of the node before ``value`` and the fraction of the way to the next, held at the edges."""
    if node.size == 1 or value <= node[0]:
        return 0, 0.0
    if value >= node[-1]:
        return node.size - 1, 0.0
    k = int(np.searchsorted(node, value, side="right")) - 1
    return k, float((value - node[k]) / (node[k + 1] - node[k]))
