"""From the light curves of an object to its events: searched, judged, modelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from loaders.event_models.fitted_model import FittedModel
from loaders.event_models.limb import LIMB_DARKENING
from loaders.event_models.point_lens import PointLensFit
from loaders.event_models.setting import NUMERIC
from loaders.microlensing.appeal import are_two_lenses, may_be_two_lenses
from loaders.microlensing.few_points import rests_on_few
from loaders.microlensing.judge import LEAST_GAIN, Verdict, judge
from loaders.microlensing.models import class_of, models_of
from loaders.microlensing.motion import Mover
from loaders.microlensing.repeated import ONE_MODEL, Repeated, distance, two_events
from loaders.microlensing.search import Candidate, EventSearch
from loaders.stored_curve.band import Band, without_outliers

#: Fall of chi-square from which a candidate is looked at.
LEAST_SEARCH_GAIN = 50.0

#: Candidates of an object that are looked at, the best first, until one is an event; and places of the search
#: among which they are, those left out that rest on one or two points.
CANDIDATES, PLACES = 3, 12

#: Fall of chi-square, and share explained by a single lens, from which more than that is tried.
COMPLEX_GAIN, COMPLEX_EXPLAINED = 3000.0, 0.6

_APART = 5.0

_OF_TWO = ("binary_lens", "binary_source")

_SHAPES = {"outburst": 1.0, "hump": 1.0, "step": 10.0, "periodic": 10.0, "erratic": 10.0}
"""Objections to the shape of a light curve alone, and how much more light it takes to ask again: of what has
little, one of many models leaves nothing out by chance."""


@dataclass(frozen=True)
class SkyCurve:
    """The light curves of an object, where it is (degrees ICRS), and what moves there."""

    object_id: int
    ra: float
    dec: float
    bands: Sequence[Band]
    movers: Sequence[Mover] = ()


@dataclass(frozen=True)
class Asked:
    """Whether what was refused is tried for more, models of events are fitted, and xallarap is among them."""

    thorough: bool
    modelled: bool
    xallarap: bool


@dataclass(frozen=True)
class Found:
    """A candidate of an object, the verdict, and models if it is an event."""

    object_id: int
    candidate: Candidate
    verdict: Verdict
    n_point: int
    models: Sequence[FittedModel]


def look_at(
    curve: SkyCurve,
    limb: Mapping[str, float] = LIMB_DARKENING,
    *,
    modelled: bool = True,
    xallarap: bool = False,
) -> list[Found]:
    """Search the light curves of an object, judge its candidates, and fit models to an event.

    Parameters
    ----------
    curve
        The light curves; elements with fewer than three points do not count.
    limb
        Linear limb darkening by optical element.
    modelled
        Whether models are fitted to what is an event without them, which takes most of the time. Where they
        decide whether it is one they are fitted anyhow.
    xallarap
        Whether sources are tried that a companion moves.

    Returns
    -------
    list of Found
        The best candidates up to the first that is an event, and with it a second event of the same star;
        none where nothing brightens. A candidate whose numbers fail is ``fit_failed``: it does not keep
        others from being looked at.
    """
    bands = [without_outliers(band) for band in curve.bands if len(band) > 2]
    n_point = sum(len(band) for band in bands)
    found: list[Found] = []
    n_judged = 0
    places = _search().best(bands, PLACES, _APART)
    for k, candidate in enumerate(places):
        if candidate.gain < LEAST_SEARCH_GAIN or n_judged == CANDIDATES:
            break
        if rests_on_few(bands, candidate):
            few = _without_fit(bands, candidate, "few_points")
            found.append(Found(curve.object_id, candidate, few, n_point, []))
            continue
        # Candidates of one object are mostly parts of the same: more is tried of the best one alone.
        asked = Asked(thorough=not n_judged, modelled=modelled, xallarap=xallarap)
        judged = _judged(replace(curve, bands=bands), places[k:], limb, asked)
        found += [Found(curve.object_id, one, verdict, n_point, models) for one, verdict, models in judged]
        n_judged += 1
        if found[-1].verdict.is_event:
            break
    return found


def fit_again(
    curve: SkyCurve,
    candidate: Candidate,
    limb: Mapping[str, float] = LIMB_DARKENING,
    *,
    xallarap: bool = False,
) -> Found:
    """Fit models to an event that is known, as to more light curves than it was found in.

    Parameters
    ----------
    curve
        The light curves; elements with fewer than three points do not count.
    candidate
        Where it was found.
    limb, xallarap
        As of `look_at`.

    Returns
    -------
    Found
        An event, whatever else may brighten in these light curves, without the light of another event of the
        star; ``fit_failed`` and without models where numbers fail.
    """
    bands = [without_outliers(band) for band in curve.bands if len(band) > 2]
    n_point = sum(len(band) for band in bands)
    try:
        verdict = judge(bands, candidate, curve.movers)
        places = [candidate, *_search().best(bands, PLACES, _APART)]
        both = two_events(bands, places, verdict, _search(), curve.movers)
        verdict = replace(both[0].verdict if both else verdict, is_event=True)
        models = models_of(verdict, (curve.ra, curve.dec), limb, xallarap=xallarap)
    except NUMERIC:
        failed = _without_fit(bands, candidate, "fit_failed")
        return Found(curve.object_id, candidate, failed, n_point, [])
    verdict = replace(verdict, reason=class_of(models))
    return Found(curve.object_id, candidate, verdict, n_point, models)


_Judged = tuple[Candidate, Verdict, Sequence[FittedModel]]


def _judged(
    curve: SkyCurve, places: Sequence[Candidate], limb: Mapping[str, float], asked: Asked
) -> list[_Judged]:
    """The verdict on the first place, and models if it is an event; both, if there are two events.

    One model that leaves nothing out of two that are near each other makes them one.
    """
    try:
        verdict = judge(curve.bands, places[0], curve.movers)
        both: list[Repeated] = []
        if asked.thorough and verdict.gain >= LEAST_GAIN:
            both = two_events(curve.bands, places, verdict, _search(), curve.movers)
        if not both:
            return [(places[0], *_modelled(curve, verdict, limb, asked))]
        if asked.modelled and distance(*(one.verdict.fit for one in both)) < ONE_MODEL:
            whole, models = _modelled(curve, verdict, limb, asked)
            if models and models[0].complete and class_of(models) in _OF_TWO:
                return [(places[0], whole, models)]
        return [(one.candidate, *_modelled(curve, one.verdict, limb, asked)) for one in both]
    except NUMERIC:
        return [(places[0], _without_fit(curve.bands, places[0], "fit_failed"), [])]


def _modelled(
    curve: SkyCurve, verdict: Verdict, limb: Mapping[str, float], asked: Asked
) -> tuple[Verdict, Sequence[FittedModel]]:
    """The verdict as models have it, and these if it is an event."""
    two = verdict.is_event or (asked.thorough and may_be_two_lenses(verdict))
    again = asked.thorough and (two or _may_be_complex(verdict))
    if not (asked.modelled if verdict.is_event else again):
        return verdict, []
    more = {"sampled": asked.modelled, "xallarap": asked.xallarap}
    models = models_of(verdict, (curve.ra, curve.dec), limb, two_lenses=two, **more)
    if not (verdict.is_event or _overruled(verdict, models, (curve.ra, curve.dec), limb)):
        return verdict, []
    return replace(verdict, is_event=True, reason=class_of(models)), models


def _overruled(
    verdict: Verdict, models: Sequence[FittedModel], place: tuple[float, float], limb: Mapping[str, float]
) -> bool:
    """Whether models overrule a refusal: two lenses by what they must have, others if nothing is left out.

    Where two lenses were tried of what little light is explained of, others have to explain more.
    """
    best = models[0]
    if best.kind.n_lens > 1:
        return are_two_lenses(verdict, best, place, limb)
    return best.complete and _may_be_complex(verdict)


def _may_be_complex(verdict: Verdict) -> bool:
    """Whether an event may have been refused because it is not that of a single lens.

    What else brightens was compared with a single lens and a point behind it, seen by an observer at rest.
    Where there is much light, parallax, a disc and two sources are asked, too: the event is kept if one of
    them leaves nothing out, which it could hardly do of anything else.
    """
    least = COMPLEX_GAIN * _SHAPES.get(verdict.reason, np.inf)
    return verdict.gain > least and verdict.explained > COMPLEX_EXPLAINED


def _without_fit(bands: Sequence[Band], candidate: Candidate, reason: str) -> Verdict:
    """The verdict on a candidate without a fit: nothing is known of it but where it is."""
    unknown = np.full(len(bands), np.nan)
    fit = PointLensFit(
        *(candidate.t_0, np.nan, np.nan, unknown, unknown, np.nan, 0, np.full((3, 3), np.nan), False)
    )
    return Verdict(False, reason, fit, np.nan, unknown, np.nan, bands)


@cache
def _search() -> EventSearch:
    return EventSearch()
