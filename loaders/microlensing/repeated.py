"""Two lensing events of one star, so far apart that each is judged as if the other were not.

A source may be lensed twice: by stars that have nothing to do with each other, by the two of a wide binary,
by a planet far from its star; or two sources far apart may be lensed in turn. What else brightens is compared
with one lens over the whole light curve, so that each of the two speaks against the other. Here the light of
one is taken away while the other is judged. What comes a third time is no lens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.event_models.point_lens import PointLensFit, magnification
from loaders.microlensing.few_points import rests_on_few
from loaders.microlensing.judge import LEAST_GAIN, NEARLY_ALL, Verdict, best_fit, judge
from loaders.microlensing.motion import Mover
from loaders.microlensing.search import Candidate, EventSearch
from loaders.stored_curve.band import Band

#: Lengths of the longer event by which two are apart; and below which one model may be of both.
APART, ONE_MODEL = 3.0, 6.0

_THIRD, _HALF = 0.1, 0.5
"""Fall of chi-square of a third brightening, over that of the second, from which it comes again and again;
and before the second is fitted, whose wings may be left."""

_CORE = 0.1
"""Share of the greatest rise of an event from which points are left out when another is judged: what a single
lens leaves there, as of two lenses, is not of the other."""

_SEEMS, _HALVES, _LONG = 300.0, 3.0, 30.0
"""Einstein time (days) beyond which it may not be the length of an event; times of half the rise that this is
then, and days that it is at least."""

_WRONG = 0.1
"""Share of its light by which a single lens may be off, as it is of one that lasts and is seen from Earth's
orbit: where that is more than an error, points of its wings are left out, too."""

_AROUND = 5.0
"""Effective time scales about a brightening that are left out while another is fitted for the first time."""

_PLACES, _GROUP = 12, 5.0


@dataclass(frozen=True)
class Repeated:
    """One of two events, and its verdict without the light of the other."""

    candidate: Candidate
    verdict: Verdict


def two_events(
    bands: Sequence[Band],
    places: Sequence[Candidate],
    verdict: Verdict,
    search: EventSearch,
    movers: Sequence[Mover] = (),
) -> list[Repeated]:
    """Find a second event of a star, and judge both.

    Parameters
    ----------
    bands
        The light curves, without outliers.
    places
        What the search found, the best first: the first of them is asked for a second.
    verdict
        On the first of them, over the whole light curve.
    search
        Searches what is left without it.
    movers
        Stars that move at the place of the object.

    Returns
    -------
    list of Repeated
        Two, the first of `places` first, if both are lensing events by themselves; else none.
    """
    first, others = places[0], [one for one in places[1:] if _are_apart(places[0], one)]
    if not others or others[0].gain < LEAST_GAIN:
        return []
    fit = verdict.fit
    if not (verdict.is_event and verdict.explained > NEARLY_ALL):
        fit = best_fit([_beside(band, others[0]) for band in bands], first)
    second = _strongest(search, bands, [fit])
    if second is None or _comes_again(
        search, [_beside(band, second) for band in bands], [fit], _HALF * second.gain
    ):
        return []
    judged = _judged(bands, fit, second, movers)
    if judged is None or not judged.is_event:
        return []
    if _comes_again(search, bands, [fit, judged.fit], _THIRD * second.gain):
        return []
    own = _judged(bands, judged.fit, first, movers)
    if own is None or not own.is_event:
        return []
    # The light of the first is known better now.
    again = _judged(bands, own.fit, second, movers)
    if again is None or not again.is_event or distance(own.fit, again.fit) < APART:
        return []
    return [Repeated(first, own), Repeated(second, again)]


def distance(one: PointLensFit, other: PointLensFit) -> float:
    """How far two events are apart, in lengths of the longer one."""
    return float(abs(one.t_0 - other.t_0) / max(length(one), length(other)))


def length(fit: PointLensFit) -> float:
    """The Einstein time in days, unless a faint source in a bright blend only seems to have it.

    Above 300 days it is held to three times of half the greatest rise, at which ``u² = 2 A / √(A² - 1) - 2``
    (Paczyński 1986, ApJ 304, 1, solved for u), and to 30 days at least.
    """
    if fit.t_E <= _SEEMS:
        return fit.t_E
    half = 1 + (float(magnification(np.array([fit.u_0]))[0]) - 1) / 2
    u2 = 2 * half / np.sqrt(max(half**2 - 1, 1e-12)) - 2
    return float(min(fit.t_E, max(_HALVES * np.sqrt(max(u2 - fit.u_0**2, 0.0)) * fit.t_E, _LONG)))


def _are_apart(one: Candidate, other: Candidate) -> bool:
    return abs(one.t_0 - other.t_0) > _AROUND * max(one.t_eff, other.t_eff)


def _beside(band: Band, candidate: Candidate) -> Band:
    """The points of an element that are not about a brightening."""
    return band.take(np.abs(band.time - candidate.t_0) > _AROUND * candidate.t_eff)


def without_event(bands: Sequence[Band], fit: PointLensFit) -> list[Band]:
    """Light curves less the light of an event, and without the points at which that is much.

    Parameters
    ----------
    bands
        The light curves; each has its flux in the fit.
    fit
        The event.
    """
    greatest = float(magnification(np.array([fit.u_0]))[0]) - 1
    out = []
    for band, flux in zip(bands, fit.source_flux, strict=True):
        off = band.time - fit.t_0
        rise = magnification(np.hypot(fit.u_0, off / fit.t_E)) - 1
        wings = np.abs(off) < APART * length(fit)
        much = (rise > _CORE * greatest) | (wings & (_WRONG * flux * rise > band.error))
        out.append(replace(band, flux=band.flux - flux * rise).take(~much))
    return out


def _strongest(search: EventSearch, bands: Sequence[Band], fits: Sequence[PointLensFit]) -> Candidate | None:
    """The best place that could be an event of what others leave, none of their wings and no outlier."""
    rest = list(bands)
    for fit in fits:
        rest = without_event(rest, fit)
    rest = [band for band in rest if len(band) > 2]
    found = search.best(rest, _PLACES, _GROUP)
    for one in found:
        if one.gain < LEAST_GAIN:
            return None
        if all(abs(one.t_0 - fit.t_0) > APART * length(fit) for fit in fits) and not rests_on_few(rest, one):
            return one
    return None


def _comes_again(
    search: EventSearch, bands: Sequence[Band], fits: Sequence[PointLensFit], least: float
) -> bool:
    """Whether events leave another brightening of that strength."""
    third = _strongest(search, bands, fits)
    return third is not None and third.gain > least


def _judged(
    bands: Sequence[Band], fit: PointLensFit, candidate: Candidate, movers: Sequence[Mover]
) -> Verdict | None:
    """The verdict on one event without the light of the other; None where too few points are left."""
    rest = without_event(bands, fit)
    return judge(rest, candidate, movers) if min(len(band) for band in rest) > 2 else None
