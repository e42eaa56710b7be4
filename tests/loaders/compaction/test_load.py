"""Compaction changes how points are stored and nothing that is read."""

import dataclasses
import itertools

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.compaction.load import Window, season_window
from loaders.compaction.tasks import compact_all, seal_season
from loaders.light_curve.summary import SUMMARY_DTYPE, merge_summaries
from roman_db import session
from roman_db.load_run import load_run
from roman_db.retired_partitions import drop_retired
from tests.loaders.compaction.runs import WINDOW, ask, compact, generations, in_small_chunks, pending
from tests.loaders.light_curve.synthetic import (
    EXCLUDING,
    FIRST_DAY,
    context,
    epochs,
    key,
    object_ids,
    photometry,
    points,
    provenance,
    summaries,
    write,
    write_days,
)


def write_mixture() -> None:
    """Days of two detectors, two filters and two kinds, with late exposures and new objects."""
    write_days(3, objects=40)
    write_days(2, objects=25, series=1, detector="WFI08")
    write_days(2, objects=10, series=2, optical_element="F213")
    write_days(1, objects=10, photometry_kind="dia")
    write(key(), epochs(n=3, first=50, step=7), photometry(400, object_ids(12), 3))
    write(key(), epochs(n=4, first=51, step=7), photometry(401, object_ids(60)[30:], 4))


@pytest.mark.parametrize(
    "cuts",
    [
        *(pytest.param(one, marks=pytest.mark.heavy) for one in ("{}", "{1000000000000010000}")),
        "{1,1000000000000010000,1000000000000020001}",
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunks"])
def test_every_point_stays_as_it_is(database, monkeypatch, cuts, chunked):
    with session.transaction() as connection:
        connection.execute(sa.text("UPDATE ops.light_curve_layout SET sky_cut = :cuts"), {"cuts": cuts})
    if chunked:
        in_small_chunks(monkeypatch)
    write_mixture()
    before = points()
    compact()
    assert points() == before
    blocks = "SELECT count(*) FROM roman.light_curve_block WHERE superseded_at IS NULL"
    assert ask(blocks) == [(4,)]
    assert drop_retired(1) == 1
    assert points() == before


def test_merged_blocks_are_in_order_of_time(database):
    write_mixture()
    compact()
    for (times,) in ask("SELECT midpoint_mjd_tdb FROM roman.light_curve_block WHERE superseded_at IS NULL"):
        assert np.all(np.diff(times) > 0)
    merged = (
        "superseded_at IS NULL AND (detector, optical_element, photometry_kind) = ('WFI07', 'F146', 'psf')"
    )
    days = ask(f"SELECT start_mjd, end_mjd, n_epoch, n_object FROM roman.light_curve_block WHERE {merged}")
    assert days == [(FIRST_DAY, FIRST_DAY + 3, 22, 60)]


def test_summaries_are_those_of_the_parts_merged(database):
    write_days(4, objects=30, n_epoch=8)
    parts = summaries()
    compact()
    whole = summaries()
    for object_id, of_one in itertools.groupby(parts, key=lambda one: one["object_id"]):
        rows = [as_summary(one) for one in of_one]
        merged = rows[0]
        for row in rows[1:]:
            merged = merge_summaries(merged, row)
        found = as_summary(whole[whole["object_id"] == object_id][0])
        for name in SUMMARY_DTYPE.names:
            if name.endswith("_run"):
                continue  # each day has a reference flux of its own here
            np.testing.assert_allclose(found[name], merged[name], rtol=1e-6, err_msg=name)


def as_summary(row):
    made = np.zeros(1, SUMMARY_DTYPE)
    for name in SUMMARY_DTYPE.names:
        made[name] = row[name]
    return made


def test_means_are_weighted_by_the_number_of_points(database):
    write_days(3, objects=30)
    parts = summaries()
    compact()
    for one in summaries():
        mine = parts[(parts["object_id"] == one["object_id"]) & (parts["n_point"] > 0)]
        if mine.size:
            for name in ("reference_flux", "mean_reduced_chi2", "mean_crowding", "mean_background"):
                expected = np.average(mine[name], weights=mine["n_point"])
                assert one[name] == pytest.approx(expected, rel=1e-6)


def test_a_window_is_listed_until_nothing_is_left_to_merge(database):
    write_days(10)
    write(key(FIRST_DAY + 20), epochs(FIRST_DAY + 20), photometry(1, object_ids(), 5))
    later = Window(FIRST_DAY + 8, FIRST_DAY + 16, sealed=False)
    assert pending() == [WINDOW, later]
    assert pending(FIRST_DAY + 15) == [WINDOW]
    for window in pending():
        compact(window)
    assert pending() == []
    write(key(), epochs(n=1, first=99), photometry(2, object_ids(), 1))
    assert pending() == [WINDOW]


def test_late_data_and_reprocessing_go_on_after_compaction(database):
    write_days(3)
    compact()
    write(key(FIRST_DAY + 1), epochs(FIRST_DAY + 1, 2, first=50), photometry(9, object_ids(9), 2))
    before = points()
    compact()
    assert points() == before
    assert drop_retired(1) == 2
    assert points() == before
    assert generations() == ["light_curve_segment_61520_61528_g2"]

    (block,) = ask(
        "SELECT exposure_id, midpoint_mjd_tdb FROM roman.light_curve_block WHERE superseded_at IS NULL"
    )
    again = epochs(n=len(block[0]))
    ids, mjd = np.array(block[0]), np.array(block[1])
    again = type(again)(ids, mjd, mjd, *provenance(ids))
    write(key(days=3), again, photometry(10, object_ids(2), len(block[0])))
    assert len({row[1] for row in points()}) == 2


def test_superseded_versions_are_left_behind(database):
    write(key(), epochs(), photometry(1, object_ids(40), 5))
    write(key(), epochs(), photometry(2, object_ids(5), 5))
    write_days(0)
    write(key(FIRST_DAY + 1), epochs(FIRST_DAY + 1), photometry(3, object_ids(5), 5))
    before = points()
    compact()
    assert points() == before
    assert ask(
        "SELECT count(*) FROM roman.light_curve_segment WHERE start_mjd = 61520 AND block_id >> 40 = 1"
    ) == [(5,)]


@pytest.fixture
def season(database):
    """A season of three windows, with data in each; the windows do not end where the season does."""
    with session.transaction() as connection:
        connection.execute(sa.text("INSERT INTO roman.survey VALUES ('small', 'a short season')"))
        values = {"first": FIRST_DAY + 2, "last": FIRST_DAY + 20}
        connection.execute(sa.text("INSERT INTO roman.season VALUES ('small', 1, :first, :last)"), values)
    for day in (2, 3, 10, 18, 30):
        write(key(FIRST_DAY + day), epochs(FIRST_DAY + day), photometry(day, object_ids(), 5))
    return "small", 1


def window_of(season):
    with session.reading() as connection:
        return season_window(connection, *season)


def test_a_season_is_sealed_into_one_block_a_unit(season):
    before = points()
    assert window_of(season) == Window(FIRST_DAY, FIRST_DAY + 24, sealed=True)
    compact(window_of(season))
    assert points() == before
    assert drop_retired(1) == 3
    assert points() == before
    assert ask("SELECT * FROM ops.light_curve_partition ORDER BY 1") == [
        (61520, 61528, True),
        (61544, 61552, False),
    ]
    blocks = "SELECT start_mjd, end_mjd FROM roman.light_curve_block WHERE superseded_at IS NULL ORDER BY 1"
    assert ask(blocks) == [(61522, 61539), (61550, 61551)]
    assert window_of(season) is None


def test_late_data_of_a_sealed_season_are_seen_and_sealed(season):
    compact(window_of(season))
    drop_retired(1)
    for day in (2, 12):
        write(key(FIRST_DAY + day), epochs(FIRST_DAY + day, first=60), photometry(50 + day, object_ids(), 5))
    before = points()
    assert pending() == []
    assert window_of(season) == Window(FIRST_DAY, FIRST_DAY + 16, sealed=True)
    compact(window_of(season))
    drop_retired(1)
    assert points() == before
    assert window_of(season) is None


@pytest.fixture
def uneven(season):
    """The season with a second optical element, of which the first window has nothing."""
    for day in (10, 18):
        measured = photometry(100 + day, object_ids(), 5)
        write(key(FIRST_DAY + day, optical_element="F213"), epochs(FIRST_DAY + day, series=1), measured)
    return season


_ELEMENTS = """
SELECT optical_element, start_mjd, end_mjd, n_epoch FROM roman.light_curve_block
WHERE superseded_at IS NULL AND start_mjd < 61550 ORDER BY 1, 2
"""
_OF_SEASON = """
SELECT count(*) FROM roman.light_curve
WHERE start_mjd >= roman.season_start('small', 1) AND start_mjd < roman.season_end('small', 1)
"""


def test_a_unit_that_begins_later_is_sealed_into_the_window_of_its_season(uneven):
    before, of_season = points(), ask(_OF_SEASON)
    assert seal_season(*uneven, EXCLUDING, lambda *progress: None).succeeded
    drop_retired(1)
    assert points() == before
    assert ask(_OF_SEASON) == of_season
    # The last day of the window from 61520 on stands for the first day, 61530, of what begins later.
    assert ask(_ELEMENTS) == [("F146", 61522, 61539, 20), ("F213", 61527, 61539, 10)]
    assert window_of(uneven) is None


def test_a_season_whose_first_window_has_emptied_is_sealed(uneven):
    """A window of superseded blocks alone stays until it is dropped, and is the season's first until then."""
    with session.transaction() as connection:
        connection.execute(
            sa.text(
                f"UPDATE roman.light_curve_block SET superseded_at = now() WHERE start_mjd < {FIRST_DAY + 8}"
            )
        )
    before, of_season = points(), ask(_OF_SEASON)
    assert seal_season(*uneven, EXCLUDING, lambda *progress: None).succeeded
    drop_retired(1)
    assert points() == before
    assert ask(_OF_SEASON) == of_season
    assert ask(_ELEMENTS) == [("F146", 61527, 61539, 10), ("F213", 61527, 61539, 10)]


def test_late_data_of_a_unit_that_begins_later_are_sealed_with_it(uneven):
    assert seal_season(*uneven, EXCLUDING, lambda *progress: None).succeeded
    drop_retired(1)
    late = epochs(FIRST_DAY + 12, first=60, series=1)
    write(key(FIRST_DAY + 12, optical_element="F213"), late, photometry(70, object_ids(), 5))
    before = points()
    assert seal_season(*uneven, EXCLUDING, lambda *progress: None).succeeded
    assert points() == before
    assert ask(_ELEMENTS) == [("F146", 61522, 61539, 20), ("F213", 61527, 61539, 15)]


def test_a_season_without_data_has_no_window(database):
    assert window_of(("gbtds", 6)) is None
    assert window_of(("nowhere", 1)) is None


def test_an_empty_window_compacts_to_nothing(database):
    write_days(1)
    with session.transaction() as connection:
        connection.execute(sa.text("UPDATE roman.light_curve_block SET superseded_at = now()"))
    compact()
    assert points() == []
    assert drop_retired(1) == 1
    assert generations() == []


def test_all_windows_at_once(database):
    write_days(10)
    before = points()
    told = []
    report = compact_all(10**6, EXCLUDING, lambda *progress: told.append(progress))
    assert (len(report.succeeded), report.failed) == (2, {})
    assert points() == before
    windows = ["days 61520 to 61528", "days 61528 to 61536"]
    assert [progress for progress in told if progress[0] in windows] == [(window, 1, 1) for window in windows]
    counts = "SELECT task, state, n_expected, n_loaded FROM ops.load_run WHERE task = 'run compact'"
    assert ask(counts) == [("run compact", "succeeded", 2, 2)]
    assert len(generations()) == 2
    assert compact_all(10**6, EXCLUDING, lambda *progress: None).succeeded == []


def test_a_season_at_once(season):
    before = points()
    assert seal_season(*season, EXCLUDING, lambda *progress: None).succeeded
    assert points() == before
    assert len(generations()) == 2
    assert seal_season(*season, EXCLUDING, lambda *progress: None) is None


def test_a_merged_block_is_of_the_run_that_compacted_it(database):
    write_days(2)
    with load_run("later", {}) as run:
        later = dataclasses.replace(context(), load_run_id=run.load_run_id)
        compact(where=later)
    current = "SELECT load_run_id FROM roman.light_curve_block WHERE superseded_at IS NULL"
    assert ask(current) == [(run.load_run_id,)]


_PROVENANCE = """
SELECT b.detector, b.optical_element, b.photometry_kind, e.*
FROM roman.light_curve_block b, unnest(b.exposure_id, b.file_id, b.psf_model_id) e
WHERE b.superseded_at IS NULL ORDER BY 1, 2, 3, 4
"""
_POINTS_COUNTED = """
SELECT sum(n_point), (SELECT count(*) FROM roman.light_curve WHERE flux <> 'NaN') FROM roman.light_curve_block
WHERE superseded_at IS NULL
"""


def test_every_exposure_keeps_the_file_and_the_psf_it_was_measured_with(database):
    write_mixture()
    before = ask(_PROVENANCE)
    assert {row[4] is None for row in before} == {row[5] is None for row in before} == {True, False}
    compact()
    assert ask(_PROVENANCE) == before


def test_measured_points_are_counted(database):
    write_mixture()
    ((before, counted),) = ask(_POINTS_COUNTED)
    assert before == counted
    compact()
    assert ask(_POINTS_COUNTED) == [(before, before)]
