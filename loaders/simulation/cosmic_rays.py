"""Cosmic rays: charge left along straight tracks at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.simulation.parameters import DetectorParameters

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_PIXEL_CM = 1e-3
_STEPS_PER_PIXEL = 8


@dataclass(frozen=True)
class Hits:
    """Pixels struck, one a row, each pixel at most once; arrays of shape (n,).

    ``row, column`` of the pixel, ``charge`` in electrons, ``time`` in seconds from the reset, ``flagged``
    whether the ramp fit found the jump.
    """

    row: IntArray
    column: IntArray
    charge: FloatArray
    time: FloatArray
    flagged: npt.NDArray[np.bool_]


def draw_hits(
    shape: tuple[int, int], exposure_time: float, parameters: DetectorParameters, rng: np.random.Generator
) -> Hits:
    """Draw the hits of an exposure; their number is Poisson distributed about rate, area and time."""
    area = shape[0] * shape[1] * _PIXEL_CM**2
    number = int(rng.poisson(parameters.cosmic_ray_rate * area * exposure_time))
    track, pixel, share = _tracks(shape, number, parameters.cosmic_ray_track, rng)
    # A pixel crossed by two tracks counts as hit by the first alone.
    pixel, first = np.unique(pixel, return_index=True)
    time = rng.uniform(0, exposure_time, number)[track[first]]
    flagged = (rng.uniform(size=number) < parameters.cosmic_ray_flagged)[track[first]]
    charge = parameters.cosmic_ray_charge * rng.exponential(size=number)[track[first]] * share[first]
    return Hits(pixel // shape[1], pixel % shape[1], charge, time, flagged)


def _tracks(
    shape: tuple[int, int], number: int, length: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray, FloatArray]:
    """Track index, flat pixel index and share of a pixel's path for each pixel of each track."""
    x, y = rng.uniform(-0.5, shape[1] - 0.5, number), rng.uniform(-0.5, shape[0] - 0.5, number)
    angle = rng.uniform(0, 2 * np.pi, number)
    reach = rng.exponential(length, number)
    steps = np.maximum(np.ceil(reach * _STEPS_PER_PIXEL).astype(np.int64), 1)
    track = np.repeat(np.arange(number), steps)
    along = (np.arange(track.size) - np.repeat(np.cumsum(steps) - steps, steps)) / _STEPS_PER_PIXEL
    column = np.rint(x[track] + along * np.cos(angle[track])).astype(np.int64)
    row = np.rint(y[track] + along * np.sin(angle[track])).astype(np.int64)
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    pixels = shape[0] * shape[1]
    key = track[inside] * pixels + row[inside] * shape[1] + column[inside]
    key, count = np.unique(key, return_counts=True)
    return key // pixels, key % pixels, count / _STEPS_PER_PIXEL
