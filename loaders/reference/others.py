"""The exposures of a reference once more, so that any one of them can be left out.

What is to be compared with an exposure must not contain it: its own changes would be diluted, and its noise
would cancel. All exposures are laid on the reference as it is stored, judged and added once; then the sums of
one are subtracted, which is exact, and the image of the others follows in a few steps from that of all. That
is done strip by strip, so that memory does not hold the sums of a whole detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.photometry.noise import NoiseModel
from loaders.photometry.parallel import Workers
from loaders.reference.contested import BoolArray, surroundings
from loaders.reference.frame import FEWEST_JUDGED, ReferenceFrame
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.members import ExposureImage, MemberState, first_state, pixels_of
from loaders.reference.noise import fine_noise, samples_of
from loaders.reference.normal import ExposurePixels
from loaders.reference.passes import (
    Factors,
    Load,
    ReferenceOptions,
    Work,
    judged,
    lay_all,
    weighed_pixels,
)
from loaders.reference.registration import Base, moved, register
from loaders.reference.star_scale import territories
from loaders.reference.stored_sums import Parts, StoredSums
from loaders.reference.strips import weight_of
from loaders.rejection import Rejected

_FEW = 0.5
"""Share of the usual number of exposures below which those that see a place are few."""

_PASSES = 2
"""Times that an exposure is laid on a reference that does not contain it: the first step is linearised."""


@dataclass(frozen=True)
class KnownPlace:
    """What is stored of an exposure in a reference; see `MemberState`.

    Parameters
    ----------
    shift
        Fine pixels along x and y from where the WCS has it.
    sky
        Unit of the exposure per detector pixel.
    scale
        Its light over that of the reference.
    """

    shift: tuple[float, float]
    sky: float
    scale: float


@dataclass(frozen=True)
class FineImage:
    """An image of the sky on the fine grid.

    Parameters
    ----------
    coefficient
        Shape (ny, nx): spline coefficients of the flux in a *detector* pixel centred at each place.
    noise
        Noise of the flux in a fine pixel; its scale, shape (ny, nx), is NaN where nothing is known.
    oversampling
        Fine pixels per detector pixel along an axis.
    changing
        Shape (ny, nx): places where the exposures disagree, such as a star that varies, and around them; None
        if none are known.
    """

    coefficient: FloatArray
    noise: NoiseModel
    oversampling: int
    changing: BoolArray | None = None


class OtherExposures:
    """The sums of all exposures of a reference, of which one at a time is left out.

    Parameters
    ----------
    load
        Gives the exposure of a number from 0 on.
    known
        What is stored of each, in that order.
    frame
        Pixels of the reference.
    image
        The reference itself.
    workers
        Threads.
    parts
        How much is done at once, and where the rest waits; the defaults if None.
    """

    def __init__(
        self,
        load: Load,
        known: Sequence[KnownPlace],
        frame: ReferenceFrame,
        image: FineImage,
        workers: Workers,
        parts: Parts | None = None,
    ) -> None:
        parts = parts or Parts()
        self._work = Work(load, frame, ReferenceOptions(most_pixels=parts.most_pixels), workers)
        members = [_at_place(first_state(load(k), frame), place) for k, place in enumerate(known)]
        self.members: list[MemberState]
        self._factors: list[Factors | None]
        self.members, self._factors, self._contested = self._judged(members, image.coefficient)
        self._sums = StoredSums(self._work, self.members, self._factors, image.coefficient, parts)
        # Where pixels lie makes of the noise of all what it makes of that of all but one, nearly.
        samples = self._samples(self._sums.image().weight, self.members)
        self._excess = np.asarray(image.noise.scale * samples, dtype=np.float64)

    def _judged(
        self, members: list[MemberState], coefficient: FloatArray
    ) -> tuple[list[MemberState], list[Factors | None], BoolArray]:
        """Lay all exposures on the reference, and judge them and their pixels; where they disagree."""
        seen = weight_of(self._work, members)
        _, contested = lay_all(self._work, members, coefficient, (seen, False, None), lambda *_: None)
        how = seen, True, contested
        laid, contested = lay_all(self._work, members, coefficient, how, lambda *_: None)
        return *judged(laid, contested, self._work), contested

    def without(self, number: int) -> FineImage:
        """Image of all exposures but one.

        Raises
        ------
        Rejected
            If that one does not fit the others.
        """
        image = self._sums.without(self._pixels(number))
        rest = [member for k, member in enumerate(self.members) if k != number]
        fine = self._work.frame.oversampling
        samples = self._samples(image.weight, rest)
        noise = fine_noise(fine, samples, rest, self._excess)
        noise = replace(noise, scale=self._where_told(np.asarray(noise.scale), samples * fine**2))
        return FineImage(image.coefficient, noise, fine, surroundings(self._contested, fine))

    def _samples(self, weight: Float32Array, members: Sequence[MemberState]) -> Float32Array:
        return samples_of(self._work.frame.oversampling, weight, members)

    def _where_told(self, scale: Float32Array, coverage: Float32Array) -> Float32Array:
        """Noise of a template, NaN where the few exposures that see a place disagree.

        They are few at the edges of dithered exposures, and none says which of them has a trail.
        """
        usual = float(np.median(coverage[np.isfinite(scale)])) if np.isfinite(scale).any() else 0.0
        enough = min(FEWEST_JUDGED * self._work.frame.oversampling**2, _FEW * usual)
        return np.where(self._contested & (coverage < enough), np.float32(np.nan), scale)

    def _pixels(self, number: int) -> ExposurePixels:
        """Pixels of an exposure as they were added."""
        member = self.members[number]
        if member.refused is not None:
            raise misfit(self._work.load(number).image.name, member.refused)
        return weighed_pixels(self._work, number, member, self._factors[number])


def _at_place(member: MemberState, known: KnownPlace) -> MemberState:
    """An exposure where it is known to lie, with what is known of its light."""
    if member.place is None:
        return member
    forward = member.place.forward.copy()
    forward[:, 0, 0] += known.shift
    place = replace(member.place, forward=forward)
    return replace(member, place=place, shift=known.shift, sky=known.sky, scale=known.scale)


def base_of_image(image: FineImage, workers: Workers) -> Base:
    """A stored reference as exposures that are not in it are laid on it: its stars are found once for all."""
    # The noise that all fine pixels have in common is that of one pixel of the exposures in each.
    deviation = float(np.sqrt(image.noise.read)) * image.oversampling**2
    return Base(image.coefficient, territories(image.coefficient, image.oversampling, deviation, workers))


def place_on_reference(
    exposure: ExposureImage, frame: ReferenceFrame, base: Base, workers: Workers
) -> MemberState:
    """Find where an exposure lies on a reference that does not contain it.

    Parameters
    ----------
    exposure
        The exposure.
    frame
        Pixels of the reference.
    base
        The reference itself: see `base_of_image`.
    workers
        Threads.

    Raises
    ------
    Rejected
        If it shares no sky with the reference, or lies elsewhere than its WCS says, by more than an exposure
        in a reference may.
    """
    name, limit = exposure.image.name, ReferenceOptions().max_shift * frame.oversampling
    member = first_state(exposure, frame)
    if member.place is None or member.refused is not None:
        what = f"it cannot be laid on the reference: {member.refused}"
        raise Rejected(name, what, "Give a template of the same part of the sky", "no_overlap")
    for _ in range(_PASSES):
        pixels = pixels_of(exposure, member)
        found = register(base, pixels, member.shift, workers)
        if found.n_pixel == 0:
            what = "none of its pixels lies on the reference"
            raise Rejected(name, what, "Give a template of the same part of the sky", "no_overlap")
        x, y = np.add(member.shift, found.shift)
        member = replace(
            member,
            place=moved(pixels, np.array(found.shift), found.linear).place,
            shift=(float(x), float(y)),
            shift_err=found.shift_err,
            sky=member.sky + found.sky * member.scale,
            scale=member.scale * found.scale,
            scale_err=member.scale * found.scale_err,
            n_scale_star=found.n_star,
        )
    if not np.hypot(*member.shift) <= limit:
        off = float(np.hypot(*member.shift)) / frame.oversampling
        raise misfit(name, f"its WCS is off by {off:.2f} detector pixels or more")
    return member


def misfit(name: str, why: str) -> Rejected:
    """Rejection of an exposure that does not fit a reference."""
    remedy = "Look at the exposure; if its WCS is wrong, process it again and load it with --replace"
    return Rejected(name, why, remedy, "misfit")
