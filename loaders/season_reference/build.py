"""The reference image of a season from those of its spans, a few rows of all of them at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.psf.model import EffectivePsf
from loaders.reference.build import Reference
from loaders.reference.frame import ReferenceFrame
from loaders.reference.image import spline_coefficients
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.product import StoredReference
from loaders.rejection import Rejected
from loaders.season_reference.combine import FEWEST, Stack, combine, margin, mean_psf
from loaders.season_reference.matching import NO_MATCH, Match, claimed, match
from loaders.season_reference.resample import Displacement, displaced

_STACKED = 3 * 2**23
"""Pixels of all images together that are in memory at once."""


@dataclass(frozen=True)
class SpanImage:
    """The image of a span, with the number of exposures that see each place, shape (ny, nx), up to 255."""

    stored: StoredReference
    coverage: np.ndarray


@dataclass(frozen=True)
class Part:
    """An image in that of the season.

    Parameters
    ----------
    match
        How it lies on the image of the season; as far as known where it was left out.
    weight
        Its share of the weight.
    excluded
        Share of its pixels that were left out as others differ.
    refused
        Why it was left out altogether; None if it is in.
    """

    match: Match
    weight: float
    excluded: float
    refused: Rejected | None


@dataclass(frozen=True)
class SeasonImage:
    """The image of a season, its PSF, and what became of the images of the spans, in their order."""

    reference: Reference
    psf: EffectivePsf
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Laid:
    """What is kept of an image that is in, besides its pixels."""

    number: int
    match: Match
    claimed: Displacement
    noise: NoiseModel
    weight: float
    psf: EffectivePsf


def build_season(
    load: Callable[[int], SpanImage],
    count: int,
    scratch: Path,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> SeasonImage:
    """Combine the images of the spans of a season.

    Each is laid on the first by least squares (`match`), then all are averaged (`combine`). Images that do
    not lie on the frame of the first are left out.

    Parameters
    ----------
    load
        Gives the image of a number from 0 on; each is asked for once.
    count
        Number of images.
    scratch
        Folder for two images of 4 bytes a pixel for each, removed at the end.
    progress
        Told how many images of how many are laid on one another.

    Returns
    -------
    SeasonImage

    Raises
    ------
    Rejected
        Code ``no_span`` if fewer than two remain.
    """
    first = load(0)
    frame, coverage = first.stored.frame, np.zeros(first.stored.frame.shape, dtype=np.float32)
    laid: list[_Laid] = []
    refused: dict[int, Rejected] = {}
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".season-") as folder:
        files = (Path(folder) / "data.npy", Path(folder) / "empty.npy")
        data, empty = (
            np.lib.format.open_memmap(path, "w+", np.dtype(np.float32), (count, *frame.shape))
            for path in files
        )
        for number in range(count):
            span = first if number == 0 else load(number)
            try:
                one = _lay(number, span.stored, first.stored)
            except Rejected as error:
                refused[number] = error
            else:
                data[len(laid)] = displaced(span.stored.image.data.astype(np.float32), one.match.by)
                empty[len(laid)] = _empty(span.stored.image, one.match.by)
                laid.append(one)
                coverage += span.coverage
            progress(number + 1, count)
        if len(laid) < 2:
            what = f"fewer than two of the {count} images of the season lie on one frame"
            raise Rejected("season", what, "Make them again: roman-db run eight-day --redo", "no_span")
        images = data[: len(laid)], empty[: len(laid)]
        laid = _to_mean(laid)
        image, excluded = _average(images, laid, frame.oversampling)
    return _season(frame, image, coverage, (laid, excluded), (count, refused))


def _lay(number: int, stored: StoredReference, first: StoredReference) -> _Laid:
    """Lay an image on the first."""
    noise = stored.image.noise
    scale = np.broadcast_to(noise.scale, stored.image.usable.shape)[stored.image.usable]
    weight = 1 / (noise.read * float(np.median(scale)))
    if number == 0:
        return _Laid(0, NO_MATCH, NO_MATCH.by, noise, weight, stored.psf)
    begin = claimed(stored.frame, first.frame)
    return _Laid(number, match(stored.image, first, begin), begin, noise, weight, stored.psf)


def _empty(image: PixelImage, by: Displacement) -> Float32Array:
    """Variance of pixels without stars, moved by whole pixels, NaN where they are not usable."""
    empty = image.noise.variance(np.zeros(image.data.shape, dtype=np.float32))
    empty = np.where(image.usable & (empty > 0), empty, np.float32(np.nan))
    row, column = (
        np.clip(np.arange(length) + round(float(step)), 0, length - 1)
        for length, step in zip(empty.shape, by.shift[::-1], strict=True)
    )
    return np.asarray(empty[row[:, None], column])


def _to_mean(laid: Sequence[_Laid]) -> list[_Laid]:
    """Scales, skies and weights relative to the mean of all instead of the first; weights add up to one."""
    weight = np.array([one.weight * one.match.scale**2 for one in laid])
    weight /= weight.sum()
    scale = float(weight @ [one.match.scale for one in laid])
    sky = float(weight @ [one.match.sky * scale / one.match.scale for one in laid])
    return [
        replace(
            one,
            weight=float(share),
            match=Match(one.match.scale / scale, one.match.sky - sky * one.match.scale / scale, one.match.by),
        )
        for one, share in zip(laid, weight, strict=True)
    ]


def _average(
    images: tuple[Float32Array, Float32Array], laid: Sequence[_Laid], oversampling: int
) -> tuple[PixelImage, FloatArray]:
    """Average images some rows at a time; also the share of the usable pixels of each that is left out."""
    count, ny, nx = images[0].shape
    scale, sky = (
        np.array([getattr(one.match, name) for one in laid], dtype=np.float32)[:, None, None]
        for name in ("scale", "sky")
    )
    growth = np.array([one.noise.poisson / one.noise.read * one.match.scale for one in laid])
    flux, variance = np.empty((ny, nx), dtype=np.float32), np.empty((ny, nx), dtype=np.float32)
    usable, kept = np.zeros(count), np.zeros(count)
    step, around = max(_STACKED // (count * nx), 1), margin(oversampling)
    for begin in range(0, ny, step):
        rows = slice(max(begin - around, 0), min(begin + step + around, ny))
        data, empty = images[0][:, rows], images[1][:, rows]
        found = combine(Stack((data - sky) / scale, empty / scale**2, growth), oversampling)
        own = slice(begin - rows.start, min(begin + step, ny) - rows.start)
        flux[begin : begin + step], variance[begin : begin + step] = found.flux[own], found.variance[own]
        usable += np.isfinite(empty[:, own]).sum(axis=(1, 2))
        kept += found.kept[:, own].sum(axis=(1, 2))
    read = float(np.mean([one.noise.read / one.match.scale**2 for one in laid]))
    poisson = float(np.mean([one.noise.poisson / one.match.scale for one in laid]))
    common = NoiseModel(read, poisson)
    noise = NoiseModel(read, poisson, (variance / common.variance(flux)).astype(np.float32))
    return PixelImage(flux, noise, np.isfinite(variance), name="season"), 1 - kept / usable


def _season(
    frame: ReferenceFrame,
    image: PixelImage,
    coverage: Float32Array,
    those_in: tuple[Sequence[_Laid], FloatArray],
    others: tuple[int, dict[int, Rejected]],
) -> SeasonImage:
    """Put together what is known of an image of a season."""
    laid, excluded = those_in
    weight = np.array([one.weight for one in laid])
    # Where each frame has the sky is known no better than their mean.
    off = weight @ [one.match.by.shift - one.claimed.shift for one in laid]
    (ra,), (dec,) = frame.to_sky(*(np.array(frame.middle) + off)[:, None])
    placed = replace(frame, ra=float(ra), dec=float(dec))
    coefficient = spline_coefficients(image.data.astype(np.float64) * frame.oversampling**2)
    reference = Reference(placed, image, coefficient, coverage, (), len(laid) >= FEWEST)
    parts = {
        one.number: Part(one.match, one.weight, float(share), None)
        for one, share in zip(laid, excluded, strict=True)
    }
    parts |= {number: Part(NO_MATCH, 0.0, 0.0, why) for number, why in others[1].items()}
    psf = mean_psf([one.psf for one in laid], weight)
    return SeasonImage(reference, psf, tuple(parts[number] for number in range(others[0])))
