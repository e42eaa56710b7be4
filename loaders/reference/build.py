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
from loaders.reference.contested import Contest, at_places
from loaders.reference.frame import ReferenceFrame
from loaders.reference.image import orthonormal
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.members import ExposureImage, MemberState, first_state, pixels_of
from loaders.reference.normal import ExposurePixels, NormalEquations
from loaders.reference.registration import Outliers, Registration, moved, outliers, register, softened
from loaders.rejection import Rejected

__all__ = [
    "ExposureImage",
    "MemberState",
    "Reference",
    "ReferenceOptions",
    "build_reference",
]

BoolArray = npt.NDArray[np.bool_]
Progress = Callable[[str, int, int], None]

_EXTRA_PASSES = 3
"""Passes that may follow for exposures that were left out."""

_ALONE = 0.95
"""Share of an exposure that no other sees, from which nothing can be said of it."""


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
    threads
        Threads to use; None for all processors.
    """

    passes: int = 3
    max_shift: float = 0.5
    max_rejected: float = 0.1
    max_scale: float = 1.25
    threads: int | None = None


@dataclass(frozen=True)
class Reference:
    """A reference image.

    Parameters
    ----------
    frame
        Its pixels on the sky.
    image
        Flux in each fine pixel, sky subtracted, with its noise; fluxes of stars add up to what they are in an
        exposure. The noise of pixels is independent: see `loaders.reference.image`.
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
        Gives the exposure of a number from 0 on; called twice for every pass and twice before, so that not
        all need to be in memory.
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
        work = _Work(load, frame, options, workers)
        members = [first_state(load(k), frame) for k in range(count)]
        _require(members, "no exposure overlaps the frame")
        equations = _add_all(work, members, [None] * count)
        coefficient = equations.solve()
        if _can_judge(members, frame):
            members = _without_lonely(members, equations.weight, frame)
            _require(members, "no exposure overlaps another")
            seen = equations.weight
            left, number = options.passes + 1, 0
            while left > 0 and number <= options.passes + _EXTRA_PASSES:
                what = partial(tell, f"pass {number}" if number else "first outliers")
                laid, contested = _lay_all(work, members, coefficient, (seen, number > 0), what)
                before, (members, factors) = members, _judged(laid, contested, work)
                _require(members, "every exposure had to be left out")
                equations = _add_all(work, members, factors)
                coefficient = equations.solve(coefficient)
                left -= _refusals(members) == _refusals(before)
                number += 1
    return _reference(frame, equations, coefficient, members)


@dataclass(frozen=True)
class _Work:
    """What all steps need."""

    load: Load
    frame: ReferenceFrame
    options: ReferenceOptions
    workers: Workers


@dataclass(frozen=True)
class _Laid:
    """An exposure laid on the reference, and the pixels that do not fit; None if it is not in."""

    member: MemberState
    registration: Registration | None = None
    outliers: Outliers | None = None
    place: ExposurePixels | None = None


Factors = tuple[npt.NDArray[np.int64], Float32Array]
"""Pixels of the flattened exposure, and factors of their weights."""


def _can_judge(members: Sequence[MemberState], frame: ReferenceFrame) -> bool:
    """Whether there are so many exposures that one can be told from the others."""
    return len(members) - _refusals(members) >= max(3, 2 * frame.oversampling**2)


def _refusals(members: Sequence[MemberState]) -> int:
    return sum(member.refused is not None for member in members)


def _require(members: Sequence[MemberState], what: str) -> None:
    if any(member.refused is None for member in members):
        return
    why = ", ".join(sorted({member.refused or "" for member in members}))
    raise Rejected("reference", f"{what}: {why}", "Check the pointing of the exposures", "no_exposure")


def _without_lonely(
    members: Sequence[MemberState], seen: Float32Array, frame: ReferenceFrame
) -> list[MemberState]:
    """Members, those left out that hardly any other overlaps: nothing can be compared with them."""
    weight = uniform_filter(seen, 2 * frame.oversampling + 1, mode="constant") * frame.oversampling**2
    return [
        replace(member, refused="it overlaps none of the others")
        if _alone(member, weight) > _ALONE
        else member
        for member in members
    ]


def _alone(member: MemberState, weight: Float32Array) -> float:
    """Share of an exposure at which there is no more weight than its own; 0 if it is not in."""
    if member.place is None:
        return 0.0
    (cx, cy), (hx, hy) = member.place.centre, member.place.half
    u, v = member.place.grid(cx + hx * np.linspace(-0.9, 0.9, 33), cy + hy * np.linspace(-0.9, 0.9, 33))
    row, column = (
        np.clip(np.rint(at).astype(np.int64), 0, length - 1)
        for at, length in zip((v, u), weight.shape, strict=True)
    )
    return float(np.mean(weight[row, column] < 1.5 * member.weight))


def _add_all(
    work: _Work, members: Sequence[MemberState], factors: Sequence[Factors | None]
) -> NormalEquations:
    """Sums of all exposures that are in, the weights of some pixels lowered."""
    equations = NormalEquations(work.frame.shape, work.workers)
    for number, (member, factor) in enumerate(zip(members, factors, strict=True)):
        if member.refused is None:
            pixels = pixels_of(work.load(number), member)
            if factor is not None:
                pixels.weight.ravel()[factor[0]] *= factor[1]
            equations.add(pixels)
    return equations


def _lay_all(
    work: _Work,
    members: Sequence[MemberState],
    coefficient: FloatArray,
    how: tuple[Float32Array, bool],
    tell: Callable[[int, int], None],
) -> tuple[list[_Laid], BoolArray]:
    """Lay all exposures on the reference; also where too many of them do not fit for these to be outliers.

    ``how``: weight of all pixels at their places; whether exposures may move.
    """
    contest = Contest(how[0], work.frame.oversampling)
    laid = []
    for number, member in enumerate(members):
        laid.append(
            _lay(work, number, member, (coefficient, how[1])) if member.refused is None else _Laid(member)
        )
        one = laid[-1]
        if one.place is not None and one.outliers is not None:
            contest.add(one.place, one.outliers)
            laid[-1] = replace(one, place=_emptied(one.place))
        tell(number + 1, len(members))
    return laid, contest.places()


def _lay(work: _Work, number: int, member: MemberState, on: tuple[FloatArray, bool]) -> _Laid:
    """Find where an exposure lies, if it may move, and judge its pixels there."""
    pixels = pixels_of(work.load(number), member)
    coefficient, moving = on
    if not moving:
        count = int(np.count_nonzero(pixels.weight))
        found = Registration(0.0, 1.0, (0.0, 0.0), np.zeros((2, 2)), (np.nan, np.nan), count)
        return _Laid(member, found, outliers(coefficient, pixels, work.workers), pixels)
    found = register(coefficient, pixels, member.shift, work.workers)
    placed = moved(pixels, np.array(found.shift), found.linear)
    value = ((placed.value - found.sky) / found.scale).astype(np.float32)
    weight = (placed.weight * found.scale**2).astype(np.float32)
    placed = replace(placed, value=value, weight=weight, growth=placed.growth * found.scale)
    return _Laid(member, found, outliers(coefficient, placed, work.workers), placed)


def _emptied(pixels: ExposurePixels) -> ExposurePixels:
    """Pixels of which only the place and the shape are kept."""
    nothing = np.broadcast_to(np.float32(0), pixels.value.shape)
    return replace(pixels, value=nothing, weight=nothing)


def _judged(
    laid: Sequence[_Laid], contested: BoolArray, work: _Work
) -> tuple[list[MemberState], list[Factors | None]]:
    """Members where they were found to lie, or refused, and the weights of their outliers."""
    found: list[_Laid] = []
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


def _refusal(laid: _Laid, rejected: float, work: _Work) -> str | None:
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


def _inside(found: Sequence[_Laid]) -> Iterator[tuple[_Laid, Registration]]:
    """The exposures that are in, and how they lie."""
    for one in found:
        if one.registration is not None and one.member.refused is None:
            yield one, one.registration


def _moved_members(found: Sequence[_Laid]) -> Iterator[MemberState]:
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
            shift=(float(x), float(y)),
            shift_err=registration.shift_err,
        )


def _reference(
    frame: ReferenceFrame,
    equations: NormalEquations,
    coefficient: FloatArray,
    members: Sequence[MemberState],
) -> Reference:
    """The image that the coefficients say, with its noise."""
    fine = frame.oversampling**2
    used = [member for member in members if member.refused is None]
    unit = float(np.mean([member.weight for member in used]))
    read = float(np.mean([1 / member.weight for member in used]))
    poisson = float(np.mean([member.poisson for member in used]))
    # The sums are kept per fine pixel; a detector pixel's worth of them is what an exposure gives.
    samples = uniform_filter(equations.weight, 2 * frame.oversampling + 1, mode="constant") / unit
    level = float(np.median(samples[samples > _LEAST_SAMPLES / fine])) if samples.any() else np.inf
    usable = samples > max(_LEAST_SAMPLES / fine, _LEAST_SHARE * level)
    scale = np.where(usable, 1 / np.where(usable, samples, 1), np.nan).astype(np.float32)
    model = NoiseModel(read / fine**2, poisson / fine, scale)
    data = (orthonormal(coefficient) / fine).astype(np.float32)
    image = PixelImage(data, model, usable, name="reference")
    return Reference(frame, image, coefficient, (samples * fine).astype(np.float32), tuple(members))


_LEAST_SAMPLES, _LEAST_SHARE = 0.5, 0.2
"""Exposures that must see a place, for it to be usable, and as a share of what is usual: at the edges of
dithered exposures the places of pixels are too few to say what is between them."""
