"""An event as its relative motion is looked for: when, how bright, and where its light was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.points import ExposureTimes, StarPlaces, StarPoints
from loaders.astrometry.stars import julian_year
from loaders.relative_motion.chromatic import ColourPoints, chromatic_motion
from loaders.relative_motion.outcome import CHROMATIC_SHIFT, RelativeMotion
from loaders.relative_motion.shares import Shares, shares_of

FloatArray = npt.NDArray[np.float64]

#: Fall of chi-square with a lens from which an event is robust.
ROBUST_GAIN = 300.0

#: Einstein times from the peak within which magnification changes the shares of light: 1.7 % at three.
AWAY = 3.0


@dataclass(frozen=True)
class EventLight:
    """What is known of an event.

    Parameters
    ----------
    delta_chi2
        Fall of chi-square with a lens; NaN without a fit.
    is_believed
        Whether its model came to its end, and has one source.
    t_0, t_e
        Time of the peak, MJD TDB (of the barycentre), and Einstein time, days; NaN where unknown.
    flux
        Flux and error, nJy, by element and number of the source: 1, or 0 for the blend.
    covariance_of, covariance
        Of the model: see `loaders.relative_motion.shares.shares_of`.
    """

    delta_chi2: float
    is_believed: bool
    t_0: float
    t_e: float
    flux: Mapping[tuple[str, int], tuple[float, float]]
    covariance_of: Sequence[str] = ()
    covariance: FloatArray | None = None

    @property
    def is_robust(self) -> bool:
        """Whether it is worth asking."""
        return (
            self.is_believed
            and self.delta_chi2 >= ROBUST_GAIN
            and bool(np.isfinite([self.t_0, self.t_e]).all())
        )

    @property
    def shares(self) -> Shares | None:
        """Shares of the blend; None without the main element."""
        return shares_of(self.flux, self.covariance_of, self.covariance)


@dataclass(frozen=True)
class ExposureFacts:
    """Exposures in seasons, n of them, in order of their identifiers.

    Parameters
    ----------
    exposure_id, season
        Shape (n,).
    optical_element
        Shape (n,): names.
    mjd_tdb
        Shape (n,): midpoints.
    terms
        Shape (n, 3, 2): shift (mas), and its change eastwards and northwards (mas/arcmin), of either
        coordinate.
    """

    exposure_id: npt.NDArray[np.int64]
    season: npt.NDArray[np.int64]
    optical_element: Sequence[str]
    mjd_tdb: FloatArray
    terms: FloatArray


def unmeasurable(event: EventLight) -> str | None:
    """Why the light curve of an event alone says that there is nothing to measure; None if there may be."""
    shares = event.shares
    if not event.is_robust:
        return "not_robust"
    if shares is None or len(shares.elements) < 2:
        return "few_epochs"
    if not shares.is_bright:
        return "faint_lens"
    return None if shares.has_colour else "no_colour"


def chromatic_of_event(
    event: EventLight,
    points: StarPoints,
    times: ExposureTimes,
    places: StarPlaces,
    exposures: ExposureFacts,
) -> RelativeMotion:
    """Relative motion of an event by its chromatic shift, or why there is none.

    Parameters
    ----------
    event
        The event.
    points, times, places
        Offsets of its object, the exposures in which they were measured, and its place.
    exposures
        What is known of the exposures; those that are not among them do not count.
    """
    if (reason := unmeasurable(event)) is not None:
        return RelativeMotion(CHROMATIC_SHIFT, reason)
    shares = event.shares
    assert shares is not None
    number = {name: k for k, name in enumerate(shares.elements)}
    element = np.array([number.get(name, -1) for name in exposures.optical_element], dtype=np.int64)
    colour = _colour_points(points, times, places, exposures, element)
    away = np.abs(colour[1] - event.t_0) > AWAY * event.t_e
    return chromatic_motion(colour[0].take(away), shares, float(julian_year(event.t_0)))


def _colour_points(
    points: StarPoints,
    times: ExposureTimes,
    places: StarPlaces,
    exposures: ExposureFacts,
    element: npt.NDArray[np.int64],
) -> tuple[ColourPoints, FloatArray]:
    """Points in elements that have shares, without what their exposures are off by; and when they are of.

    The Sun, which the telescope's panels face, stands on one side of the field or the other, and with it the
    sign of the parallax factor eastwards: that is the orientation.
    """
    row = np.searchsorted(exposures.exposure_id, times.exposure_id)
    row[row == exposures.exposure_id.size] = 0
    known = np.zeros(len(times), dtype=bool)
    if exposures.exposure_id.size:
        known = (exposures.exposure_id[row] == times.exposure_id) & (element[row] >= 0)
    chosen = np.flatnonzero(known[points.exposure])
    at = points.exposure[chosen]
    fact = row[at]
    east, north = places.plane[0]
    frame = exposures.terms[fact] if fact.size else np.empty((0, 3, 2))
    off = frame[:, 0] + frame[:, 1] * east + frame[:, 2] * north
    factor = np.einsum("cx,kx->kc", places.factor_row[0], times.observer[at])
    colour = ColourPoints(
        times.year[at],
        factor,
        element[fact] if fact.size else np.empty(0, np.int64),
        exposures.season[fact] if fact.size else np.empty(0, np.int64),
        (factor[:, 0] > 0).astype(np.int64),
        points.offset[chosen] - off,
        points.error[chosen],
    )
    return colour, exposures.mjd_tdb[fact] if fact.size else np.empty(0)
