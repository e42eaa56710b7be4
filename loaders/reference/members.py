"""What is known of each exposure of a reference, and its pixels as they enter the sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from loaders.photometry.image import PixelImage
from loaders.reference.frame import ReferenceFrame, is_dithered
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.normal import ExposurePixels
from loaders.rejection import Rejected
from loaders.wfi.placement import Placement, fit_placement
from loaders.wfi.projection import SkyProjection


@dataclass(frozen=True)
class ExposureImage:
    """An exposure to go into a reference.

    Parameters
    ----------
    image
        Pixels and noise; fluxes of all exposures are of one unit.
    projection
        Its pixels on the sky.
    """

    image: PixelImage
    projection: SkyProjection


@dataclass(frozen=True)
class MemberState:
    """An exposure in a reference.

    Parameters
    ----------
    place
        Where its pixels lie in the frame, as found; None if it does not overlap the frame.
    sky
        Sky that was subtracted, in the unit of the exposures per detector pixel. Faint stars that every pixel
        has light of are sky too: skies are right relative to one another.
    scale
        Its light over that of the reference; the mean of all is one.
    shift
        Shift of its middle from where its WCS has it, fine pixels along x and y; the mean of all is zero.
    shift_err
        Standard errors of the shift.
    rejected
        Share of its pixels that were left out as outliers.
    weight
        Inverse variance of one of its pixels without stars.
    poisson
        Variance of its pixels per unit of rate.
    refused
        Why it was left out altogether; None if it is in.
    linear
        Shape (2, 2): change of the shift (rows x, y) from the middle to the right edge and to the upper one,
        fine pixels.
    scale_err
        Standard error of the scale; NaN where fewer than three stars say it, and the scale stays as it was.
    n_scale_star
        Stars that were asked for the scale.
    """

    place: Placement | None
    sky: float
    scale: float
    shift: tuple[float, float]
    shift_err: tuple[float, float]
    rejected: float
    weight: float
    poisson: float
    refused: str | None = None
    linear: FloatArray = field(default_factory=lambda: np.zeros((2, 2)))
    scale_err: float = float("nan")
    n_scale_star: int = 0


_UNKNOWN = MemberState(None, np.nan, 1.0, (0.0, 0.0), (np.nan, np.nan), 0.0, np.nan, np.nan)


def first_state(exposure: ExposureImage, frame: ReferenceFrame) -> MemberState:
    """Where the WCS has an exposure, with its median as sky."""
    image, projection = exposure.image, exposure.projection
    ny, nx = image.data.shape

    def to_frame(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return frame.projection.to_pixel(*projection.to_sky(x, y))

    try:
        good = image.good_pixels()
        place = fit_placement(to_frame, (0, 0), (nx - 1, ny - 1))
    except Rejected as error:
        return replace(_UNKNOWN, refused=error.what)
    except ValueError:
        return replace(_UNKNOWN, refused="it does not lie in the frame")
    sky = float(np.median(image.data[good]))
    weight = 1 / float(np.median(image.noise.variance(np.full(image.data.shape, sky))[good]))
    return replace(_UNKNOWN, place=place, sky=sky, weight=weight, poisson=image.noise.poisson)


def dithered_on(members: Sequence[MemberState], oversampling: int) -> tuple[bool, bool]:
    """Whether pixels of a frame see several places in those of the exposures that are in, along x and y.

    On a grid finer than the detector they always do: it has pixels between those of any exposure.
    """
    corner = np.zeros(1)
    places = [one.place(corner, corner) for one in members if one.refused is None and one.place is not None]
    return (True, True) if oversampling > 1 else is_dithered(np.array(places).reshape(-1, 2) % 1.0)


def pixels_of(exposure: ExposureImage, member: MemberState) -> ExposurePixels:
    """Pixels of an exposure as they enter the sums."""
    assert member.place is not None
    image = exposure.image
    good = image.good_pixels()
    value = np.where(good, (image.data - member.sky) / member.scale, 0).astype(np.float32)
    weight = np.where(good, member.weight * member.scale**2 / _relative_variance(image), 0)
    growth = member.weight * member.poisson * member.scale
    return ExposurePixels(value, weight.astype(np.float32), member.place, growth)


def _relative_variance(image: PixelImage) -> Float32Array:
    """Variance of each pixel over the common one, shape (ny, nx); 1 where it is not known."""
    scale = np.broadcast_to(np.asarray(image.noise.scale, dtype=np.float32), image.data.shape)
    return np.where(np.isfinite(scale) & (scale > 0), scale, np.float32(1))
