"""A pass over the exposures of a reference: add all, lay each on the result, judge its pixels and itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from loaders.photometry.parallel import Workers
from loaders.reference.contested import Contest, at_places, surroundings, without_places
from loaders.reference.frame import ReferenceFrame
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.members import ExposureImage, MemberState, pixels_of
from loaders.reference.normal import ExposurePixels, NormalEquations
from loaders.reference.registration import (
    UNMOVED,
    Base,
    Outliers,
    Registration,
    base_of,
    brought,
    moved,
    outliers,
    register,
    softened,
)

BoolArray = npt.NDArray[np.bool_]

Load = Callable[[int], ExposureImage]


@dataclass(frozen=True)
class ReferenceOptions:
    """Options of `build_reference`.

    Parameters
    ----------
    passes
        Times that the exposures are laid on the reference and added anew, those after which one is left out
        not counted.
    max_shift
        Shift in detector pixels beyond which the WCS of an exposure is taken to be wrong.
    max_rejected
        Share of outliers among the pixels of an exposure beyond which it is left out.
    max_scale
        Factor by which an exposure may be brighter or fainter than the others.
    most_pixels
        Fine pixels that are solved for at once: each takes some 130 bytes while that lasts.
    threads
        Threads to use; None for all processors.
    """

    passes: int = 3
    max_shift: float = 0.5
    max_rejected: float = 0.1
    max_scale: float = 1.25
    most_pixels: int = 2**25
    threads: int | None = None


@dataclass(frozen=True)
class Work:
    """What all steps need."""

    load: Load
    frame: ReferenceFrame
    options: ReferenceOptions
    workers: Workers


@dataclass(frozen=True)
class Laid:
    """An exposure laid on the reference, and the pixels that do not fit; None if it is not in."""

    member: MemberState
    registration: Registration | None = None
    outliers: Outliers | None = None
    place: ExposurePixels | None = None


Factors = tuple[npt.NDArray[np.int64], Float32Array]
"""Pixels of the flattened exposure, and factors of their weights."""


def add_all(work: Work, members: Sequence[MemberState], factors: Sequence[Factors | None]) -> NormalEquations:
    """Sums of all exposures that are in, the weights of some pixels lowered."""
    equations = NormalEquations(work.frame.shape, work.workers)
    for number, (member, factor) in enumerate(zip(members, factors, strict=True)):
        if member.refused is None:
            equations.add(weighed_pixels(work, number, member, factor))
    return equations


def weighed_pixels(work: Work, number: int, member: MemberState, factor: Factors | None) -> ExposurePixels:
    """Pixels of an exposure, the weights of some of them lowered."""
    pixels = pixels_of(work.load(number), member)
    if factor is not None:
        pixels.weight.ravel()[factor[0]] *= factor[1]
    return pixels


def lay_all(
    work: Work,
    members: Sequence[MemberState],
    coefficient: FloatArray,
    how: tuple[Float32Array, bool, BoolArray | None],
    tell: Callable[[int, int], None],
) -> tuple[list[Laid], BoolArray]:
    """Lay all exposures on the reference; also where too many of them do not fit for these to be outliers.

    ``how``: weight of all pixels at their places; whether exposures may move; what is known to be contested.
    """
    contest = Contest(how[0], work.frame.oversampling)
    base = base_of(coefficient, work.frame.oversampling, members, work.workers)
    doubtful = None if how[2] is None else surroundings(how[2], work.frame.oversampling)
    laid = []
    for number, member in enumerate(members):
        laid.append(
            _lay(work, number, member, (base, how[1], doubtful)) if member.refused is None else Laid(member)
        )
        one = laid[-1]
        if one.place is not None and one.outliers is not None:
            contest.add(one.place, one.outliers)
            laid[-1] = replace(one, place=_emptied(one.place))
        tell(number + 1, len(members))
    return laid, contest.places()


def _lay(work: Work, number: int, member: MemberState, on: tuple[Base, bool, BoolArray | None]) -> Laid:
    """Find where an exposure lies, if it may move, by its pixels that are not doubtful, and judge all."""
    pixels = pixels_of(work.load(number), member)
    base, moving, doubtful = on
    if not moving:
        count = int(np.count_nonzero(pixels.weight))
        found = replace(UNMOVED, n_pixel=count)
        return Laid(member, found, outliers(base.coefficient, pixels, work.workers), pixels)
    telling = pixels if doubtful is None else without_places(doubtful, pixels)
    found = register(base, telling, member.shift, work.workers)
    placed = brought(pixels, found)
    return Laid(member, found, outliers(base.coefficient, placed, work.workers), placed)


def _emptied(pixels: ExposurePixels) -> ExposurePixels:
    """Pixels of which only the place and the shape are kept."""
    nothing = np.broadcast_to(np.float32(0), pixels.value.shape)
    return replace(pixels, value=nothing, weight=nothing)


def judged(
    laid: Sequence[Laid], contested: BoolArray, work: Work
) -> tuple[list[MemberState], list[Factors | None]]:
    """Members where they were found to lie, or refused, and the weights of their outliers."""
    found: list[Laid] = []
    factors: list[Factors | None] = []
    for one in laid:
        if one.registration is None or one.outliers is None or one.place is None:
            found.append(one)
            factors.append(None)
            continue
        kept = at_places(contested, one.place, one.outliers)
        factor = np.where(kept, softened(one.outliers.pull), np.float32(0))
        rejected = float((~kept).sum()) / max(one.registration.n_pixel, 1)
        refused = _refusal(one, rejected, work)
        found.append(replace(one, member=replace(one.member, rejected=rejected, refused=refused)))
        factors.append((one.outliers.index, factor))
    return list(_moved_members(found)), factors


def _refusal(laid: Laid, rejected: float, work: Work) -> str | None:
    """Why an exposure does not belong in the reference; None if it does."""
    options, registration = work.options, laid.registration
    assert registration is not None
    total = np.add(laid.member.shift, registration.shift)
    shift = float(np.hypot(*total)) / work.frame.oversampling
    scale = laid.member.scale * registration.scale
    if not shift <= options.max_shift:
        return f"its WCS is off by {shift:.2f} detector pixels or more"
    if not 1 / options.max_scale <= scale <= options.max_scale:
        return f"its stars have {scale:.2f} times the light of the others"
    if not rejected <= options.max_rejected:
        return f"{rejected:.0%} of its pixels do not fit the others"
    return None


def _inside(found: Sequence[Laid]) -> Iterator[tuple[Laid, Registration]]:
    """The exposures that are in, and how they lie."""
    for one in found:
        if one.registration is not None and one.member.refused is None:
            yield one, one.registration


def _moved_members(found: Sequence[Laid]) -> Iterator[MemberState]:
    """Members at their new places, less the mean of what all moved by: the frame stays where WCSs have it.

    So with sky and scale: the zero level and the fluxes of the reference stay the mean of all.
    """
    inside = [registration for _, registration in _inside(found)]
    if not inside:
        yield from (one.member for one in found)
        return
    shift = np.mean([r.shift for r in inside], axis=0)
    linear = np.mean([r.linear for r in inside], axis=0)
    sky = float(np.mean([r.sky for r in inside]))
    scale = float(np.mean([one.member.scale * r.scale for one, r in _inside(found)]))
    for one in found:
        member, registration = one.member, one.registration
        if registration is None or one.place is None or member.refused is not None:
            yield member
            continue
        x, y = np.add(member.shift, np.array(registration.shift) - shift)
        yield replace(
            member,
            place=moved(one.place, -shift, -linear).place,
            sky=member.sky + (registration.sky - sky) * member.scale,
            scale=member.scale * registration.scale / scale,
            scale_err=member.scale * registration.scale_err / scale,
            n_scale_star=registration.n_star,
            shift=(float(x), float(y)),
            shift_err=registration.shift_err,
            linear=member.linear + registration.linear - linear,
        )
