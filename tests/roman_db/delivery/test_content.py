"""A delivery is of images alone, of the season so far where RAD knows no days, and has its references."""

from __future__ import annotations

import hashlib
import json

import pytest

from roman_db import session
from roman_db.delivery import storage

from ...queries.filling import DAYS
from .conftest import ask, change
from .test_delivery import DAILY, DAY, SERIES
from .test_rules import ANY_DAY

#: The season is over, and its first eight days are 60968 to 60975.
OVER = (
    "UPDATE roman.season SET start_mjd = start_mjd - 480, end_mjd = end_mjd - 480 WHERE season = 1",
    ANY_DAY,
    "UPDATE roman.exposure SET day_mjd = day_mjd - 480 WHERE day_mjd < 61500",
    "UPDATE ops.load_run SET started_at = now() - interval '2 days' WHERE task <> 'run daily'",
    "UPDATE ops.received_day SET stored_at = now() - interval '2 days'",
)
RUN = (
    "INSERT INTO ops.load_run (task, arguments, state, started_at, code_version, schema_version, host, pid) "
    "VALUES ('run eight-day', '{arguments}', 'succeeded', {at}, '1', '1', 'h', 1)"
)


def ready() -> list[tuple[str, int]]:
    with session.transaction() as connection:
        return [(span.rule, span.start_mjd) for span in storage.ready(connection) if span.rule == "eight-day"]


@pytest.mark.heavy
def test_a_daily_delivery_says_that_it_holds_the_season_so_far(outbox, run):
    assert run("make", *DAILY).exit_code == 0
    folder = outbox.staging(f"{SERIES}_v1")
    said = json.loads((folder / "manifest.json").read_text())
    files = ask(
        "SELECT i.sha256, i.filename FROM roman.exposure JOIN ops.input_file i USING (file_id) "
        "WHERE day_mjd < 61500 ORDER BY i.filename, i.file_id"
    )
    assert len(files) == 3 * said["n_input"] == 3 * len((folder / "inputs.sha256").read_text().splitlines())
    text = "".join(f"{sha256}  {name}\n" for sha256, name in files)
    assert said["season_so_far"] == {
        "start_mjd": DAYS[0],
        "end_mjd": DAYS[-1] + 1,
        "n_input": len(files),
        "inputs_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


@pytest.mark.heavy
def test_of_files_of_one_name_the_last_that_was_made_is_the_archives(outbox, run):
    """Two days have files of the same names; the first is made later, and published earlier."""
    for day in (DAYS[2], DAY):
        assert run("make", "daily", "--season", 1, "--day", day).exit_code == 0
    rows = "SELECT filename, content ->> 'mode' FROM ops.archive_row ORDER BY filename"
    change("UPDATE ops.product SET archive_row = archive_row || jsonb_build_object('mode', product_id)")
    assert run("publish", 2).exit_code == 0
    published = ask(rows)
    assert {mode for _, mode in published} == {"5", "6", "7", "8"}
    assert run("publish", 1).exit_code == 0
    assert ask(rows) == published
    current = "SELECT product_id FROM ops.product WHERE state = 'valid' AND superseded_at IS NULL ORDER BY 1"
    assert ask(current) == [(5,), (6,), (7,), (8,)]


def test_dispersed_exposures_of_a_field_are_no_inputs_of_images(outbox, run):
    """Of the exposures of a day that are in no light curve all but one become dispersed."""
    (kept,) = ask(f"SELECT max(exposure_id) FROM roman.exposure WHERE day_mjd = {DAYS[2]}")[0]
    change(
        f"UPDATE roman.light_curve_block SET superseded_at = now() WHERE start_mjd = {DAYS[2]}",
        "UPDATE roman.exposure SET optical_element = 'GRISM' "
        f"WHERE day_mjd = {DAYS[2]} AND exposure_id <> {kept}",
    )
    words = ("daily", "--season", 1, "--day", DAYS[2])
    assert "1 of its exposures are in no light curve" in run("make", *words).output
    change(f"UPDATE roman.exposure SET optical_element = 'GRISM' WHERE exposure_id = {kept}")
    assert "no exposure of it was received" in run("make", *words).output


@pytest.mark.parametrize(
    ("at", "arguments", "found"),
    [
        ("now()", "{}", [("eight-day", 60976)]),
        ("now()", '{"season": 1, "detector": null, "optical_element": null}', [("eight-day", 60976)]),
        ("now()", '{"detector": "WFI07", "optical_element": null}', []),
        ("now()", '{"detector": null, "optical_element": "F146"}', []),
        ("now() - interval '3 days'", "{}", []),
    ],
)
def test_eight_days_are_ready_after_a_run_of_all_detectors_and_elements(outbox, at, arguments, found):
    change(*OVER, RUN.format(arguments=arguments, at=at))
    assert ready() == found


def test_a_run_before_the_eight_days_are_over_makes_nothing_ready(outbox):
    """The days are over since an hour: a run of two hours ago found no reference image to make."""
    change(*OVER)
    over = "to_timestamp((60984 - 40587) * 86400.0)"
    change(
        f"UPDATE ops.received_day SET stored_at = {over} - interval '3 days'",
        f"UPDATE ops.load_run SET started_at = {over} - interval '3 days' WHERE task <> 'run daily'",
    )
    for hours, found in ((-2, []), (1, [("eight-day", 60976)])):
        change(RUN.format(arguments="{}", at=f"{over} + interval '{hours} hours'"))
        assert ready() == found


def test_eight_days_without_the_reference_of_a_frequent_element_are_refused(outbox, run):
    change(*OVER, "DELETE FROM ops.delivery_content WHERE product <> 'reference_frame'")
    done = run("make", "eight-day", "--season", 1, "--partial")
    assert done.exit_code == 1
    refused = ask("SELECT scope, problem FROM ops.product WHERE state = 'refused'")
    assert [scope.split(" element ")[1] for scope, _ in refused] == ["F146 sequence 2"]
    assert "there is nothing of season 1" in refused[0][1]
