"""Measured fluxes against the truth: scatter over the Cramér-Rao bound, bias, pulls, zero point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.record import Figure
from loaders.photometry.flags import PhotometryFlag

FloatArray = npt.NDArray[np.float64]

BINS = ((18.0, 19.0), (19.0, 20.0), (20.0, 21.0), (21.0, 22.0), (22.0, 23.0))
#: mmag; the limit of ``run daily`` for the zero point of an exposure.
ZERO_POINT_LIMIT = 10.0
_MMAG = 2500 / np.log(10)
_SPOILT = PhotometryFlag.BLENDED | PhotometryFlag.EDGE | PhotometryFlag.MASKED


@dataclass(frozen=True)
class Compared:
    """Points of one exposure or of several with their truth, each of shape (n,), in one unit of flux.

    ``bound`` is the smallest error that joint photometry can have, NaN where it is not known.
    """

    flux: FloatArray
    flux_err: FloatArray
    flags: npt.NDArray[np.integer]
    truth: FloatArray
    magnitude: FloatArray
    bound: FloatArray

    @property
    def pull(self) -> FloatArray:
        """Distance from the truth in standard errors."""
        return (self.flux - self.truth) / self.flux_err

    def take(self, chosen: npt.NDArray) -> Compared:
        """Some of the points."""
        return Compared(**{name: values[chosen] for name, values in vars(self).items()})


def joined(parts: Sequence[Compared]) -> Compared:
    """All points of several exposures."""
    return Compared(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])}
    )


def usual(points: Compared) -> Compared:
    """Points measured with a known bound, and without edge, lost pixel or neighbour within 0.05 pixels."""
    measured = np.isfinite(points.flux) & np.isfinite(points.bound)
    return points.take(measured & ((points.flags & _SPOILT) == 0))


def in_bin(points: Compared, limits: tuple[float, float]) -> Compared:
    """Points of stars of some magnitudes."""
    return points.take((points.magnitude >= limits[0]) & (points.magnitude < limits[1]))


def rms_over_bound(points: Compared) -> float:
    """Root mean square of errors, each over its bound."""
    return float(np.sqrt(np.mean(((points.flux - points.truth) / points.bound) ** 2)))


def bias(points: Compared) -> float:
    """Weighted mean of measured over true flux, less one, in mmag; positive where too bright."""
    weight = points.truth / points.flux_err**2
    return float(_MMAG * np.sum((points.flux - points.truth) * weight) / np.sum(points.truth * weight))


def pull_width(points: Compared) -> float:
    """Half the range of the middle 68 % of pulls: 1 where errors are what they claim to be."""
    return float(0.5 * np.subtract(*np.percentile(points.pull, [84.134, 15.866])))


def flux_ratio(points: Compared) -> float:
    """Median of measured over true flux of stars brighter than 20 without a flag."""
    bright = points.take((points.magnitude < 20) & (points.flags == 0) & np.isfinite(points.flux))
    return float(np.median(bright.flux / bright.truth))


def zero_point(points: Compared) -> float:
    """The same in mmag; positive where too bright."""
    return float(2500 * np.log10(flux_ratio(points)))


def bin_figures(area: str, label: str, points: Compared) -> Iterator[Figure]:
    """Scatter, bias and pulls by magnitude; ``points`` are the usual ones."""
    for limits in BINS:
        some = in_bin(points, limits)
        name = f"{label}, F146 {limits[0]:.0f} to {limits[1]:.0f}"
        largest_bias = 1.0 if limits[1] <= 21 else 3.0
        ratio, width = rms_over_bound(some), abs(pull_width(some) - 1)
        yield Figure(area, f"{name}: rms / Cramér-Rao bound", ratio, "", 1.15, "min", "the bound", 1.0)
        yield Figure(area, f"{name}: |bias|", abs(bias(some)), "mmag", largest_bias, "min")
        yield Figure(area, f"{name}: |robust width of pulls - 1|", width, "", 0.05, "min")


def lens_figures(area: str, label: str, pulls: Sequence[float], factors: Sequence[float]) -> Iterator[Figure]:
    """Distance of each point of the brightening star from the truth."""
    for pull, factor in zip(pulls, factors, strict=True):
        name = f"{label}, brightening star x{factor:.1f}: distance from truth"
        yield Figure(area, name, abs(float(pull)), "sigma", 1.5, "min")
