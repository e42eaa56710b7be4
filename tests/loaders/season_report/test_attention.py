"""What is found to need an eye of a season and its events, and what is not."""

from dataclasses import replace

import pytest

from loaders.season_report.attention import of_event, of_events, of_season
from tests.loaders.season_report import made_up


def test_metrics_beyond_their_limits_are_said_with_what_to_do():
    (found,) = of_season(made_up.season())
    assert found.what == "constant_chi2 is 1.9 (at least 0.7, at most 1.6): reduced chi-square of the locus."
    assert "scatter_ratio" in found.do
    assert found.level == "warning"


@pytest.mark.parametrize(("change", "words"), [
    ({"elements": [], "variability": None}, "no described light curves of season 1 of the kind psf"),
    ({"season": 0, "elements": [], "variability": None}, "of all seasons"),
    (
        {"variability": replace(made_up.season().variability, locus=made_up.season().variability.locus[:0])},
        "too few stars for a locus",
    ),
    ({"detections": []}, "No events were injected into the light curves of season 1"),
    ({"season": 0, "detections": []}, "No events were injected into the light curves of all seasons"),
])  # fmt: skip
def test_what_a_season_lacks_is_said(change, words):
    (found,) = of_season(made_up.season(metrics=[], **change))
    assert words in found.what
    assert found.do


def test_a_value_that_could_not_be_measured_is_said():
    metric = replace(made_up.season().metrics[0], value=None, lower=None, verdict="failure")
    (found,) = of_season(made_up.season(metrics=[metric]))
    assert found.what.startswith("constant_chi2 could not be measured (at most 1.6)")
    assert found.level == "failure"


def test_a_good_event_needs_no_eye():
    assert of_event(made_up.event()) == []


@pytest.mark.parametrize(("event", "words"), [
    (made_up.bare(), "no current model"),
    (made_up.event(classification="anomalous"), "no model describes all"),
    (made_up.event(models=[made_up.model(chi2=4000.0)]), "above 1.5 times"),
    (made_up.event(models=[made_up.model(), made_up.model(2, chi2=2220.0)]), "describe it as well"),
])  # fmt: skip
def test_each_fault_of_an_event_is_said(event, words):
    (found,) = of_event(event)
    assert words in found


def test_an_unfinished_fit_is_said_and_is_no_twin():
    one = made_up.model(2, chi2=2201.0)
    unfinished = replace(one, model=replace(one.model, is_converged=False))
    assert of_event(made_up.event(models=[made_up.model(), unfinished])) == []
    (found,) = of_event(made_up.event(models=[replace(unfinished, rank=1)]))
    assert "did not come to an end" in found


def test_events_with_the_same_fault_are_said_at_once():
    fault, other = of_event(made_up.bare())[0], of_event(made_up.event(classification="anomalous"))[0]
    many = [(number, fault) for number in range(20, 31)]
    first, second = of_events([*many, (7, other)])
    assert first.what.startswith("11 events (20, 21, 22, 23, 24, 25, 26, 27 and 3 more): it has no")
    assert first.page == "event_20.html"
    assert second.what.startswith("Event 7: no model describes")


def test_what_to_do_about_missing_injections_names_the_command():
    for season, command in ((1, "run season 1 --injections"), (0, "run survey --injections")):
        (found,) = of_season(made_up.season(metrics=[], detections=[], season=season))
        assert command in found.do
