"""Which exposures show how far a lens has moved from its source, and what comes of them.

They are of seasons after the event, from the second of each orientation of the telescope on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.astrometry.stars import julian_year
from loaders.lens.parallax import observer_position
from loaders.psf.model import FloatArray
from loaders.refined_photometry.exposures import Cutouts, SceneStars
from loaders.refined_photometry.forced import good_pixels
from loaders.relative_motion.elongation import elongation_motion
from loaders.relative_motion.event import AWAY, EventLight
from loaders.relative_motion.outcome import ELONGATION, RelativeMotion
from loaders.relative_motion.pair_fit import ElongationOptions, Pair
from loaders.wfi.times import MJD_ZERO

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Exposures of a detector, element and season that are looked at, spread evenly: the PSF is no better known.
MOST = 120


@dataclass(frozen=True)
class SeasonExposures:
    """Exposures of a detector in a season and optical element, in order of time.

    Parameters
    ----------
    field_id, detector, optical_element, season
        Of what they are.
    start_mjd, end_mjd
        First day of the season, and the first after it, MJD TDB.
    exposure_id
        Shape (n,).
    """

    field_id: int
    detector: str
    optical_element: str
    season: int
    start_mjd: int
    end_mjd: int
    exposure_id: Sequence[int]

    @property
    def spread(self) -> list[int]:
        """At most `MOST` of them, spread evenly."""
        n = len(self.exposure_id)
        rows = np.linspace(0, n - 1, min(n, MOST)).round().astype(np.int64)
        return [self.exposure_id[k] for k in rows.tolist()]


@dataclass(frozen=True)
class Shown:
    """An event in exposures of one season, detector and optical element; ``mjd`` are midpoints, TDB."""

    season: int
    optical_element: str
    cutouts: Cutouts
    stars: SceneStars
    mjd: FloatArray


def moved_eastwards(mjd: float, ra: float) -> bool:
    """Whether parallax moves stars at a right ascension (deg) eastwards at a time (MJD TDB).

    The telescope's panels face the Sun, so that this says which way round the field lies on the detectors.
    """
    place = observer_position(np.array([mjd + MJD_ZERO]))[0]
    alpha = np.radians(ra)
    return bool(place[0] * np.sin(alpha) - place[1] * np.cos(alpha) > 0)


def late_seasons(days: Mapping[int, tuple[int, int]], t_0: float, ra: float) -> list[int]:
    """Seasons in which a lens is looked for: after the event, from the second of each orientation on.

    Parameters
    ----------
    days
        First day of each season of which there are exposures, and the first after it, MJD TDB.
    t_0
        Time of the event, MJD TDB.
    ra
        Right ascension, deg.
    """
    seen: set[bool] = set()
    late = []
    for season, (first, end) in sorted(days.items(), key=lambda one: one[1]):
        side = moved_eastwards((first + end) / 2, ra)
        if side in seen and first > t_0:
            late.append(season)
        seen.add(side)
    return late


def no_elongation(event: EventLight) -> str | None:
    """Why the light curve of an event alone says that no image can tell; None if one may."""
    if not event.is_robust:
        return "not_robust"
    if event.shares is None:
        return "few_epochs"
    return None if event.shares.is_bright else "faint_lens"


@dataclass(frozen=True)
class ElongationJob:
    """What `elongation_job` takes, for a process of its own.

    ``reason`` says why there is nothing to fit, if that is known. Of other exposures than are ``shown``,
    ``n_refused`` have no file that can be read, and ``n_without`` no PSF in the library.
    """

    event: EventLight
    shown: Sequence[Shown]
    reason: str | None = None
    n_refused: int = 0
    n_without: int = 0


def elongation_job(job: ElongationJob) -> RelativeMotion:
    """Relative motion of an event by two PSFs, or why there is none."""
    if job.reason is not None:
        return RelativeMotion(ELONGATION, job.reason)
    event, shares = job.event, job.event.shares
    assert shares is not None
    pairs, seasons = [], set()
    for one in job.shown:
        pair = _pair(one, event)
        if pair is not None and one.optical_element in shares.bright:
            pairs.append(pair)
            seasons.add(one.season)
    t_0 = float(julian_year(event.t_0))
    found = elongation_motion(pairs, shares, t_0, len(seasons))
    if found.status != "few_epochs":
        return found
    return RelativeMotion(ELONGATION, _why_few(job), len(seasons), found.n_exposure)


def _why_few(job: ElongationJob) -> str:
    """Why there are too few exposures: files or PSFs that would have been enough, or nothing else."""
    fewest = ElongationOptions().fewest
    if job.n_refused >= fewest:
        return "no_image"
    return "no_psf" if job.n_without >= fewest else "few_epochs"


def _pair(one: Shown, event: EventLight) -> Pair | None:
    """Exposures that count: without magnification, with the event on pixels that are good."""
    radius = ElongationOptions().radius
    good = good_pixels(one.cutouts, radius) & (np.abs(one.mjd - event.t_0) > AWAY * event.t_e)
    rows = np.flatnonzero(good)
    if not rows.size:
        return None
    age = julian_year(one.mjd[rows]) - julian_year(event.t_0)
    return Pair(one.cutouts.take(rows), one.stars, np.asarray(age), one.optical_element)
