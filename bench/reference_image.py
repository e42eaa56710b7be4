"""Reference images: speed, and how exact photometry on them is, beside drizzling.

Sixty dithered exposures of one crowded field are made with the optical PSF of WFI07 and F146, at 0.03 stars a
pixel, with the noise of 66 s and without errors of the WCS. From them our reference is built and, with the
same fine pixels and the true places, an image is drizzled by STScI's drizzle (drops of 0.75 pixel). Both are
photometered by the same fit at true positions, each with its own PSF: that of a drizzled image is the PSF of
the exposures convolved with the drop and the fine pixel. drizzle works in one thread.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates, spline_filter
from scipy.signal import fftconvolve

from bench.dithered_field import (
    PLANE,
    POISSON,
    REACH,
    READ,
    SKY,
    FieldOfStars,
    field_of_stars,
    middle_of,
    projection,
)
from bench.record import Figure
from loaders.photometry.fit import photometer
from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.noise import NoiseModel
from loaders.photometry.options import FitOptions
from loaders.photometry.parallel import Workers, available_threads
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import optical_psf
from loaders.reference.build import ExposureImage, Reference, build_reference
from loaders.reference.frame import ReferenceFrame, choose_frame, choose_oversampling, phases_of
from loaders.reference.members import first_state, pixels_of
from loaders.reference.normal import NormalEquations
from loaders.reference.psf import STEPS, PlacedPsf, reference_psf

FloatArray = npt.NDArray[np.float64]

AREA = "reference"
COUNT, SIDE, SPEED_SIDE, OVERSAMPLING, DROP = 60, 200, 1000, 2, 0.75
WCS_ERROR, SCALE_MAS = 0.02, 110.0
"""Errors of WCSs in pixels, and a pixel."""
SHORT, SHORT_PIVOT = "F087", 0.87173
BINS = ((19.0, 21.0), (21.0, 23.0), (23.0, 24.0))


def figures() -> Iterator[Figure]:
    """All figures of this file."""
    psf = middle_of(optical_psf("WFI07", "F146"))
    drizzle = _drizzle()
    field = field_of_stars(psf, SIDE, COUNT)
    frame = choose_frame([one.projection for one in field.exposures], OVERSAMPLING)
    unit = f"Mpixel/s on {available_threads()} cores"
    peer = None if drizzle is None else f"drizzle {drizzle.__version__}, one thread"
    other = None if drizzle is None else drizzle_rate(drizzle)
    yield Figure(AREA, "reference: exposures added", accumulation_rate(), unit, None, "max", peer, other)
    build_reference(field.exposures.__getitem__, 10, frame)  # compiles
    begin = time.perf_counter()
    reference = build_reference(field.exposures.__getitem__, COUNT, frame)
    rate = COUNT * SIDE**2 / (time.perf_counter() - begin) / 1e6
    yield Figure(AREA, "reference: all of it, outliers, alignment and solution too", rate, unit)
    own = photometered(reference.image, reference_psf_of(reference, psf), field, frame)
    theirs = None
    if drizzle is not None:
        image = drizzled(drizzle, field.exposures, reference)
        theirs = photometered(image, drizzled_psf(psf), field, frame)
    yield from _accuracy(field, own, theirs, peer)
    yield from _short_wavelength()
    name = f"reference: WCS errors of {WCS_ERROR * SCALE_MAS:.1f} mas found in {SIDE} x {SIDE} pixels to"
    yield Figure(AREA, name, alignment_error(field), "mas", 1.0, "min")


def _short_wavelength() -> Iterator[Figure]:
    """How exact fluxes on a reference of F087 are, whose PSF asks for three fine pixels to a pixel."""
    psf = middle_of(optical_psf("WFI07", SHORT))
    field = field_of_stars(psf, SIDE, COUNT)
    projections = [one.projection for one in field.exposures]
    frame = choose_frame(projections, choose_oversampling(SHORT_PIVOT, phases_of(projections)))
    reference = build_reference(field.exposures.__getitem__, COUNT, frame)
    own = photometered(reference.image, reference_psf_of(reference, psf), field, frame)
    yield from _accuracy(field, own, None, None, SHORT)


def alignment_error(field: FieldOfStars) -> float:
    """Scatter along an axis, mas, of the shifts found of exposures whose WCSs are wrong by known amounts."""
    rng = np.random.default_rng(20270816)
    made = WCS_ERROR * rng.normal(size=(COUNT, 2))
    # The same pixels: it is the WCS that is moved.
    wrong = [
        replace(one, projection=projection(*(dither + shift), SIDE))
        for one, dither, shift in zip(field.exposures, field.dithers, made, strict=True)
    ]
    frame = choose_frame([one.projection for one in wrong], OVERSAMPLING)
    reference = build_reference(wrong.__getitem__, COUNT, frame)
    found = np.array([member.shift for member in reference.members]) / OVERSAMPLING
    left = found - found.mean(axis=0) + (made - made.mean(axis=0))
    return float(np.std(left)) * SCALE_MAS


def _accuracy(
    field: FieldOfStars,
    own: tuple[FloatArray, FloatArray],
    theirs: tuple[FloatArray, FloatArray] | None,
    peer: str | None,
    element: str = "F146",
) -> Iterator[Figure]:
    """Scatter and bias of fluxes by magnitude, and whether errors are what they claim to be."""
    inside = (np.abs(field.x - SIDE / 2) < SIDE / 2 - 8) & (np.abs(field.y - SIDE / 2) < SIDE / 2 - 8)
    for low, high in BINS:
        some = inside & (field.magnitude >= low) & (field.magnitude < high)
        name = f"photometry on a reference of {COUNT} exposures, {element} {low:.0f} to {high:.0f}"
        found = [
            None if one is None else _errors(one[0][some], one[1][some], field.flux[some])
            for one in (own, theirs)
        ]
        mine, other = found[0], found[1] or (None, None, None)
        assert mine is not None
        yield Figure(AREA, f"{name}: scatter", mine[0], "mmag", None, "min", peer, other[0])
        yield Figure(AREA, f"{name}: |bias|", mine[1], "mmag", 1.0, "min", peer, other[1])
        yield Figure(AREA, f"{name}: width of pulls", mine[2], "", 1.15, "min", peer, other[2])


def _errors(flux: FloatArray, error: FloatArray, truth: FloatArray) -> tuple[float, float, float]:
    """Half the middle 68 % of the errors in mmag, modulus of their median, and the width of the pulls."""
    good = np.isfinite(flux)
    ratio = 1000 * 2.5 / np.log(10) * (flux[good] / truth[good] - 1)
    pull = (flux[good] - truth[good]) / error[good]
    width, pulls = (0.5 * float(np.subtract(*np.percentile(v, [84.134, 15.866]))) for v in (ratio, pull))
    return width, abs(float(np.median(ratio))), pulls


def reference_psf_of(reference: Reference, psf: EffectivePsf) -> EffectivePsf:
    """The PSF of our reference."""
    placed = [
        PlacedPsf(psf, (0.0, 0.0), member.place, (SIDE, SIDE), 1.0)
        for member in reference.members
        if member.place is not None and member.refused is None
    ]
    return reference_psf(placed, float(REACH * reference.frame.oversampling))


def photometered(
    image: PixelImage, psf: EffectivePsf, field: FieldOfStars, frame: ReferenceFrame
) -> tuple[FloatArray, FloatArray]:
    """Fluxes at true positions, and their errors."""
    x, y = frame.projection.to_pixel(*PLANE.to_sky(field.x, field.y))
    options = FitOptions(tile_size=20 * frame.oversampling, margin=4.0 * frame.oversampling)
    found = photometer(image, StarList(x, y, field.flux), psf, options)
    return found.flux, found.flux_err


def _drizzle() -> ModuleType | None:
    """The peer; None where it is not installed."""
    try:
        importlib.import_module("drizzle.resample")
    except ImportError:
        print("reference: drizzle is not installed; its figures are left out")
        return None
    return importlib.import_module("drizzle")


def drizzled(drizzle: ModuleType, exposures: list[ExposureImage], reference: Reference) -> PixelImage:
    """The drizzled image, with the noise model of our reference: its own knows nothing of correlations."""
    maker = drizzle.resample.Drizzle(kernel="square", out_shape=reference.frame.shape, disable_ctx=True)
    for exposure, member in zip(exposures, reference.members, strict=True):
        place = first_state(exposure, reference.frame).place
        assert place is not None
        ny, nx = exposure.image.data.shape
        pixmap = np.stack(place.grid(np.arange(float(nx)), np.arange(float(ny))), axis=-1)
        data = (exposure.image.data - member.sky).astype(np.float32)
        maker.add_image(data, exptime=1.0, pixmap=pixmap, pixfrac=DROP, in_units="cps")
    image = np.nan_to_num(np.asarray(maker.out_img)) / OVERSAMPLING**2
    return replace(reference.image, data=image.astype(np.float32), name="drizzled")


def drizzled_psf(psf: EffectivePsf) -> EffectivePsf:
    """The PSF on fine pixels, convolved with the drop and the fine pixel."""
    half = REACH * OVERSAMPLING * STEPS
    offset = np.arange(-half, half + 1) / STEPS / OVERSAMPLING
    stamp = spline_filter(psf.stamps[0, 0], order=3, mode="mirror")
    at = np.stack(np.meshgrid(offset, offset, indexing="ij")) * psf.oversampling + psf.size // 2
    fine = map_coordinates(stamp, at, order=3, prefilter=False, mode="constant") / OVERSAMPLING**2
    for width in (DROP * OVERSAMPLING, 1.0):
        for axis in (0, 1):
            fine = fftconvolve(fine, np.expand_dims(_box(width), 1 - axis), mode="same", axes=axis)
    return EffectivePsf(fine[None, None], STEPS, np.zeros(1), np.zeros(1))


def _box(width: float) -> FloatArray:
    """A box of some fine pixels at steps of ``1 / STEPS``, each step with the share of it that is inside."""
    step = np.arange(-4 * STEPS, 4 * STEPS + 1) / STEPS
    inside = np.minimum(step + 0.5 / STEPS, width / 2) - np.maximum(step - 0.5 / STEPS, -width / 2)
    return np.asarray(np.maximum(inside, 0) / width)


def _speed_exposures() -> tuple[list[ExposureImage], ReferenceFrame]:
    """Some larger exposures of noise, and their frame."""
    rng = np.random.default_rng(1)
    exposures = []
    for dx, dy in rng.uniform(-4, 4, (4, 2)):
        data = SKY + rng.normal(size=(SPEED_SIDE, SPEED_SIDE))
        image = PixelImage(data, NoiseModel(READ, POISSON), np.ones(data.shape, dtype=bool))
        exposures.append(ExposureImage(image, projection(dx, dy, SPEED_SIDE)))
    return exposures, choose_frame([one.projection for one in exposures], OVERSAMPLING)


def accumulation_rate() -> float:
    """Million pixels a second added to the normal equations."""
    exposures, frame = _speed_exposures()
    pixels = [pixels_of(one, first_state(one, frame)) for one in exposures]
    times = []
    with Workers(available_threads()) as workers:
        equations = NormalEquations(frame.shape, workers)
        equations.add(pixels[0])  # compiles
        for one in pixels:
            begin = time.perf_counter()
            equations.add(one)
            times.append(time.perf_counter() - begin)
    return SPEED_SIDE**2 / min(times) / 1e6


def drizzle_rate(drizzle: ModuleType) -> float:
    """Million pixels a second drizzled, maps of the pixels being made beforehand."""
    exposures, frame = _speed_exposures()
    maker = drizzle.resample.Drizzle(kernel="square", out_shape=frame.shape, disable_ctx=True)
    times = []
    for one in exposures:
        place = first_state(one, frame).place
        assert place is not None
        along = np.arange(float(SPEED_SIDE))
        pixmap = np.stack(place.grid(along, along), axis=-1)
        data = one.image.data.astype(np.float32)
        begin = time.perf_counter()
        maker.add_image(data, exptime=1.0, pixmap=pixmap, pixfrac=DROP, in_units="cps")
        times.append(time.perf_counter() - begin)
    return SPEED_SIDE**2 / min(times) / 1e6
