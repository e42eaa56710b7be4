"""Injected sources against measured ones: what was found, what was there before, and what is neither."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from loaders.injection.sources import ArtificialSources

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NONE = -1

_ARCSEC = np.pi / 648_000
_MAS_PER_RADIAN = 1000 / _ARCSEC


class Origin(enum.IntEnum):
    """What a measured source is."""

    SPURIOUS = 0
    INJECTED = 1
    BEFORE = 2


@dataclass(frozen=True)
class MeasuredSources:
    """Sources that were measured in an image, by whatever means; arrays of shape (n,).

    Parameters
    ----------
    ra, dec
        Measured place, deg ICRS.
    flux, flux_err
        Flux density and its standard error, nJy; NaN where not measured.
    """

    ra: FloatArray
    dec: FloatArray
    flux: FloatArray
    flux_err: FloatArray

    def __post_init__(self) -> None:
        shapes = [one.shape for one in (self.ra, self.dec, self.flux, self.flux_err)]
        if len(set(shapes)) != 1 or self.ra.ndim != 1:
            raise ValueError(f"ra, dec, flux and flux_err must have one shape (n,), got {shapes}")

    def take(self, rows: BoolArray | IntArray) -> MeasuredSources:
        """Some of the sources."""
        return MeasuredSources(self.ra[rows], self.dec[rows], self.flux[rows], self.flux_err[rows])

    def significant(self, signal_to_noise: float) -> BoolArray:
        """Sources on the sky whose flux is so many times its error, shape (n,): the detections."""
        placed = np.isfinite(self.ra) & np.isfinite(self.dec) & (self.flux_err > 0)
        return np.asarray(placed & (self.flux >= signal_to_noise * self.flux_err))


@dataclass(frozen=True)
class MatchOptions:
    """When a measured source is an injected one.

    Parameters
    ----------
    radius
        Largest distance, arcsec.
    flux_factor
        Largest ratio, either way, of measured to injected flux.
    n_sigma
        Differences in flux up to so many standard errors are no difference.
    density_radius
        Radius about a source in which the sources that were there before are counted, arcsec.
    """

    radius: float = 0.11
    flux_factor: float = 2.0
    n_sigma: float = 3.0
    density_radius: float = 3.0

    def __post_init__(self) -> None:
        if not (self.radius > 0 and self.flux_factor > 1 and self.n_sigma >= 0 and self.density_radius > 0):
            raise ValueError(
                "radius and density_radius must be above 0, flux_factor above 1, n_sigma at least 0, got "
                f"{self.radius}, {self.density_radius}, {self.flux_factor}, {self.n_sigma}"
            )


@dataclass(frozen=True)
class Matches:
    """What became of injected sources, shape (n,), and what measured sources are, shape (m,).

    Parameters
    ----------
    measured
        Row of the measured source that each injected one is; `NONE` where it was not found.
    distance
        Distance between the two, mas; NaN where it was not found.
    density
        Sources a square arcminute that were there before, around the injected one.
    origin
        `Origin` of each measured source.
    origin_density
        The same as ``density``, around each measured source.
    """

    measured: IntArray
    distance: FloatArray
    density: FloatArray
    origin: IntArray
    origin_density: FloatArray

    @property
    def is_detected(self) -> BoolArray:
        """Injected sources that were found, shape (n,)."""
        return np.asarray(self.measured != NONE)


def match(
    injected: ArtificialSources, after: MeasuredSources, before: MeasuredSources, options: MatchOptions
) -> Matches:
    """Match the detections in an image with artificial sources to these, and to the detections without them.

    Each detection has one origin: an injected source whose brightness it has, or one that had been detected
    before. Pairs are taken in the order of how well they agree, ``(distance / radius)² + (ln(flux ratio) /
    ln(flux_factor))²``, the second term at most 1; of two that agree equally well the one that was there
    before is taken. So a star that falls on a detected star is found only where its own light prevails, and
    whatever was there before is no recovery.

    Parameters
    ----------
    injected
        What was injected.
    after, before
        The detections in the image with artificial sources, and in the same image without them.
    options
        What counts as the same.
    """
    pairs = [
        _pairs(after, (injected.ra, injected.dec, injected.flux), options, must_agree=True),
        _pairs(after, (before.ra, before.dec, before.flux), options, must_agree=False),
    ]
    score = np.concatenate([one.score for one in pairs])
    is_before = np.repeat([False, True], [one.score.size for one in pairs])
    row, other = (np.concatenate([getattr(one, name) for one in pairs]) for name in ("measured", "other"))
    origin = np.full(after.ra.size, Origin.SPURIOUS, dtype=np.int64)
    found, gone = np.full(len(injected), NONE), np.zeros(before.ra.size, dtype=bool)
    for k in np.lexsort((other, row, ~is_before, score)):
        if origin[row[k]] != Origin.SPURIOUS:
            continue
        if is_before[k] and not gone[other[k]]:
            origin[row[k]], gone[other[k]] = Origin.BEFORE, True
        elif not is_before[k] and found[other[k]] == NONE:
            origin[row[k]], found[other[k]] = Origin.INJECTED, row[k]
    near = cKDTree(_vectors(before.ra, before.dec)) if before.ra.size else None
    return Matches(
        found,
        _distances(injected, after, found),
        _density(near, injected.ra, injected.dec, options.density_radius),
        origin,
        _density(near, after.ra, after.dec, options.density_radius),
    )


@dataclass(frozen=True)
class _Pairs:
    """Rows of measured and of other sources that may be the same, and how ill they agree."""

    measured: IntArray
    other: IntArray
    score: FloatArray


def _pairs(
    after: MeasuredSources,
    others: tuple[FloatArray, FloatArray, FloatArray],
    options: MatchOptions,
    must_agree: bool,
) -> _Pairs:
    """Find the pairs within the radius, of like brightness if they must agree."""
    ra, dec, flux = others
    if after.ra.size == 0 or ra.size == 0:
        return _Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    chord = 2 * np.sin(options.radius * _ARCSEC / 2)
    trees = cKDTree(_vectors(after.ra, after.dec)), cKDTree(_vectors(ra, dec))
    found = trees[0].sparse_distance_matrix(trees[1], chord, output_type="ndarray")
    row, other = found["i"].astype(np.int64), found["j"].astype(np.int64)
    ratio = _flux_term(after.flux[row], after.flux_err[row], flux[other], options)
    kept = ratio <= 1 if must_agree else np.ones(ratio.size, dtype=bool)
    score = (found["v"] / chord) ** 2 + np.minimum(ratio, 1) ** 2
    return _Pairs(row[kept], other[kept], score[kept])


def _flux_term(flux: FloatArray, error: FloatArray, other: FloatArray, options: MatchOptions) -> FloatArray:
    """Logarithm of the ratio of fluxes over that of the largest; at most 1 where their errors explain it."""
    both = (flux > 0) & (other > 0)
    ratio = np.where(both, flux, 1.0) / np.where(both, other, 1.0)
    term = np.where(both, np.abs(np.log(ratio)) / np.log(options.flux_factor), np.inf)
    alike = np.abs(flux - other) <= options.n_sigma * np.where(np.isfinite(error), error, 0.0)
    return np.asarray(np.where(alike, np.minimum(term, 1.0), term))


def _distances(injected: ArtificialSources, after: MeasuredSources, found: IntArray) -> FloatArray:
    """Distances (mas) of injected sources from the measured ones that they are."""
    distance = np.full(found.size, np.nan)
    rows = np.flatnonzero(found != NONE)
    ends = (
        _vectors(injected.ra[rows], injected.dec[rows]),
        _vectors(after.ra[found[rows]], after.dec[found[rows]]),
    )
    distance[rows] = 2 * np.arcsin(np.linalg.norm(ends[0] - ends[1], axis=1) / 2) * _MAS_PER_RADIAN
    return distance


def _density(near: cKDTree | None, ra: FloatArray, dec: FloatArray, radius: float) -> FloatArray:
    """Sources a square arcminute within a radius (arcsec) of places."""
    if near is None or ra.size == 0:
        return np.zeros(ra.size)
    number = near.query_ball_point(_vectors(ra, dec), 2 * np.sin(radius * _ARCSEC / 2), return_length=True)
    return np.asarray(number / (np.pi * (radius / 60) ** 2))


def _vectors(ra: FloatArray, dec: FloatArray) -> FloatArray:
    """Unit vectors of places, shape (n, 3)."""
    longitude, latitude = np.radians(ra), np.radians(dec)
    shrink = np.cos(latitude)
    return np.stack([np.cos(longitude) * shrink, np.sin(longitude) * shrink, np.sin(latitude)], axis=1)
