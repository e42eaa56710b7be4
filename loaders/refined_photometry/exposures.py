"""What the refined photometry of an event takes in: the same piece of the sky in many exposures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import spline_coefficients
from loaders.refined_photometry.kernels import fill_light
from loaders.refined_photometry.options import RefineOptions

BoolArray = npt.NDArray[np.bool_]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PlacedPsf:
    """The effective PSF at the place of an event: spline coefficients, ready for `fill_light`.

    Parameters
    ----------
    plane
        Shape (size + 1, size + 1): coefficients, the last row and column zero.
    oversampling
        Grid steps per pixel.
    """

    plane: FloatArray
    oversampling: int

    @classmethod
    def of(cls, psf: EffectivePsf, x: float, y: float, half_width: int) -> PlacedPsf:
        """The PSF at a place of the detector (pixels), as far out as some pixels."""
        stamp = psf.at(x, y)
        middle, reach = (psf.size - 1) // 2, half_width * psf.oversampling
        cut = max(middle - reach, 0)
        stamp = stamp[cut : psf.size - cut, cut : psf.size - cut]
        return cls(np.pad(spline_coefficients(stamp), ((0, 1), (0, 1))), psf.oversampling)

    def light(self, x: FloatArray, y: FloatArray, side: int) -> FloatArray:
        """Stars of unit flux and the derivatives by x and y in a square of pixels, shape (3, n, side²)."""
        out = np.zeros((3, x.size, side * side))
        fill_light(self.plane, self.oversampling, x, y, side, out)
        return out


@dataclass(frozen=True)
class Cutouts:
    """Pixels around an event in n exposures of one optical element, in nJy.

    Parameters
    ----------
    data
        Shape (n, side, side), nJy a pixel, less the light of stars that are not fitted; 0 where not usable.
    usable, saturated
        Shape (n, side, side): pixels that count, and those that saturated on the way; none beyond the edge.
    beyond
        Shape (n, side, side): light that was taken away from the data; its photons are noise all the same.
    read, poisson
        Shape (n,): variance without light (nJy²), and per unit of rate (nJy).
    scale
        Shape (n, side, side): factor of the variance.
    x, y
        Shape (n, k): places of the k stars of the scene, by catalog and WCS, pixels of the cut-out.
    to_pixel
        Shape (n, 2, 2): pixels (x, y) a mas (east, north).
    psf
        Shape (n,): which of the PSFs is that of each exposure.
    psfs
        The PSFs.
    bjd
        Shape (n,): midpoints, BJD (TDB).
    """

    data: Float32Array
    usable: BoolArray
    saturated: BoolArray
    beyond: Float32Array
    read: FloatArray
    poisson: FloatArray
    scale: Float32Array
    x: FloatArray
    y: FloatArray
    to_pixel: FloatArray
    psf: IntArray
    psfs: Sequence[PlacedPsf]
    bjd: FloatArray

    def __post_init__(self) -> None:
        lengths = {f.name: len(getattr(self, f.name)) for f in fields(self) if f.name != "psfs"}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"cut-outs need one entry of everything for each exposure, got {lengths}")
        if self.x.shape != self.y.shape or self.x.ndim != 2:
            raise ValueError(f"x and y must have one shape (n, k), got {self.x.shape} and {self.y.shape}")

    def __len__(self) -> int:
        return len(self.bjd)

    @property
    def side(self) -> int:
        """Pixels along a side."""
        return int(self.data.shape[-1])

    def take(self, chosen: IntArray) -> Cutouts:
        """Some of the exposures."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "psfs"}
        return Cutouts(psfs=self.psfs, **{name: value[chosen] for name, value in named.items()})


@dataclass(frozen=True)
class SceneStars:
    """The stars of a scene, shape (k,) each.

    Parameters
    ----------
    flux
        Catalogued flux, nJy; NaN where unknown.
    position_err
        Standard error of the catalogued place along an axis, mas.
    varies
        Whether the star is known to vary: its flux is free in every exposure.
    target
        Which of them is the object of the event.
    """

    flux: FloatArray
    position_err: FloatArray
    varies: BoolArray
    target: int


@dataclass(frozen=True)
class Scene:
    """Exposures of a scene in one optical element, its stars, and how it is fitted."""

    cutouts: Cutouts
    stars: SceneStars
    options: RefineOptions

    def take(self, chosen: IntArray) -> Scene:
        """The same in some of the exposures."""
        return replace(self, cutouts=self.cutouts.take(chosen))
