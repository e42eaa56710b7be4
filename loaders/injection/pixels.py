"""Light added to measured pixels with its photon noise: data, errors and flags follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from roman_datamodels.dqflags import pixel as dq_flag

from loaders.injection.saturation import Saturation
from loaders.photometry.parallel import Workers
from loaders.rejection import Rejected
from loaders.wfi.quality import JUMP, SATURATED
from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Plane: TypeAlias = npt.NDArray[np.floating]

_SAMPLE = 250_000
"""Pixels from which the noise of an image is read."""

_BRIGHT, _LEAST_RISE = 98.0, 3.0
"""Percentile of rates above which pixels are bright, and by how many errors they must exceed the median."""

_LARGE_MEAN = 10.0
"""Mean number of photons up to which they are drawn by inversion."""

_ROWS = 64
"""Rows whose photons come from one sequence of random numbers, whatever the number of threads."""

_DO_NOT_USE, _SATURATED = np.uint32(dq_flag.DO_NOT_USE.value), np.uint32(SATURATED)


@dataclass(frozen=True)
class Pixels:
    """An image to which light is added in place; arrays of shape (ny, nx).

    Parameters
    ----------
    data
        Rate in any unit; NaN where there is none.
    err
        Its standard error; 0 or NaN where there is no measurement.
    var_poisson, var_rnoise
        Parts of the variance that photons and reads make.
    dq
        Data quality bits of `roman_datamodels.dqflags.pixel`; None for a mosaic, which has none.
    name
        What to call the image when it is rejected.
    """

    data: Plane
    err: Plane
    var_poisson: Plane
    var_rnoise: Plane
    dq: npt.NDArray[np.uint32] | None = None
    name: str = "image"

    def __post_init__(self) -> None:
        arrays = (self.data, self.err, self.var_poisson, self.var_rnoise, self.dq)
        shapes = [one.shape for one in arrays if one is not None]
        if len(set(shapes)) != 1 or self.data.ndim != 2:
            raise ValueError(f"the arrays of an image must have one shape (ny, nx), got {shapes}")

    @classmethod
    def of(
        cls, planes: Sequence[Plane], dq: npt.NDArray[np.uint32] | None = None, name: str = "image"
    ) -> Pixels:
        """Pixels of their planes in order."""
        data, err, var_poisson, var_rnoise = planes
        return cls(data, err, var_poisson, var_rnoise, dq, name)

    @property
    def planes(self) -> tuple[Plane, Plane, Plane, Plane]:
        """Rate, error and variances."""
        return self.data, self.err, self.var_poisson, self.var_rnoise

    @property
    def measured(self) -> BoolArray:
        """Pixels that have a rate and an error, shape (ny, nx)."""
        return np.asarray(np.isfinite(self.data) & (self.err > 0) & np.isfinite(self.err))


def sampled(pixels: Pixels) -> Pixels:
    """Pixels spread over an image, enough to know its noise from."""
    step = max(1, round(np.sqrt(pixels.data.size / _SAMPLE)))
    part = np.s_[::step, ::step]
    return Pixels.of([plane[part] for plane in pixels.planes], None if pixels.dq is None else pixels.dq[part])


def typical_error(pixels: Pixels) -> float:
    """Median standard error of the pixels that are measured, of which there must be one."""
    sample = sampled(pixels)
    errors = sample.err[sample.measured]
    return float(np.median(errors if errors.size else pixels.err[pixels.measured]))


def noise_per_rate(pixels: Pixels) -> float:
    """Read off the Poisson variance that a rate adds: one electron over gain and effective time.

    It is the rise of the variance from the median pixel to the bright ones, so that it does not matter
    whether the sky was subtracted; where no pixel is bright enough, the median ratio of variance to rate.

    Returns
    -------
    float
        Unit of the image; above 0.

    Raises
    ------
    Rejected
        Code ``no_usable_pixels`` if no pixel has a rate and an error, ``no_photon_noise`` if none has a
        Poisson variance.
    """
    sample = sampled(pixels)
    chosen = sample.measured
    if sample.dq is not None:
        chosen &= (sample.dq & np.uint32(SATURATED | JUMP)) == 0
    data, poisson = (one[chosen].astype(np.float64) for one in (sample.data, sample.var_poisson))
    if data.size == 0:
        raise Rejected(
            pixels.name,
            "no pixel has a rate and an error" + ("" if pixels.dq is None else " and did not saturate"),
            "Check the data quality array, and whether the exposure was saturated or empty",
            "no_usable_pixels",
        )
    slope = _slope(data, poisson, float(np.median(sample.err[chosen])))
    if not (np.isfinite(slope) and slope > 0):
        what = "its var_poisson does not grow with the rate, so that the noise of added light is unknown"
        raise Rejected(pixels.name, what, "Process the file again from ramp_fit on", "no_photon_noise")
    return slope


def _slope(data: FloatArray, poisson: FloatArray, error: float) -> float:
    """Rise of the variance with the rate, or their ratio."""
    bright = data >= np.percentile(data, _BRIGHT)
    run = float(np.median(data[bright]) - np.median(data))
    rise = float(np.median(poisson[bright]) - np.median(poisson))
    if run > _LEAST_RISE * error and rise > 0:
        return rise / run
    lit = (data > 0) & (poisson > 0)
    return float(np.median(poisson[lit] / data[lit])) if lit.any() else float("nan")


@dataclass(frozen=True)
class Noise:
    """How light is measured: Poisson variance per rate, when pixels saturate (None: never), seed."""

    per_rate: float
    saturation: Saturation | None
    seed: int


def add_light(pixels: Pixels, light: Float32Array, noise: Noise, workers: Workers) -> None:
    """Add light to an image, with the noise of its photons: all arrays of the pixels are changed in place.

    The number of photons is Poisson distributed. Pixels without a rate or an error stay as they are. A pixel
    that the light saturates is flagged, and its slope is that through the resultants before, with their
    larger noise; where they are too few, rate and error are 0 and it is not to be used, as the pipeline
    leaves it.

    Parameters
    ----------
    pixels
        The image.
    light
        Shape (ny, nx): expected light, unit of the image, at least 0.
    noise
        How it is measured.
    workers
        Threads; the result does not depend on their number.
    """
    bands = -(-light.shape[0] // _ROWS)
    seeds = np.random.SeedSequence(noise.seed).spawn(bands)
    workers.run(_add_bands, bands, (pixels, light, noise, seeds))


def _add_bands(
    first: int, last: int, shared: tuple[Pixels, Float32Array, Noise, list[np.random.SeedSequence]]
) -> None:
    """Add light to some bands of rows; what has half precision is widened for it."""
    pixels, light, noise, seeds = shared
    never = np.full(1, np.inf), np.ones(2), np.ones(2)
    saturation = noise.saturation
    limits = never if saturation is None else (saturation.limit, saturation.poisson, saturation.read)
    for band in range(first, last):
        rows = slice(band * _ROWS, (band + 1) * _ROWS)
        planes = [plane[rows] for plane in pixels.planes]
        wide = tuple(plane.astype(np.float32, copy=False) for plane in planes)
        largest = tuple(float(np.finfo(plane.dtype).max) for plane in planes)
        dq = np.zeros(light[rows].shape, np.uint32) if pixels.dq is None else pixels.dq[rows]
        _add(wide, dq, light[rows], (noise.per_rate, *limits, largest), np.random.default_rng(seeds[band]))
        for plane, values in zip(planes, wide, strict=True):
            if values is not plane:
                plane[:] = values


@compiled()
def _add(
    planes: tuple[Float32Array, Float32Array, Float32Array, Float32Array],
    dq: npt.NDArray[np.uint32],
    light: Float32Array,
    noise: tuple[float, FloatArray, FloatArray, FloatArray, tuple[float, float, float, float]],
    rng: np.random.Generator,
) -> None:
    """Add light pixel by pixel.

    Half precision, and so the largest numbers of the planes, end where the errors of bright stars do not.
    """
    data, err, var_poisson, var_rnoise = planes
    per_rate, limit, poisson_of, read_of, largest = noise
    for j in range(light.shape[0]):
        for i in range(light.shape[1]):
            before, error, expected = float(data[j, i]), float(err[j, i]), float(light[j, i])
            if not (expected > 0 and error > 0 and error < np.inf and np.isfinite(before)):
                continue
            added = _photons(expected / per_rate, rng) * per_rate
            rate, variance = before + added, error * error + added * per_rate
            poisson, read = var_poisson[j, i] + added * per_rate, float(var_rnoise[j, i])
            if before + expected >= limit[-1] and dq[j, i] & _SATURATED == 0:
                dq[j, i] |= _SATURATED
                used = 0
                while limit[used] > before + expected:
                    used += 1
                more = poisson * (poisson_of[used] - 1) + read * (read_of[used] - 1)
                if np.isfinite(more):
                    more = max(more, 0.0)
                    rate, variance = rate + rng.standard_normal() * np.sqrt(more), variance + more
                    poisson, read = poisson * poisson_of[used], read * read_of[used]
                else:
                    dq[j, i] |= _DO_NOT_USE
                    rate, variance, poisson, read = 0.0, 0.0, 0.0, 0.0
                var_rnoise[j, i] = min(read, largest[3])
            elif added == 0:
                continue
            data[j, i] = rate
            err[j, i], var_poisson[j, i] = min(np.sqrt(variance), largest[1]), min(poisson, largest[2])


@compiled()
def _photons(mean: float, rng: np.random.Generator) -> int:
    """Draw from a Poisson distribution; of small means by inversion: most pixels cost one comparison."""
    if mean > _LARGE_MEAN:
        return int(rng.poisson(mean))
    left = rng.random()
    # As 1 - exp(-mean) is at most the mean.
    if left >= mean:
        return 0
    number, chance = 0, np.exp(-mean)
    left = 1.0 - left
    while left > chance and number < 100:
        left -= chance
        number += 1
        chance *= mean / number
    return number
