"""A season and a survey inject events of themselves, once, and say what came of it."""

import pytest
import sqlalchemy as sa

from loaders.event_efficiency.tasks import INJECTION
from loaders.season.load import (
    _image_injections,
    image_injection_units,
    injection_units,
    summary_of_injections,
)
from loaders.season.tasks import INJECTIONS, QUALITY, SEASON, SURVEY, arguments
from loaders.variability.tasks import LOCUS, VARIABILITY
from roman_db import session
from roman_db.jobs import Mode, Unit, run_mode
from tests.queries.filling import N_OBJECT

DESCRIBED = Mode("test", "Statistics alone", (LOCUS, VARIABILITY))
MODE = Mode("test", "Statistics, injections and quality", (LOCUS, VARIABILITY, *INJECTIONS, QUALITY))


def run(mode=MODE, season=1, **more):
    report = run_mode(mode, arguments("gbtds", season, "psf") | more, lambda *_: None)
    assert not report.failed
    return report


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


def measured(load_run_id):
    query = "SELECT metric, value, verdict FROM ops.quality_metric WHERE load_run_id = :run"
    return {row.metric: row for row in ask(query, run=load_run_id)}


@pytest.mark.heavy
def test_one_event_for_ten_objects_is_injected_once_and_measured(own_survey):
    first = run()
    assert any(name.startswith("event_injection") for name in first.succeeded)
    found = ask("SELECT kind, season, binary_class, expected_delta_chi2 FROM roman.injected_event "
                "JOIN roman.event_recovery USING (injection_run_id, injected_event_id)")  # fmt: skip
    events = [row for row in found if row.kind == "point_lens"]
    assert len(events) == N_OBJECT // 10
    metrics = measured(first.load_run_id)
    recovered = sum(row.binary_class == "TP" for row in events)
    assert metrics["event_completeness"].value == pytest.approx(recovered / len(events))
    clear = [row.binary_class == "TP" for row in events if row.expected_delta_chi2 >= 1000]
    if clear:
        assert metrics["event_completeness_clear"].value == pytest.approx(sum(clear) / len(clear))
    assert all(row.verdict != "unlimited" for row in metrics.values())
    assert run().succeeded == []
    # More of them may be asked for: the quality is measured of all.
    again = run(injections=9)
    assert measured(again.load_run_id)["event_completeness"]
    (line, *_) = summary_of_injections(arguments("gbtds", 1, "psf") | {"injections": 9})
    assert "9 injected" in line


def test_the_whole_survey_is_a_season_of_its_own(own_survey):
    run(season=0, injections=2)
    assert ask("SELECT DISTINCT season FROM roman.injected_event") == [(0,)]


def test_nothing_is_injected_where_it_is_not_asked_for_or_cannot_be(own_survey):
    def listed(given):
        return [Unit("some", dict(given))]

    asked = arguments("gbtds", 1, "psf", images=True)
    assert injection_units(listed, asked | {"injections": 0}) == []
    # Light curves are not described yet: none is constant, and there is nothing to put into images.
    assert injection_units(listed, asked) == []
    assert injection_units(INJECTION.units, asked | {"injections": 3}) == []
    assert image_injection_units(listed, asked) == []
    assert list(summary_of_injections(asked)) == []


@pytest.mark.heavy
def test_images_of_one_detector_get_the_first_events(own_survey):
    run(injections=5)
    asked = arguments("gbtds", 1, "psf", images=True) | {"injections": 5, "image_injections": 2}
    given = _image_injections(asked)
    stars = {row.object_id for row in ask("SELECT object_id FROM roman.injected_event")}
    detectors = {
        row.detector
        for row in ask(
            "SELECT DISTINCT b.detector FROM roman.light_curve_block b JOIN roman.light_curve_segment s "
            "USING (block_id) WHERE s.object_id = ANY(:stars)",
            stars=list(stars),
        )
    }
    assert given["detector"] in detectors
    assert given["numbers"] == {"point_lens": 2, "planet": 0}
    units = image_injection_units(lambda found: [Unit("some", dict(found))], asked)
    assert [unit.arguments["detector"] for unit in units] == [given["detector"]]
    assert image_injection_units(lambda found: [Unit("some", {})], asked | {"image_injections": 0}) == []
    assert image_injection_units(lambda found: [Unit("some", {})], asked | {"images": False}) == []


@pytest.mark.parametrize("mode", [SEASON, SURVEY])
def test_injections_follow_the_events_and_quality_follows_them(mode):
    names = [task.name for task in mode.tasks]
    order = ("events", "event_injection", "event_efficiency", "event_images", "event_image_search")
    places = [names.index(name) for name in (*order, "season_quality")]
    assert places == sorted(places)
    # What is found in images is counted, too.
    assert names.count("event_efficiency") == 2
