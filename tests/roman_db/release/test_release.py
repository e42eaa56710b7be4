"""Data releases stay what they were, whatever becomes of what they were made of."""

from __future__ import annotations

import dataclasses
import re

import click
import numpy as np
import psycopg2.errors
import pytest
import pyvo
import sqlalchemy as sa
from astropy.units import Unit
from click.testing import CliRunner, Result

from loaders.compaction.load import Window
from loaders.light_curve.block import BlockKey
from loaders.light_curve.load import BlockContext, write_block
from roman_db import migrate, session
from roman_db.load_run import LoadRun
from roman_db.release import drop, freeze
from roman_db.release.commands import commands
from roman_db.retired_partitions import drop_retired
from roman_db.tap.adql import AdqlError, translate
from roman_db.tap.scratch_catalog import catalog_for
from tests.loaders.compaction.runs import compact
from tests.queries.conftest import filled_template, own_survey
from tests.queries.filling import DAYS, DETECTOR, EXCLUDING, N_OBJECT, epochs_of, photometry_of
from tests.roman_db.tap.service.conftest import served

__all__ = ["filled_template", "own_survey"]

#: What people ask of the release, in ADQL that is SQL as well.
QUESTIONS = (
    "SELECT object_id, ra, dec FROM {0}.object ORDER BY object_id",
    "SELECT object_id, exposure_id, flux, flags FROM {0}.light_curve ORDER BY object_id, exposure_id",
    "SELECT object_id, optical_element, n_epoch FROM {0}.light_curve_array ORDER BY 1, 2",
    "SELECT object_id, exposure_id, offset_ra FROM {0}.astrometry_curve ORDER BY object_id, exposure_id",
    "SELECT event_id, object_id FROM {0}.event ORDER BY event_id",
)


@pytest.fixture
def run(own_survey):
    """Run ``roman-db release`` with some words."""

    @click.group()
    def root():
        pass

    commands(root)

    def invoke(*words: object) -> Result:
        result = CliRunner().invoke(root, ["release", *map(str, words)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def change(*statements: str) -> None:
    with session.transaction(session.Role.OWNER) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def ask(query: str) -> list[tuple]:
    with session.reading() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def answers(schema: str) -> list[str]:
    """What is answered to the questions; NaN is NaN in a text."""
    return [repr(ask(question.format(schema))) for question in QUESTIONS]


def measure_again(survey) -> None:
    """Reprocess: other fluxes of the first day, and other places of all objects."""
    (row,) = ask("SELECT max(load_run_id), max(catalog_version_id) FROM roman.catalog_version")
    file_of = dict(ask("SELECT exposure_id, file_id FROM roman.exposure"))
    epochs = epochs_of(DAYS[0], "F146")
    epochs = dataclasses.replace(
        epochs, file_id=np.array([file_of[one] for one in epochs.exposure_id.tolist()])
    )
    key = BlockKey(1, DETECTOR, "F146", "psf", DAYS[0], DAYS[0] + 1)
    with session.transaction(session.Role.OWNER) as connection:
        old = f"start_mjd = {DAYS[0]} AND optical_element = 'F146'"
        connection.exec_driver_sql(f"UPDATE roman.light_curve_block SET superseded_at = now() WHERE {old}")
        write_block(
            connection, key, epochs, photometry_of(survey, epochs, "F146", 99), BlockContext(*row, EXCLUDING)
        )
        connection.exec_driver_sql("UPDATE roman.object SET ra = ra + 1e-5")


def compact_and_drop() -> int:
    """Merge the window of the days, and drop what is not needed any more."""
    window = Window(61456, 61464, sealed=False)
    (row,) = ask("SELECT max(load_run_id), max(catalog_version_id) FROM roman.catalog_version")
    compact(window, where=BlockContext(*row, EXCLUDING))
    return drop_retired(5)


def test_a_release_stays_what_it_was(run, own_survey):
    frozen = answers("roman")
    done = run("make", "dr1")
    assert done.output == "dr1 is frozen: 18 tables and views, such as dr1.object.\n"
    assert answers("dr1") == frozen
    measure_again(own_survey)
    changed = answers("roman")
    assert changed[0] != frozen[0]
    assert changed[1] != frozen[1]
    assert answers("dr1") == frozen
    compact_and_drop()
    assert answers("roman") == changed
    assert answers("dr1") == frozen
    migrate.upgrade()
    assert answers("dr1") == frozen
    assert run("verify", "dr1").output == "dr1 is what it was when it was frozen.\n"
    held = [line.split() for line in run("show", "dr1").output.splitlines()]
    assert ["object", "copied", str(N_OBJECT)] in [line[:3] for line in held]
    # A second one holds what is current now.
    assert run("make", "dr2").exit_code == 0
    assert answers("dr2") == changed
    assert [line.split()[0] for line in run("list").output.splitlines()] == ["data_release", "dr1", "dr2"]
    due = ask("SELECT DISTINCT name, state, status FROM ops.delivery_due WHERE rule = 'release'")
    assert due == [("dr2", "frozen", "done")]


def test_what_a_release_holds_is_dropped_without_one(own_survey):
    """The same without a release: the generation with the old fluxes goes."""
    measure_again(own_survey)
    assert compact_and_drop() == 1


def test_adql_and_everybody_who_reads_know_it(run, own_survey):
    assert run("make", "dr1", "--season", 1).exit_code == 0
    query = (
        "SELECT COUNT(*) AS n FROM dr1.object WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(267.53, -30.02, 1))"
    )
    translation = translate(query, catalog_for(None, query))
    assert "q3c_radial_query" in translation.sql
    assert ask(translation.sql) == [(N_OBJECT,)]
    with pytest.raises(AdqlError, match="dr7"):
        translate("SELECT * FROM dr7.object", catalog_for(None, "SELECT * FROM dr7.object"))
    roles = "SELECT 'roman_tier_' || tier FROM ops.account_tier UNION SELECT 'roman_reader'"
    rights = f"SELECT DISTINCT has_table_privilege(r, 'dr1.light_curve', 'SELECT') FROM ({roles}) AS t (r)"
    with session.transaction(session.Role.OWNER) as connection:
        assert connection.exec_driver_sql(rights).scalars().all() == [True]


@pytest.mark.heavy
def test_it_is_asked_by_tap_as_any_other_table(run, own_survey):
    assert run("make", "dr1", "--season", 1).exit_code == 0
    place = session.database_url().render_as_string(hide_password=False)
    with served(place) as address:
        service = pyvo.dal.TAPService(address)
        named = service.search("SELECT table_name FROM tap_schema.tables WHERE schema_name = 'dr1'")
        tables = set(named["table_name"])
        assert {"dr1.object", "dr1.light_curve", "dr1.event"} <= tables
        assert "dr1.light_curve_segment" not in tables
        assert tables <= set(service.tables.keys())
        found = service.search(
            "SELECT o.object_id, o.pm_ra, COUNT(*) AS n FROM dr1.object AS o JOIN dr1.light_curve AS l "
            "ON l.object_id = o.object_id "
            "WHERE 1 = CONTAINS(POINT(o.ra, o.dec), CIRCLE(267.533564, -30.01758, 0.1)) "
            "GROUP BY o.object_id, o.pm_ra"
        )
        assert len(found) == N_OBJECT
        kept = service.tables["dr1.object"].columns
        column = next(one for one in kept if one.name == "pm_ra")
        assert (column.unit, found.getdesc("pm_ra").unit) == ("mas/yr", Unit("mas/yr"))
        days = "SELECT DISTINCT start_mjd FROM dr1.light_curve_block ORDER BY start_mjd"
        assert list(service.search(days)["start_mjd"]) == list(DAYS)
        with pytest.raises(pyvo.dal.DALQueryError, match="dr7"):
            service.search("SELECT * FROM dr7.object")


def test_nobody_changes_a_release_and_what_was_changed_is_found(run, own_survey):
    run("make", "dr1")
    for role in (session.Role.LOADER, session.Role.READER):
        with pytest.raises(sa.exc.ProgrammingError) as refused, session.transaction(role) as connection:
            connection.exec_driver_sql("UPDATE dr1.object SET ra = 0")
        assert isinstance(refused.value.orig, psycopg2.errors.InsufficientPrivilege)
    change(
        "UPDATE dr1.object SET ra = ra + 1e-9 WHERE object_id = (SELECT min(object_id) FROM dr1.object)",
        "DELETE FROM dr1.object_flux WHERE optical_element = 'F087'",
        f"UPDATE roman.light_curve_segment SET flux[1] = 0 WHERE start_mjd = {DAYS[0]}",
        "DROP VIEW dr1.light_curve_array",
    )
    done = run("verify", "dr1")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "Error: dr1.light_curve_array is not there",
        "Error: dr1.light_curve_segment has other values than when it was frozen",
        "Error: dr1.object has other values than when it was frozen",
        f"Error: dr1.object_flux has {N_OBJECT} rows and not {2 * N_OBJECT}",
    ]


def test_points_are_digested_before_they_are_frozen_and_the_same_while(run, own_survey, monkeypatch):
    run("make", "dr1")
    noted = "SELECT table_name, sum(n_row) FROM ops.block_checksum GROUP BY 1 ORDER BY 1"
    digests = "SELECT table_name, n_row, digest FROM ops.data_release_table WHERE digest_form = 'binary' AND "
    dr1 = ask(f"{digests} data_release = 'dr1' ORDER BY 1")
    assert [row[:2] for row in dr1 if row[1]] == ask(noted)
    counted = "SELECT count(*) FROM roman.{} JOIN dr1.light_curve_block USING (block_id, start_mjd)"
    assert [(name, *ask(counted.format(name))[0]) for name, *_ in dr1] == [row[:2] for row in dr1]
    # As if all blocks had come after what was there had been noted.
    monkeypatch.setattr(freeze, "_note_blocks", lambda release: {})
    run("make", "dr2")
    assert ask(f"{digests} data_release = 'dr2' ORDER BY 1") == dr1


def test_releases_of_before_are_compared_by_rows_as_text(run, own_survey):
    run("make", "dr1")
    update = (
        "UPDATE ops.data_release_table SET n_row = {0.n_row}, digest = '{0.digest}', digest_form = 'text' "
        "WHERE table_name = '{1}'"
    )
    with session.transaction(session.Role.OWNER) as connection:
        for name in freeze.SHARED:
            connection.exec_driver_sql(update.format(freeze._measure(connection, "dr1", name), name))
    assert run("verify", "dr1").exit_code == 0
    change(f"UPDATE roman.light_curve_segment SET flux[1] = 0 WHERE start_mjd = {DAYS[0]}")
    assert run("verify", "dr1").output.startswith("Error: dr1.light_curve_segment has other values")


def test_what_is_not_consistent_is_not_frozen_unless_somebody_says_why(run, own_survey):
    change(
        f"UPDATE roman.light_curve_block SET superseded_at = now() WHERE start_mjd = {DAYS[1]}",
        "UPDATE roman.exposure SET calibration_software_name = 'romancal', calibration_software_version = "
        f"CASE WHEN day_mjd = {DAYS[0]} THEN '0.19' ELSE '0.20' END",
        f"UPDATE roman.light_curve_block SET load_run_id = 1 WHERE start_mjd = {DAYS[2]}",
        "UPDATE ops.load_run SET code_version = '2' WHERE load_run_id = 1",
    )
    done = run("make", "dr1")
    assert done.exit_code == 1
    assert done.output.splitlines()[1:] == [
        "  27 exposures are in no light curve as they are now: photometer them",
        "  not all was calibrated by one version, but by romancal 0.19, romancal 0.20: do it again",
        "  not all was measured by one version, but by 1, 2: do it again",
        "or say by --despite why it is frozen all the same",
    ]
    assert ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'dr1'") == [(0,)]
    assert run("make", "dr1", "--despite", "a test").exit_code == 0
    assert ask("SELECT note, calibration FROM ops.data_release") == [
        ("a test", "romancal 0.19; romancal 0.20; roman-db 1; roman-db 2")
    ]


def test_wrong_names_are_told(run):
    assert run("make", "dr1").exit_code == 0
    assert "there is a data release dr1 already" in run("make", "dr1").output
    for name in ("dr01", "DR1", "roman", "dr1; DROP SCHEMA roman", ""):
        assert "is no name of a data release" in run("make", name).output
    assert "there is no data release 'dr9': dr1" in run("show", "dr9").output
    assert "there is no data release 'dr9': dr1" in run("verify", "dr9").output
    assert "no exposure of gbtds season 5 is stored" in run("make", "dr2", "--season", 5).output


@pytest.mark.heavy
def test_a_release_that_is_dropped_frees_what_only_it_held_and_stays_listed(run, own_survey):
    run("make", "dr1")
    measure_again(own_survey)
    assert compact_and_drop() == 0
    changed = answers("roman")
    done = run("drop", "dr1", "--despite", "a test")
    assert re.fullmatch(
        r"dr1 is dropped: [1-9]\d+ bytes of its tables are free, and 1 partitions of .*\n", done.output
    )
    assert ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'dr1'") == [(0,)]
    assert answers("roman") == changed
    left = "SELECT count(*) FROM {} WHERE {} LIKE 'dr1%'"
    for table, column in (
        ("tap_schema.schemas", "schema_name"),
        ("tap_schema.tables", "table_name"),
        ("tap_schema.columns", "table_name"),
        ("ops.data_release_block", "data_release"),
    ):
        assert ask(left.format(table, column)) == [(0,)]
    assert ask("SELECT dropped_at IS NOT NULL, drop_reason FROM ops.data_release") == [(True, "a test")]
    held = [line.split()[:3] for line in run("show", "dr1").output.splitlines()]
    assert ["object", "copied", str(N_OBJECT)] in held
    assert "dr1 was dropped on " in run("verify", "dr1").output
    assert "it was dropped: take another name" in run("make", "dr1").output
    assert run("drop", "dr1").output.startswith(
        "dr1 is dropped: 0 bytes of its tables are free, and 0 partitions"
    )
    migrate.upgrade()
    with pytest.raises(AdqlError, match="dr1"):
        translate("SELECT * FROM dr1.object", catalog_for(None, "SELECT * FROM dr1.object"))


@pytest.mark.heavy
def test_what_was_delivered_is_dropped_for_a_reason_alone_and_is_due_again(run, own_survey):
    status = "SELECT DISTINCT name, status FROM ops.delivery_due WHERE rule = 'release' AND season = 1"
    run("make", "dr1")
    assert ask(status) == [("dr1", "done")]
    refused = run("drop", "dr1")
    assert refused.exit_code == 1
    assert "dr1 is not dropped: it is what was delivered of gbtds" in refused.output
    assert run("verify", "dr1").exit_code == 0
    assert run("drop", "dr1", "--despite", "its zero point was wrong").exit_code == 0
    assert ask("SELECT drop_reason FROM ops.data_release") == [("its zero point was wrong",)]
    assert ask(status) == [(None, "due")]
    # What a later release has taken the place of needs no reason.
    run("make", "dr2")
    run("make", "dr3")
    assert ask(status) == [("dr3", "done")]
    assert run("drop", "dr2").exit_code == 0
    assert ask(status) == [("dr3", "done")]
    assert ask("SELECT drop_reason FROM ops.data_release WHERE data_release = 'dr2'") == [(None,)]


@pytest.mark.heavy
def test_what_somebody_needs_is_not_dropped(run, own_survey, monkeypatch):
    monkeypatch.setattr(drop, "_PATIENCE_S", 1)
    run("make", "dr1")
    with session.reading() as reader:
        reader.execute(sa.text("SELECT count(*) FROM dr1.object"))
        done = run("drop", "dr1", "--despite", "a test")
    assert "dr1 is not dropped: somebody reads it" in done.output
    change("CREATE VIEW public.mine AS SELECT ra FROM dr1.object")
    done = run("drop", "dr1", "--despite", "a test")
    assert "others were made of it: view public.mine depends on table dr1.object" in done.output
    assert run("verify", "dr1").exit_code == 0
    assert "there is no data release 'dr9': dr1" in run("drop", "dr9").output


def test_what_an_interrupted_drop_left_is_done_by_the_same_command(run, own_survey, monkeypatch):
    """Who is stopped before the commit leaves a whole release, and after it the partitions alone."""
    run("make", "dr1")
    measure_again(own_survey)
    compact_and_drop()
    words = ("drop", "dr1", "--despite", "a test")
    with monkeypatch.context() as patch:
        patch.setattr(LoadRun, "count", lambda *given, **numbers: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(*words)
    assert run("verify", "dr1").exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(drop, "drop_retired", lambda patience: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(*words)
    assert "dr1 is dropped: 0 bytes of its tables are free, and 1 partitions" in run(*words).output
    assert ask("SELECT drop_reason FROM ops.data_release") == [("a test",)]
