"""The sky of a dispersed exposure: a master sky, scaled to the pixels that no trace touches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.spectral_extraction.frame import BoolArray, SpectralFrame
from loaders.spectral_geometry.polynomial import FloatArray

_CLIP = 4.0
_ROUNDS = 8
_FEWEST = 100
"""Pixels without traces below which all usable pixels are taken, and only clipped."""


@dataclass(frozen=True)
class Sky:
    """A master sky times a scale.

    ``scale`` and ``error`` are numbers, ``pixels`` how many pixels they were measured on; ``masked`` says
    whether all of them were free of traces.
    """

    scale: float
    error: float
    pixels: int
    masked: bool


def fit_sky(frame: SpectralFrame, master: FloatArray, traces: BoolArray) -> Sky:
    """Scale a master sky by weighted least squares, clipping what sticks out of it.

    Parameters
    ----------
    frame
        The exposure.
    master
        Shape (ny, nx): the sky in any unit; NaN where it is not known.
    traces
        Shape (ny, nx): pixels into which sources shine, in any order.

    Raises
    ------
    ValueError
        If the shapes differ, or no pixel can be used.
    """
    if master.shape != frame.rate.shape or traces.shape != frame.rate.shape:
        shapes = f"{frame.rate.shape}, {master.shape} and {traces.shape}"
        raise ValueError(f"exposure, master sky and traces must be of one shape, got {shapes}")
    usable = frame.usable & np.isfinite(master) & (master > 0)
    masked = int((usable & ~traces).sum()) >= _FEWEST
    usable = usable & ~traces if masked else usable
    if not usable.any():
        raise ValueError("no usable pixel for the sky; check the flags of the exposure and the master sky")
    return _clipped(frame, master, usable, masked)


def _clipped(frame: SpectralFrame, master: FloatArray, usable: BoolArray, masked: bool) -> Sky:
    rate, sky, read = frame.rate[usable], master[usable], frame.read_variance[usable]
    scale = float(np.median(rate / sky))
    keep = np.ones(rate.size, dtype=bool)
    for _ in range(_ROUNDS):
        variance = read + frame.poisson * max(scale, 0.0) * sky
        keep = np.abs(rate - scale * sky) < _CLIP * np.sqrt(variance)
        if not keep.any():
            raise ValueError("no pixel agrees with the master sky; check that it is of this element")
        weight = sky[keep] / variance[keep]
        before, scale = scale, float((weight * rate[keep]).sum() / (weight * sky[keep]).sum())
        if abs(scale - before) < 1e-10 * abs(scale):
            break
    error = float(1.0 / np.sqrt((weight * sky[keep]).sum()))
    return Sky(scale, error, int(keep.sum()), masked)
