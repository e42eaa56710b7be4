"""Orders of a grism or prism in the two forms in which they are published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.polynomial import polyval2d

from loaders.spectral_geometry.polynomial import FloatArray, along_trace, at_field, slope

_TABLE = 33
"""Points of the table in which the parameter of a wavelength is looked up before it is refined."""
_ROUNDS = 30
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


@dataclass(frozen=True)
class FocalPlaneOrder:
    """An order as the optical model of Roman has it: positions in the focal plane of field angles.

    The reference wavelength falls on the place that the maps give. From there light goes
    ``along(t)`` mm in y, where t is the transformed wavelength, and ``curvature(y)`` mm in x.

    Parameters
    ----------
    x_map, y_map
        Shape (p, q): ``[j, k]`` multiplies ``u**j * v**k``, field angles in deg; mm.
    along
        Shape (n, p, q): ``[i, j, k]`` multiplies ``t**i * u**j * v**k``; mm.
    curvature
        Shape (n, p, q): ``[i, j, k]`` multiplies ``dy**i * u**j * v**k`` with dy in mm; mm.
    """

    x_map: FloatArray
    y_map: FloatArray
    along: FloatArray
    curvature: FloatArray

    def in_plane(self, u: FloatArray, v: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Places in the focal plane.

        Parameters
        ----------
        u, v
            Shape (m,): field angles, deg.
        t
            Shape (m, l): transformed wavelengths.

        Returns
        -------
        x, y in mm, each of shape (m, l).
        """
        dy = along_trace(at_field(self.along, u, v), t)
        dx = along_trace(at_field(self.curvature, u, v), dy)
        x, y = (np.asarray(polyval2d(u, v, plane)) for plane in (self.x_map, self.y_map))
        return x[:, None] + dx, y[:, None] + dy


@dataclass(frozen=True)
class TraceOrder:
    """An order as aXe and GRISMCONF have it: offsets from the direct pixel, and wavelengths, of a parameter.

    Parameters
    ----------
    x, y, wavelength
        Shape (n, p, q): ``[i, j, k]`` multiplies ``t**i * x**j * y**k`` of the direct pixel; pixels and µm.
    parameter
        First and last value of the parameter t on the trace.
    by_path
        Whether ``wavelength`` is a polynomial of the length of the path from t = 0 (aXe), not of t itself.
    """

    x: FloatArray
    y: FloatArray
    wavelength: FloatArray
    parameter: tuple[float, float]
    by_path: bool = False

    def wavelengths(self, x: FloatArray, y: FloatArray, t: FloatArray) -> FloatArray:
        """Wavelengths in µm, shape (m, l), of parameters of that shape, for direct pixels of shape (m,)."""
        return along_trace(at_field(self.wavelength, x, y), self._path(x, y, t)[0])

    def displaced(
        self, x: FloatArray, y: FloatArray, wavelength: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Pixels x, y of shape (m, l) of wavelengths (µm) of that shape, for direct pixels of shape (m,)."""
        t = self.parameters(x, y, wavelength)
        offsets = (along_trace(at_field(c, x, y), t) for c in (self.x, self.y))
        across, along = offsets
        return x[:, None] + across, y[:, None] + along

    def parameters(self, x: FloatArray, y: FloatArray, wavelength: FloatArray) -> FloatArray:
        """Parameters of wavelengths: looked up in a table, then refined by Newton's rule to rounding."""
        terms = at_field(self.wavelength, x, y)
        grid = np.broadcast_to(np.linspace(*self.parameter, _TABLE), (x.size, _TABLE))
        table = self.wavelengths(x, y, grid)
        t = np.stack([_looked_up(*row) for row in zip(wavelength, table, grid, strict=True)])
        for _ in range(_ROUNDS):
            path, speed = self._path(x, y, t)
            step = (along_trace(terms, path) - wavelength) / (along_trace(slope(terms), path) * speed)
            t = t - step
            if not np.any(np.abs(step) > 1e-13 * np.ptp(self.parameter)):
                break
        return t

    def _path(self, x: FloatArray, y: FloatArray, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What the wavelength is a polynomial of (t, or the length of the path) and its derivative by t."""
        if not self.by_path:
            return t, np.ones(t.shape)
        speeds = tuple(slope(at_field(c, x, y)) for c in (self.x, self.y))
        nodes = t[..., None] * (_NODES + 1) / 2
        flat = nodes.reshape(x.size, -1)
        speed = np.hypot(*(along_trace(s, flat) for s in speeds)).reshape(nodes.shape)
        now = np.hypot(*(along_trace(s, t) for s in speeds))
        return t / 2 * (speed @ _WEIGHTS), now


def _looked_up(wavelength: FloatArray, table: FloatArray, grid: FloatArray) -> FloatArray:
    """Parameters of the wavelengths of one source by linear interpolation in a monotonic table."""
    order = np.argsort(table)
    return np.asarray(np.interp(wavelength, table[order], grid[order]))
