"""From the light curves of an object to its events: searched, judged, modelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from loaders.event_models.curve import Band, without_outliers
from loaders.microlensing.judge import Verdict, judge
from loaders.microlensing.models import FittedModel, models_of
from loaders.microlensing.search import Candidate, EventSearch

#: Fall of chi-square from which a candidate is looked at.
LEAST_SEARCH_GAIN = 50.0

#: Candidates of an object that are looked at, the best first, until one is an event.
CANDIDATES = 3

_APART = 5.0


@dataclass(frozen=True)
class SkyCurve:
    """The light curves of an object, and where it is (degrees ICRS)."""

    object_id: int
    ra: float
    dec: float
    bands: Sequence[Band]


@dataclass(frozen=True)
class Found:
    """A candidate of an object, the verdict, and models if it is an event."""

    object_id: int
    candidate: Candidate
    verdict: Verdict
    n_point: int
    models: Sequence[FittedModel]


def look_at(curve: SkyCurve) -> list[Found]:
    """Search the light curves of an object, judge its candidates, and fit models to an event.

    Parameters
    ----------
    curve
        The light curves; elements with fewer than three points do not count.

    Returns
    -------
    list of Found
        The best candidates up to the first that is an event; none where nothing brightens.
    """
    bands = [without_outliers(band) for band in curve.bands if len(band) > 2]
    n_point = sum(len(band) for band in bands)
    found = []
    for candidate in _search().best(bands, CANDIDATES, _APART):
        if candidate.gain < LEAST_SEARCH_GAIN:
            break
        verdict = judge(bands, candidate)
        models = models_of(verdict, curve.ra, curve.dec) if verdict.is_event else []
        found.append(Found(curve.object_id, candidate, verdict, n_point, models))
        if verdict.is_event:
            break
    return found


@cache
def _search() -> EventSearch:
    return EventSearch()
