"""Artificial sources put into an image: arrays in, arrays changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.injection.light import View, expected_light
from loaders.injection.pixels import Noise, Pixels, add_light, noise_per_rate, typical_error
from loaders.injection.saturation import Saturation, limit_of_image, saturation_of
from loaders.injection.sources import ArtificialSources
from loaders.photometry.parallel import Workers, available_threads
from loaders.rejection import Rejected
from loaders.simulation.parameters import MultiAccumTable
from loaders.wfi.quality import JUMP, SATURATED

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

_DRAWING_ERROR = 0.01
"""Error of drawing in a pixel, over the noise of a pixel."""


@dataclass(frozen=True)
class Measurement:
    """How an image was measured: its reads, without which nothing saturates; seed; threads (None: all)."""

    reads: MultiAccumTable | None = None
    seed: int = 0
    threads: int | None = None


def inject(
    pixels: Pixels,
    view: View,
    sources: ArtificialSources,
    measurement: Measurement,
    factor: FloatArray | None = None,
) -> Float32Array:
    """Add artificial sources with their noise to an image, whose arrays are changed in place.

    Parameters
    ----------
    pixels
        The image.
    view
        How it sees the sky.
    sources
        What is added. Sources off the image shine in.
    measurement
        How it was measured.
    factor
        Shape (n,): fluxes in this image over those of the sources; 1 for None.

    Returns
    -------
    ndarray
        Expected light that was added, unit of the image, shape (ny, nx).

    Raises
    ------
    Rejected
        Codes ``no_usable_pixels``, ``no_photon_noise``, and ``off_image`` if no source is on the image.
    """
    unit = noise_per_rate(pixels)
    if not view.inside(sources).any():
        what = f"none of {len(sources)} sources lies on it"
        raise Rejected(pixels.name, what, "Give sources where the image looks, or leave it out", "off_image")
    noise = Noise(unit, _saturation(pixels, measurement.reads, unit), measurement.seed)
    threads = available_threads() if measurement.threads is None else measurement.threads
    with Workers(threads) as workers:
        light = expected_light(view, sources, _DRAWING_ERROR * typical_error(pixels), workers, factor)
        add_light(pixels, light, noise, workers)
    return light


def _saturation(pixels: Pixels, reads: MultiAccumTable | None, unit: float) -> Saturation | None:
    """When pixels saturate; None where that is not known."""
    if reads is None or pixels.dq is None:
        return None
    at = np.nonzero((pixels.dq & np.uint32(SATURATED | JUMP)) == np.uint32(SATURATED))
    rates = pixels.data[at][pixels.err[at] > 0]
    return saturation_of(reads, limit_of_image(rates[np.isfinite(rates)], reads, unit))
