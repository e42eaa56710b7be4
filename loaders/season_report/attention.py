"""What needs an eye of a season and of its events, in plain words with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loaders.report_page.attention import Attention
from loaders.season_report.facts import AS_GOOD, EventFacts, QualityFacts, SeasonFacts, event_file

#: Reduced chi-square of a model beyond which it hardly describes the light curve.
POOR = 1.5

#: Events that are named of those with the same fault.
_NAMED = 8

#: What to do about a metric that is beyond its limit, by the beginning of its name.
_DO = {
    "event_completeness": "See the pictures of completeness, and why events were missed: roman-db query "
    "\"SELECT classification, count(*) FROM roman.event_recovery WHERE binary_class = 'FN' GROUP BY 1\".",
    "event_reliability": 'Look at what is found untouched: roman-db query "SELECT object_id, classification '
    "FROM roman.event_detection WHERE binary_class = 'FP'\".",
    "variable_": "Look at the picture of the locus: where all stars of some magnitudes are variable, their "
    "errors are too small; where it is one field, look at its exposures (roman-db status).",
    "constant_": "Errors of the light curves are too small (above one) or too large: see scatter_ratio of "
    "the blocks of the days, and the locus by magnitude.",
    "event_": "Look at the pages of the events that are named above, worst first.",
    "candidate_": 'Look where and when they are: roman-db query "SELECT object_id, t_0_guess, t_eff FROM '
    "roman.event WHERE classification IN ('shared', 'fit_failed')\"; exposures that are off come out with "
    "roman-db run daily --redo once they are mended.",
    "extinction_": 'Look at the map and at the reasons: roman-db query "SELECT status, count(*) FROM '
    'roman.extinction WHERE superseded_at IS NULL GROUP BY 1".',
    "astrometry_": 'Look for the exposures: roman-db query "SELECT exposure_id, rms FROM '
    'roman.astrometric_exposure ORDER BY rms DESC LIMIT 20".',
}


def of_season(facts: SeasonFacts) -> Iterator[Attention]:
    """What is to be looked at of a season besides single events."""
    if not facts.elements:
        yield Attention(
            f"There are no described light curves of {facts.name} of the kind {facts.photometry_kind}.",
            "Make or load some (roman-db run daily, roman-db load lightcurves), or name another kind with "
            "--photometry-kind.",
        )
    elif facts.variability is not None and not facts.variability.locus.size:
        yield Attention(
            "There are too few stars for a locus of constant stars, so that variability is judged by the "
            "errors alone.",
            "Nothing, if there are no more stars; their errors are taken to be right.",
        )
    for season in facts.stale:
        which, order = (f"season {season}", f"season {season}") if season else ("all seasons", "survey")
        yield Attention(
            f"Light curves of {which} became others after they had been described: its variables, events and "
            "lenses are those of the light curves before.",
            f"Give roman-db run {order}: what follows them is done again.",
        )
    if facts.elements and not facts.detections:
        mode = f"season {facts.season}" if facts.season else "survey"
        yield Attention(
            f"No events were injected into the light curves of {facts.name}, so that it is not known how "
            "many are found and how many of those are real.",
            f"Inject some: roman-db run {mode} --injections 5000, unless there is no constant star.",
        )
    for metric in facts.metrics:
        if metric.verdict in ("warning", "failure"):
            yield Attention(_beyond(metric), _remedy(metric.metric), metric.verdict)


def _beyond(metric: QualityFacts) -> str:
    """A metric beyond its limits, in words."""
    unit = f" {metric.unit}" if metric.unit else ""
    value = "could not be measured" if metric.value is None else f"is {metric.value:.4g}{unit}"
    sides = (("at least", metric.lower), ("at most", metric.upper))
    limits = ", ".join(f"{side} {one:g}" for side, one in sides if one is not None)
    what = metric.description[:1].lower() + metric.description[1:]
    return f"{metric.metric} {value} ({limits}): {what}."


def _remedy(name: str) -> str:
    """What to do about a metric."""
    return next(
        (do for begin, do in _DO.items() if name.startswith(begin)), "Look at what it is measured of."
    )


def of_events(named: Sequence[tuple[int, str]]) -> Iterator[Attention]:
    """Events to look at, by what there is to look at; each with the page of the first.

    Parameters
    ----------
    named
        Numbers of events with what `of_event` says of them, those with the most light first.
    """
    by_what: dict[str, list[int]] = {}
    for event_id, what in named:
        by_what.setdefault(what, []).append(event_id)
    for what, numbers in by_what.items():
        some = ", ".join(str(one) for one in numbers[:_NAMED])
        more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
        who = f"Event {some}" if len(numbers) == 1 else f"{len(numbers)} events ({some}{more})"
        link = "Its page" if len(numbers) == 1 else "Page of the first"
        yield Attention(f"{who}: {what}", _EVENT_DO[what], page=event_file(numbers[0]), link=link)


_UNFINISHED = "the fit of the believed model did not come to an end."
_LEFT_OUT = "no model describes all of it."
_POOR = f"chi-square of the believed model is above {POOR} times the degrees of freedom."
_TWINS = f"other models describe it as well (chi-square within {AS_GOOD:.0f})."
_NO_MODEL = "it has no current model."
_NO_CURVE = "its light curve or model cannot be drawn."

_EVENT_DO = {
    "event_completeness": "See the pictures of completeness, and why events were missed: roman-db query "
    "\"SELECT classification, count(*) FROM roman.event_recovery WHERE binary_class = 'FN' GROUP BY 1\".",
    "event_reliability": 'Look at what is found untouched: roman-db query "SELECT object_id, classification '
    "FROM roman.event_detection WHERE binary_class = 'FP'\".",
    _UNFINISHED: "Take its parameters with care; what it leaves shows whether it is near.",
    _LEFT_OUT: "Look at what it leaves: a companion that was not found, or points that are bad.",
    _POOR: "Look at what it leaves: over all seasons it is the star that varies, near the event "
    "what the model lacks.",
    _TWINS: "Name all of them with their parameters in whatever is published of the event.",
    _NO_MODEL: "Search again: roman-db run season or survey with --redo.",
    _NO_CURVE: "Its points were replaced since, or its kind of model is unknown to this release.",
}


def of_event(event: EventFacts, *, is_drawn: bool = True) -> list[str]:
    """What is to be looked at of an event."""
    if not event.models:
        return [_NO_MODEL]
    best = event.models[0]
    checks = (
        (_NO_CURVE, not is_drawn),
        (_UNFINISHED, not best.model.is_converged),
        (_LEFT_OUT, event.classification == "anomalous"),
        (_POOR, best.reduced_chi2 > POOR),
        (_TWINS, bool(event.twins)),
    )
    return [what for what, is_so in checks if is_so]


def what_to_do(what: str) -> Attention:
    """Something to look at on the page of an event itself."""
    return Attention(what[:1].upper() + what[1:], _EVENT_DO[what])
