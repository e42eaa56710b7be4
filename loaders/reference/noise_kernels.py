"""Compiled sums of noise over the pixels of exposures: their covariance is the normal matrix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.reference.kernels import (
    BLOCK,
    TAPS,
    Float32Array,
    FloatArray,
    Geometry,
    inside,
    place,
    row_polynomials,
    single_weights,
)
from roman_db.compiled import compiled


@compiled()
def accumulate_noise(
    begin: int,
    end: int,
    strips: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int],
    exposure: tuple[Float32Array, int],
    where: tuple[Geometry, FloatArray],
    sums: Float32Array,
) -> None:
    """Add noise of the pixels of an exposure to some right-hand sides, for some strips of the frame.

    Parameters
    ----------
    begin, end, strips, where
        As in `loaders.reference.kernels.accumulate`.
    exposure
        Weights of the pixels, shape (ny, nx); number of the exposure.
    sums
        Right-hand sides, shape (n, rows, columns), n up to 32. In each a pixel is off by one standard
        deviation, up or down as its number and that of its exposure have it, and so the same in every strip.
    """
    which, rows, height = strips
    geometry, v = where
    weight, number = exposure
    for strip in which[begin:end]:
        limits = (strip * height, (strip + 1) * height)
        for block in range(v.shape[1] - 1):
            for j in range(rows[strip, 0], rows[strip, 1]):
                first, last = inside(v[j, block], v[j, block + 1], limits)
                if last > first:
                    run = (j, BLOCK * block + first, min(BLOCK * block + last, weight.shape[1]))
                    _add_run((strip, height), (weight, number), geometry, run, sums)


@compiled()
def _add_run(
    part: tuple[int, int],
    exposure: tuple[Float32Array, int],
    geometry: Geometry,
    run: tuple[int, int, int],
    sums: Float32Array,
) -> None:
    """Add the noise of a run along a row of the exposure that lies in one strip."""
    weight, number = exposure
    n, n_row, n_column = sums.shape
    strip, height = part
    j, first, last = run
    row = row_polynomials(geometry, j)
    for i in range(first, last):
        if weight[j, i] == 0:
            continue
        u, v = place(geometry, row, i)
        k, m = int(np.floor(u)) - 1, int(np.floor(v)) - 1
        if (m + 1) // height != strip or k < 0 or m < 0 or k + TAPS > n_column or m + TAPS > n_row:
            continue
        bu, bv = single_weights(np.float32(u - k - 1)), single_weights(np.float32(v - m - 1))
        bits = _mixed(np.uint64(number), np.uint64(j * weight.shape[1] + i))
        root = np.sqrt(weight[j, i])
        for r in range(n):
            sign = root if (bits >> np.uint64(r)) & np.uint64(1) else -root
            for q in range(TAPS):
                for p in range(TAPS):
                    sums[r, m + q, k + p] += sign * bv[q] * bu[p]


@compiled()
def _mixed(number: np.uint64, index: np.uint64) -> np.uint64:
    """64 bits that look random (splitmix64; Steele, Lea & Flood 2014, OOPSLA, 453), the high ones first."""
    z = (number << np.uint64(40)) + index + np.uint64(1)
    z *= np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) >> np.uint64(32)
