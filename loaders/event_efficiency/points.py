"""Stored light curves as they are changed: injected into, reversed in time, turned upside down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from loaders.light_curve_simulation.noise import NOISE_PIXELS, band_noise
from loaders.stored_curve.band import Band, usable_band

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Points:
    """The light curve of an object in one optical element, as it is stored; arrays of shape (n,).

    Parameters
    ----------
    name
        Optical element.
    time
        BJD (TDB), days, in the order in which statistics of variability take them.
    flux, error
        nJy; NaN where not measured.
    flags
        Photometry flags.
    reference
        Catalogued flux (nJy) against which runs of bright points were counted; NaN for none.
    """

    name: str
    time: FloatArray
    flux: Float32Array
    error: Float32Array
    flags: npt.NDArray[np.uint16]
    reference: FloatArray

    def counting(self, excluding_flags: int) -> BoolArray:
        """Points with a flux, an error above zero and none of some flags, shape (n,)."""
        measured = np.isfinite(self.flux) & np.isfinite(self.error) & (np.nan_to_num(self.error) > 0)
        return np.asarray(measured & (self.flags & np.uint16(excluding_flags) == 0))

    def mean(self, excluding_flags: int) -> float:
        """Mean flux of the points that count, weighted by inverse variances, nJy; NaN without a point."""
        good = self.counting(excluding_flags)
        if not good.any():
            return float("nan")
        flux, error = self.flux[good].astype(np.float64), self.error[good].astype(np.float64)
        return float(np.average(flux, weights=error**-2))

    def band(self, excluding_flags: int) -> Band:
        """The points that count, as the search takes them."""
        bad = self.flags & np.uint16(excluding_flags) != 0
        return usable_band(self.name, self.time, self.flux, self.error, bad)

    def brighter(self, extra: FloatArray, baseline: float, rng: np.random.Generator) -> Points:
        """The light curve with more light, and with the noise and the errors that its photons bring.

        Parameters
        ----------
        extra
            Shape (n,): flux that is added, nJy, 0 or more.
        baseline
            Flux without it, nJy.
        rng
            Random numbers.
        """
        error = self.error.astype(np.float64)
        variance = extra_variance(self.name, baseline, extra, error)
        flux = self.flux + extra + np.sqrt(variance) * rng.standard_normal(extra.size)
        wider = np.sqrt(error**2 + variance)
        return replace(self, flux=flux.astype(np.float32), error=wider.astype(np.float32))

    def inverted(self, baseline: float) -> Points:
        """The light curve upside down about its baseline (nJy): what brightened fades."""
        return replace(self, flux=(2 * baseline - self.flux.astype(np.float64)).astype(np.float32))

    def backwards(self, pivot: float) -> Points:
        """The light curve backwards in time about a moment (BJD)."""
        flipped = {name: getattr(self, name)[::-1].copy() for name in ("flux", "error", "flags", "reference")}
        return replace(self, time=2 * pivot - self.time[::-1], **flipped)


def extra_variance(element: str, baseline: float, extra: FloatArray, error: FloatArray) -> FloatArray:
    """Variance that light on top of a baseline brings, nJy², of the shape of ``extra``.

    By the noise of PSF photometry (`loaders.light_curve_simulation.noise`), whose part that does not depend
    on the star cancels out, so that what a stored error says of sky and crowding stays. For an element of
    which it does not know, all of the error is taken to be photons of the star: the variance then grows in
    proportion to the flux.

    Parameters
    ----------
    element
        Optical element.
    baseline
        Flux without the light, nJy.
    extra
        The light, nJy, 0 or more.
    error
        Standard errors without it, nJy; NaN gives NaN where the element is not known.
    """
    floor = max(baseline, 0.0)
    if element not in NOISE_PIXELS:
        return np.asarray(error**2 * extra / floor if floor else np.zeros_like(extra))
    noise = band_noise(element)
    quiet = noise.error(np.full_like(extra, floor)) ** 2
    return np.asarray(np.maximum(noise.error(floor + extra) ** 2 - quiet, 0.0))


def pivot_of(curves: Sequence[Points]) -> float:
    """Middle of the first and last moment of several light curves, BJD."""
    times = np.concatenate([curve.time for curve in curves])
    return float((times.min() + times.max()) / 2)
