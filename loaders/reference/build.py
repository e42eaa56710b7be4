"""A reference image from exposures: add, solve, lay each on the result, leave out what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.ndimage import uniform_filter

from loaders.photometry.image import PixelImage
from loaders.photometry.parallel import Workers, available_threads
from loaders.reference.coarse import Offset, misplaced
from loaders.reference.frame import FEWEST_JUDGED, ReferenceFrame
from loaders.reference.image import orthonormal
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.members import ExposureImage, MemberState, first_state
from loaders.reference.noise import excess_of, fine_noise, samples_of
from loaders.reference.passes import Factors, Laid, Load, ReferenceOptions, Work, judged, lay_all
from loaders.reference.propagation import fit_with_noise
from loaders.reference.strips import fit_image
from loaders.rejection import Rejected

__all__ = [
    "ExposureImage",
    "MemberState",
    "Reference",
    "ReferenceOptions",
    "build_reference",
]

Progress = Callable[[str, int, int], None]

_EXTRA_PASSES = 3
"""Passes that may follow for exposures that were left out."""

_STILL_PASSES = 2
"""Passes that may follow the first, before exposures are moved and judged, where one has spoilt the image."""

_FAR, _SPOILT = 20.0, 0.01
"""Standard deviations from which an outlier is far off, and the share of an exposure from which such pixels,
of a trail or a ghost, are so many that all others would seem to lack their light."""

_COARSE = 0.75
"""Detector pixels by which a WCS is off for certain, if a correlation of undersampled images says so."""

_ALONE = 0.95
"""Share of an exposure that no other sees, from which nothing can be said of it."""


@dataclass(frozen=True)
class Reference:
    """A reference image.

    Parameters
    ----------
    frame
        Its pixels on the sky.
    image
        Flux in each fine pixel, sky subtracted, with its noise; fluxes of stars add up to what they are in an
        exposure. Where many exposures see a place the noise of pixels is independent (see
        `loaders.reference.image`); where it is not, it is stated as `loaders.reference.noise` says.
    coefficient
        Shape (ny, nx): spline coefficients of the flux in a *detector* pixel centred at each place.
    coverage
        Shape (ny, nx): number of exposures that see each place: their pixels around it, times the share of a
        detector pixel that a fine one is.
    members
        The exposures, in their order.
    is_judged
        Whether there are enough of them to tell pixels and exposures that do not fit from the others.
    """

    frame: ReferenceFrame
    image: PixelImage
    coefficient: FloatArray
    coverage: Float32Array
    members: tuple[MemberState, ...]
    is_judged: bool


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
        Gives the exposure of a number from 0 on; called twice for every pass and twice before, and more often
        if the image is made in strips, so that not all need to be in memory.
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
        work = Work(load, frame, options, workers)
        members = [first_state(load(k), frame) for k in range(count)]
        _require(members, "no exposure overlaps the frame")
        members = _without_misplaced(work, members)
        _require(members, "exposures disagree on where they are")
        factors: list[Factors | None] = [None] * count
        fitted = fit_image(work, members, factors)
        is_judged = _can_judge(members, frame)
        if is_judged:
            members = _without_lonely(members, fitted.weight, frame)
            _require(members, "no exposure overlaps another")
            seen = fitted.weight
            left, number, still = options.passes + 1, 0, _STILL_PASSES
            contested = None
            while left > 0 and number <= options.passes + _EXTRA_PASSES:
                what = partial(tell, f"pass {number}" if number else "first outliers")
                laid, contested = lay_all(
                    work, members, fitted.coefficient, (seen, number > 0, contested), what
                )
                before, (members, factors) = members, judged(laid, contested, work)
                _require(members, "every exposure had to be left out")
                fitted = fit_image(work, members, factors, fitted.coefficient)
                if number == 0 and still > 0 and _is_spoilt(laid):
                    still -= 1
                    continue
                left -= _refusals(members) == _refusals(before)
                number += 1
        final = fit_with_noise(work, members, factors)
    samples = samples_of(frame.oversampling, final.weight, members)
    excess = excess_of(frame.oversampling, final, members, samples)
    noise = fine_noise(frame.oversampling, samples, members, excess)
    usable = np.isfinite(np.asarray(noise.scale))
    data = (orthonormal(final.coefficient) / frame.oversampling**2).astype(np.float32)
    image = PixelImage(data, noise, usable, name="reference")
    coverage = (samples * frame.oversampling**2).astype(np.float32)
    return Reference(frame, image, final.coefficient, coverage, tuple(members), is_judged)


def _can_judge(members: Sequence[MemberState], frame: ReferenceFrame) -> bool:
    """Whether there are so many exposures that one can be told from the others."""
    return len(members) - _refusals(members) >= max(3, FEWEST_JUDGED * frame.oversampling**2)


def _without_misplaced(work: Work, members: Sequence[MemberState]) -> list[MemberState]:
    """Members, those left out whose WCS is off by pixels: they would spoil what others are judged by."""
    numbers = [number for number, member in enumerate(members) if member.refused is None]
    found = misplaced(lambda k: work.load(numbers[k]), len(numbers), _COARSE)
    out = list(members)
    for k, offset in found.items():
        out[numbers[k]] = _displaced(members[numbers[k]], offset, work.frame)
    return out


def _displaced(member: MemberState, offset: Offset, frame: ReferenceFrame) -> MemberState:
    """An exposure that is left out as its WCS is off."""
    assert member.place is not None
    turn = member.place.jacobian(np.array([member.place.centre[0]]), np.array([member.place.centre[1]]))[0]
    x, y = -turn @ np.array([offset.x, offset.y])
    mas = float(np.hypot(x, y)) * frame.pixel_scale * 1000
    why = f"its WCS is off by {offset.length:.1f} detector pixels ({mas:.0f} mas)"
    return replace(member, shift=(float(x), float(y)), refused=why)


def _is_spoilt(laid: Sequence[Laid]) -> bool:
    """Whether light of one exposure, far above that of the others, covers much of it."""
    return any(
        one.registration is not None
        and one.outliers is not None
        and np.count_nonzero(one.outliers.pull > _FAR) > _SPOILT * one.registration.n_pixel
        for one in laid
    )


def _refusals(members: Sequence[MemberState]) -> int:
    return sum(member.refused is not None for member in members)


def _require(members: Sequence[MemberState], what: str) -> None:
    if any(member.refused is None for member in members):
        return
    why = ", ".join(sorted({member.refused or "" for member in members}))
    remedy = "Look at the pointing of the exposures, and at what of their light saturates or is not the sky's"
    raise Rejected("reference", f"{what}: {why}", remedy, "no_exposure")


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
