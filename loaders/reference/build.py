"""A reference image from exposures: add, solve, lay each on the result, leave out what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.photometry.parallel import Workers, available_threads
from loaders.reference.frame import ReferenceFrame
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.normal import ExposurePixels, NormalEquations
from loaders.reference.registration import Registration, moved, outliers, register
from loaders.rejection import Rejected
from loaders.wfi.placement import Placement, fit_placement
from loaders.wfi.projection import SkyProjection

BoolArray = npt.NDArray[np.bool_]
Progress = Callable[[str, int, int], None]


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
class ReferenceOptions:
    """Options of `build_reference`.

    Parameters
    ----------
    passes
        Times that the exposures are laid on the reference and added anew.
    max_shift
        Shift in detector pixels beyond which the WCS of an exposure is taken to be wrong.
    max_rejected
        Share of outliers among the pixels of an exposure beyond which it is left out.
    max_scale
        Factor by which an exposure may be brighter or fainter than the others.
    threads
        Threads to use; None for all processors.
    """

    passes: int = 2
    max_shift: float = 0.5
    max_rejected: float = 0.1
    max_scale: float = 1.25
    threads: int | None = None


@dataclass(frozen=True)
class MemberState:
    """An exposure in a reference.

    Parameters
    ----------
    place
        Where its pixels lie in the frame, as found; None if it does not overlap the frame.
    sky
        Sky that was subtracted, in the unit of the exposures per detector pixel.
    scale
        Its light over that of the reference.
    shift
        Shift of its middle from where its WCS has it, fine pixels along x and y; the mean of all is zero.
    shift_err
        Standard errors of the shift.
    rejected
        Share of its pixels that were left out as outliers.
    weight
        Inverse variance of one of its pixels without stars.
    refused
        Why it was left out altogether; None if it is in.
    """

    place: Placement | None
    sky: float
    scale: float
    shift: tuple[float, float]
    shift_err: tuple[float, float]
    rejected: float
    weight: float
    refused: str | None = None


@dataclass(frozen=True)
class Reference:
    """A reference image.

    Parameters
    ----------
    frame
        Its pixels on the sky.
    image
        Flux in each fine pixel, sky subtracted, with its noise; fluxes of stars add up to what they are in an
        exposure. The noise of neighbouring pixels is nearly independent.
    coefficient
        Shape (ny, nx): spline coefficients of the flux in a *detector* pixel centred at each place.
    coverage
        Shape (ny, nx): number of exposures that see each place: their pixels around it, times the share of a
        detector pixel that a fine one is.
    members
        The exposures, in their order.
    """

    frame: ReferenceFrame
    image: PixelImage
    coefficient: FloatArray
    coverage: Float32Array
    members: tuple[MemberState, ...]


Load = Callable[[int], ExposureImage]


def build_reference(
    load: Load,
    count: int,
    frame: ReferenceFrame,
    options: ReferenceOptions | None = None,
    progress: Progress | None = None,
) -> Reference:
    """Build a reference image from exposures of one filter.

    Parameters
    ----------
    load
        Gives the exposure of a number from 0 on; called once for every pass, so that not all need to be in
        memory.
    count
        Number of exposures.
    frame
        The pixels to make.
    options
        Options; the defaults if None.
    progress
        Told what is done, and how many exposures of how many.

    Returns
    -------
    Reference

    Raises
    ------
    Rejected
        If no exposure overlaps the frame, or all had to be left out.
    """
    options = options or ReferenceOptions()
    tell = progress or (lambda *_: None)
    with Workers(options.threads or available_threads()) as workers:
        members = [_first_state(load(k), frame) for k in range(count)]
        _require(members, "no exposure overlaps the frame")
        equations = _add_all(load, members, None, frame, workers)
        coefficient = equations.solve()
        left = options.passes if _can_judge(members, frame) else 0
        for number in range(left + _MORE_PASSES):
            if left == 0:
                break
            what = partial(tell, f"pass {number + 1}")
            before = members
            members = _registered(load, members, coefficient, options, frame, what)
            _require(members, "every exposure had to be left out")
            equations = _add_all(load, members, coefficient, frame, workers)
            coefficient = equations.solve(coefficient)
            # What was just left out had spoilt the image that the others were judged by.
            left -= not _lost_any(before, members)
        members, (read, poisson) = _concluded(load, members, coefficient, frame)
    return _reference(frame, equations, coefficient, members, (read, poisson))


def _lost_any(before: Sequence[MemberState], after: Sequence[MemberState]) -> bool:
    """Whether an exposure was left out in the last pass."""
    return any(a.refused is None and b.refused is not None for a, b in zip(before, after, strict=True))


def _can_judge(members: Sequence[MemberState], frame: ReferenceFrame) -> bool:
    """Whether there are so many exposures that one can be told from the others."""
    used = sum(member.refused is None for member in members)
    return used >= max(3, 2 * frame.oversampling**2)


def _require(members: Sequence[MemberState], what: str) -> None:
    if any(member.refused is None for member in members):
        return
    why = ", ".join(sorted({member.refused or "" for member in members}))
    raise Rejected("reference", f"{what}: {why}", "Check the pointing of the exposures", "no_exposure")


def _first_state(exposure: ExposureImage, frame: ReferenceFrame) -> MemberState:
    """Where the WCS has an exposure, with its median as sky."""
    image, projection = exposure.image, exposure.projection
    ny, nx = image.data.shape
    good = image.good_pixels()
    sky = float(np.median(image.data[good]))
    weight = 1 / float(np.median(image.noise.variance(np.full(image.data.shape, sky))[good]))
    state = MemberState(None, sky, 1.0, (0.0, 0.0), (np.nan, np.nan), 0.0, weight)

    def to_frame(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return frame.projection.to_pixel(*projection.to_sky(x, y))

    try:
        place = fit_placement(to_frame, (0, 0), (nx - 1, ny - 1))
    except ValueError:
        return replace(state, refused="it does not lie in the frame")
    return replace(state, place=place)


def _pixels(
    exposure: ExposureImage, member: MemberState, coefficient: FloatArray | None
) -> tuple[ExposurePixels, float]:
    """Pixels of an exposure as they enter the sums, and the share that was left out as outliers."""
    assert member.place is not None
    image = exposure.image
    good = image.good_pixels()
    scale = np.broadcast_to(np.asarray(image.noise.scale, dtype=np.float32), good.shape)
    value = ((image.data - member.sky) / member.scale).astype(np.float32)
    weight = np.where(good, member.weight * member.scale**2 / np.where(good, scale, 1), 0)
    pixels = ExposurePixels(
        np.where(good, value, 0).astype(np.float32), weight.astype(np.float32), member.place
    )
    if coefficient is None:
        return pixels, 0.0
    bad = outliers(coefficient, pixels, image)
    kept = replace(pixels, weight=np.where(bad, 0, pixels.weight).astype(np.float32))
    return kept, float(bad.sum()) / max(int(good.sum()), 1)


def _add_all(
    load: Load,
    members: Sequence[MemberState],
    coefficient: FloatArray | None,
    frame: ReferenceFrame,
    workers: Workers,
) -> NormalEquations:
    """Sums of all exposures that are in."""
    equations = NormalEquations(frame.shape, workers)
    for number, member in enumerate(members):
        if member.refused is None:
            equations.add(_pixels(load(number), member, coefficient)[0])
    return equations


def _registered(
    load: Load,
    members: Sequence[MemberState],
    coefficient: FloatArray,
    options: ReferenceOptions,
    frame: ReferenceFrame,
    tell: Callable[[int, int], None],
) -> list[MemberState]:
    """Lay all exposures on the reference; those that fit much worse than the others are left out."""
    found: list[tuple[MemberState, Registration | None]] = []
    for number, member in enumerate(members):
        if member.refused is None:
            exposure = load(number)
            pixels, rejected = _pixels(exposure, member, coefficient)
            found.append((replace(member, rejected=rejected), register(coefficient, pixels, exposure.image)))
        else:
            found.append((member, None))
        tell(number + 1, len(members))
    usual = float(np.median([member.rejected for member, one in found if one is not None]))
    limits = replace(options, max_rejected=max(options.max_rejected, _WORSE * usual))
    judged = [
        (
            member if one is None else replace(member, refused=_refusal(one, member.rejected, limits, frame)),
            one,
        )
        for member, one in found
    ]
    return list(_moved_members(judged))


def _refusal(
    registration: Registration, rejected: float, options: ReferenceOptions, frame: ReferenceFrame
) -> str | None:
    """Why an exposure does not belong in the reference; None if it does."""
    shift = float(np.hypot(*registration.shift)) / frame.oversampling
    if not shift <= options.max_shift:
        return f"its WCS is off by {shift:.2f} detector pixels or more"
    if not 1 / options.max_scale <= registration.scale <= options.max_scale:
        return f"its stars have {registration.scale:.2f} times the light of the others"
    if not rejected <= options.max_rejected:
        return f"{rejected:.0%} of its pixels do not fit the others"
    return None


def _moved_members(
    found: Sequence[tuple[MemberState, Registration | None]],
) -> Iterator[MemberState]:
    """Members at their new places, less the mean of what all moved by: the frame stays where WCSs have it."""
    inside = [r for member, r in found if r is not None and member.refused is None]
    mean = np.mean([r.shift for r in inside], axis=0) if inside else np.zeros(2)
    linear = np.mean([r.linear for r in inside], axis=0) if inside else np.zeros((2, 2))
    for member, registration in found:
        if registration is None or member.refused is not None or member.place is None:
            yield member
            continue
        shift = np.array(registration.shift) - mean
        pixels = ExposurePixels(np.empty((0, 0), np.float32), np.empty((0, 0), np.float32), member.place)
        total = np.array(member.shift) + shift
        yield replace(
            member,
            place=moved(pixels, shift, registration.linear - linear).place,
            sky=member.sky + registration.sky * member.scale,
            scale=member.scale * registration.scale,
            shift=(float(total[0]), float(total[1])),
            shift_err=registration.shift_err,
        )


def _concluded(
    load: Load, members: Sequence[MemberState], coefficient: FloatArray, frame: ReferenceFrame
) -> tuple[list[MemberState], tuple[float, float]]:
    """Members, and the mean noise of an exposure: variance without stars, and per unit of rate."""
    read, poisson = [], []
    for number, member in enumerate(members):
        if member.refused is None:
            noise = load(number).image.noise
            read.append(noise.read + noise.poisson * max(member.sky, 0.0))
            poisson.append(noise.poisson)
    return list(members), (float(np.mean(read)), float(np.mean(poisson)))


def _reference(
    frame: ReferenceFrame,
    equations: NormalEquations,
    coefficient: FloatArray,
    members: Sequence[MemberState],
    noise: tuple[float, float],
) -> Reference:
    """The image that the coefficients say, with its noise."""
    fine = frame.oversampling**2
    unit = float(np.mean([member.weight for member in members if member.refused is None]))
    # The sums are kept per fine pixel; a detector pixel's worth of them is what an exposure gives.
    samples = uniform_filter(equations.weight, 2 * frame.oversampling + 1, mode="constant") / unit
    usable = samples > _LEAST_SAMPLES / fine
    scale = np.where(usable, 1 / np.where(usable, samples, 1), np.nan).astype(np.float32)
    model = NoiseModel(noise[0] / fine**2, noise[1] / fine, scale)
    data = (values_of(coefficient) / fine).astype(np.float32)
    image = PixelImage(data, model, usable, name="reference")
    return Reference(frame, image, coefficient, (samples * fine).astype(np.float32), tuple(members))


_MORE_PASSES = 3
"""Passes that may come on top where exposures had to be left out."""

_WORSE = 3.0
"""Outliers of an exposure over those that are usual at which it is said not to fit the others."""

_LEAST_SAMPLES = 0.5
"""Exposures that must see a place, for it to be usable."""


def values_of(coefficient: FloatArray) -> FloatArray:
    """Values at the grid points of cubic B-spline coefficients, those beyond the edge being zero."""
    framed = np.pad(coefficient, 1)
    rows = (framed[:-2] + 4 * framed[1:-1] + framed[2:]) / 6
    return np.asarray((rows[:, :-2] + 4 * rows[:, 1:-1] + rows[:, 2:]) / 6)
