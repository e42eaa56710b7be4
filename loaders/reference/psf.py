"""The PSF of a reference image: that of its exposures, as the splines of the fine grid can show it.

The reference is the spline from which the pixels of all exposures differ least. With pixels everywhere that
is the orthogonal projection of the scene onto splines of the grid, whose coefficients are the scalar products
of the scene with the orthonormal spline ``φ(u) = Σ_n g(n) β³(u - n)``, where the filter g, done twice, is the
inverse of that by the values of β⁷ (Unser 1999, IEEE Signal Process. Mag. 16, 22). So a star leaves in the
reference the effective PSF of the exposures, in the mean, turned and scaled as they lie in the frame,
convolved with φ along both axes and divided by the number of fine pixels in a detector pixel.

Where exposures are not dithered the pixels of all are at the same places, and the spline goes through them:
a star leaves the effective PSF, of whose values at the pixels the image has the orthonormal coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline
from scipy.ndimage import map_coordinates, spline_filter
from scipy.signal import fftconvolve

from loaders.psf.model import EffectivePsf, FloatArray
from loaders.reference.image import REACH, filter_of_power, filter_of_samples
from loaders.wfi.placement import Placement

STEPS = 4
"""Grid steps of the PSF per fine pixel."""

_REACH = 12
"""Fine pixels after which φ has died out."""


@dataclass(frozen=True)
class PlacedPsf:
    """A PSF that served some exposures, and where one of them lies.

    Parameters
    ----------
    psf
        The PSF of the detector, in detector coordinates.
    origin
        Detector coordinates (x, y) of pixel (0, 0) of the exposure.
    place
        Map from the pixels of the exposure to the fine pixels of the frame.
    shape
        Pixels (ny, nx) of the exposure.
    weight
        How much it counts: the exposures that it served.
    """

    psf: EffectivePsf
    origin: tuple[float, float]
    place: Placement
    shape: tuple[int, int]
    weight: float


def reference_psf(
    placed: Sequence[PlacedPsf], half_width: float, dithered: tuple[bool, bool] = (True, True)
) -> EffectivePsf:
    """Mean PSF of exposures on the fine pixels of their reference.

    Parameters
    ----------
    placed
        The PSFs, at least one.
    half_width
        How far it reaches, fine pixels.
    dithered
        Whether the exposures are, along x and along y.

    Returns
    -------
    EffectivePsf
        Its nodes are those of the first PSF that lie on or next to the exposure, in fine pixels.
    """
    x, y = _nodes(placed[0])
    half = int(half_width) * STEPS
    beyond = half + _REACH * STEPS
    offset = np.arange(-beyond, beyond + 1) / STEPS
    inner = slice(beyond - half, beyond + half + 1)
    total = sum(one.weight for one in placed)
    stamps = np.zeros((y.size, x.size, 2 * half + 1, 2 * half + 1))
    kernels = [projection_kernel() if one else interpolation_kernel() for one in dithered[::-1]]
    for j, i in np.ndindex(y.size, x.size):
        turned = [one.weight / total * _turned(one, float(x[i]), float(y[j]), offset) for one in placed]
        mean = np.sum(turned, axis=0)
        for axis in (0, 1):
            mean = fftconvolve(mean, np.expand_dims(kernels[axis], 1 - axis), mode="same", axes=axis)
        stamps[j, i] = mean[inner, inner]
    middle = placed[0].place
    columns = middle(x, np.full(x.size, float(placed[0].shape[0]) / 2))[0]
    rows = middle(np.full(y.size, float(placed[0].shape[1]) / 2), y)[1]
    return EffectivePsf(stamps, STEPS, columns, rows)


def projection_kernel() -> FloatArray:
    """φ times the step, at steps of ``1 / STEPS`` from -12 to 12 fine pixels, shape (24 STEPS + 1,).

    Sums to one: constants are splines.
    """
    n = np.arange(-REACH, REACH + 1.0)
    u = np.arange(-_REACH * STEPS, _REACH * STEPS + 1) / STEPS
    beta = BSpline.basis_element(np.arange(5.0) - 2, extrapolate=False)
    return np.asarray(np.nan_to_num(beta(u[:, None] - n)) @ filter_of_power(-0.5) / STEPS)


def interpolation_kernel() -> FloatArray:
    """`filter_of_samples` at the steps of `projection_kernel`, where only whole pixels count."""
    out = np.zeros(2 * _REACH * STEPS + 1)
    out[::STEPS] = filter_of_samples()[REACH - _REACH : REACH + _REACH + 1]
    return out


def _nodes(placed: PlacedPsf) -> tuple[FloatArray, FloatArray]:
    """Nodes in pixels of the exposure: those on it and the nearest on either side."""
    out = []
    for node, origin, length in zip(
        (placed.psf.x_node, placed.psf.y_node), placed.origin, placed.shape[::-1], strict=True
    ):
        at = node - origin
        first = max(int(np.searchsorted(at, 0.0, side="right")) - 1, 0)
        last = min(int(np.searchsorted(at, length - 1.0, side="left")), at.size - 1)
        out.append(at[first : last + 1])
    return out[0], out[1]


def _turned(placed: PlacedPsf, x: float, y: float, offset: FloatArray) -> FloatArray:
    """One PSF at a place of its exposure, at offsets in fine pixels, shape (n, n): share in a fine pixel."""
    jacobian = placed.place.jacobian(np.array([x]), np.array([y]))[0]
    u, v = np.meshgrid(offset, offset)
    dx, dy = np.linalg.solve(jacobian, np.stack([u.ravel(), v.ravel()]))
    psf = placed.psf
    stamp = spline_filter(psf.at(x + placed.origin[0], y + placed.origin[1]), order=3, mode="mirror")
    where = np.stack([dy, dx]) * psf.oversampling + psf.size // 2
    value = map_coordinates(stamp, where, order=3, mode="constant", prefilter=False)
    return np.asarray(value.reshape(u.shape) / abs(np.linalg.det(jacobian)))
