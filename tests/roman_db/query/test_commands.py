"""The commands as users meet them: output, files, exit codes, and one-line errors."""

import contextlib
import json
import math
import os
import pwd
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from astropy.table import Table
from pyarrow import parquet

from roman_db import session
from roman_db.query import ask, output, status
from roman_db.query.error import QueryError
from roman_db.schema.metadata import table

from ...faults.command_line import roman_db
from ...queries.filling import DAYS, DEC, EPOCHS_A_DAY, LATER_DAY, LENSED, N_OBJECT, RA, UNMEASURED
from ..cluster.conftest import acting_as
from ..conftest import forget, point_at

N_POINT = 4 * sum(EPOCHS_A_DAY.values())


def failed(result, message: str) -> bool:
    """Whether it ended with that message on standard error, and with nothing else anywhere."""
    return result.exit_code == 1 and result.stderr.startswith("Error: ") and message in result.stderr


# roman-db query


def test_a_query_is_answered_by_a_table(survey, run):
    result = run("query", "SELECT count(*) AS n FROM roman.object;")
    assert result.exit_code == 0
    assert result.stdout.split() == ["n", "--", str(N_OBJECT), "(1", "row)"]
    assert result.stderr == ""


def test_sql_comes_from_a_file_with_parameters(survey, run, tmp_path):
    path = tmp_path / "question.sql"
    path.write_text(
        "SELECT name FROM roman.field -- :no\nWHERE field_id = CAST(:id AS int) AND name <> :other"
    )
    result = run("query", "--file", path, "--param", "id=2", "--param", "other=a=b'c", "--format", "csv")
    assert result.stdout == '"name"\n"gbtds-2"\n'
    assert run("query", "--file", "-", "--format", "csv", input="SELECT 1 AS x").stdout == '"x"\n1\n'


def test_examples_are_listed_shown_and_run(survey, run):
    assert "cone_search\n    Objects within a circle" in run("examples").stdout
    assert "q3c_radial_query" in run("examples", "cone_search").stdout
    words = (
        "query",
        "--example",
        "cone_search",
        "--param",
        f"ra={RA}",
        "--param",
        f"dec={DEC}",
        "--param",
        "radius=60",
    )
    assert run(*words).stdout.endswith(f"({N_OBJECT} rows)\n")


def test_the_suffix_chooses_the_format(survey, run, tmp_path):
    out = tmp_path / "objects.parquet"
    result = run("query", "SELECT * FROM roman.object", "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{N_OBJECT} rows written to {out}\n"
    assert parquet.read_table(out).num_rows == N_OBJECT
    assert [path.name for path in tmp_path.iterdir()] == ["objects.parquet"]


def test_cut_rows_and_no_rows_are_noticed(survey, run):
    result = run("query", "SELECT * FROM roman.object", "--max-rows", 5, "--format", "csv")
    assert len(result.stdout.splitlines()) == 6
    assert result.stderr == "Only the first 5 rows: there are more, --max-rows gives them.\n"
    assert run("query", "SELECT 1 WHERE false").stderr == "No row answers the query.\n"


def test_a_failure_leaves_no_file_and_an_old_one_as_it_was(survey, run, tmp_path):
    out = tmp_path / "kept.csv"
    out.write_text("old")
    sql = "SELECT 1 / (i - 900000) FROM generate_series(1, 1000000) AS i"
    assert failed(run("query", sql, "--out", out), "division by zero")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("kept.csv", "old")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["SELECT nope"], 'column "nope" does not exist (line 1, column 8)\n  SELECT nope\n         ^\n'),
        (["INSERT INTO roman.survey VALUES ('a', 'b')"], "a query begins with SELECT"),
        (["SELECT 1; DROP TABLE roman.object"], "one statement at a time"),
        (["SELECT 1", "--file", "x.sql"], "give the SQL, --file or --example, one of them"),
        ([], "give the SQL, --file or --example, one of them"),
        (["--file", "/nowhere/x.sql"], "cannot read /nowhere/x.sql: No such file or directory"),
        (["--example", "nothing"], "there is no 'nothing' among the examples: astrometry"),
        (["SELECT CAST(:a AS int)"], "no value for :a: give --param a=VALUE"),
        (["SELECT 1", "--param", "a"], "--param is written NAME=VALUE, got 'a'"),
        (["SELECT CAST(:a AS int)", "--param", "a=x"], 'invalid input syntax for type integer: "x"'),
        (["SELECT pg_sleep(9)", "--timeout", "0.2"], "took longer than allowed"),
        (["SELECT 1", "--out", "/nowhere/x.csv"], "cannot write /nowhere/x.csv: No such file or directory"),
        (["SELECT 1", "--out", "x.doc"], "cannot tell the format of x.doc: end it in one of .txt, .csv"),
        (["SELECT * FROM ops.light_curve_layout"], "permission denied"),
        (["SELECT 1", "--out", f"/{'x' * 300}.csv"], "xxx.csv: File name too long"),
        (
            ["SELECT set_config('transaction_read_only', 'off', false)"],
            "permission denied for function set_config",
        ),
        (["SELECT lo_creat(0)"], "permission denied for function lo_creat"),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(survey, run, words, message):
    result = run("query", *words)
    assert failed(result, message), result.stderr
    assert "Traceback" not in result.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_said(survey, run):
    assert failed(
        run("query", "SELECT 1", "--format", "csv", "--out", "/dev/full"),
        "cannot write /dev/full: No space left",
    )


def test_a_closed_folder_is_said(tmp_path):
    """To an ordinary user: root may write anywhere."""
    (tmp_path / "closed").mkdir(mode=0)
    out = tmp_path / "closed/x.csv"
    user = acting_as(pwd.getpwnam("nobody").pw_uid) if os.geteuid() == 0 else contextlib.nullcontext()
    message = rf"^cannot write {out}: Permission denied$"
    with user, pytest.raises(QueryError, match=message), output.opened(out):
        pass


def test_a_terminal_gets_no_binary_and_no_endless_table(survey, run, monkeypatch):
    for module in (ask, output):
        monkeypatch.setattr(module, "is_terminal", lambda out: out is None)
    assert failed(run("query", "SELECT 1", "--format", "parquet"), "parquet is binary")
    result = run("query", "SELECT i FROM generate_series(1, 1000) AS i")
    assert "(200 rows)" in result.stdout
    assert "--max-rows" in result.stderr
    assert (
        "(1000 rows)"
        in run("query", "SELECT i FROM generate_series(1, 1000) AS i", "--max-rows", 1000).stdout
    )


@pytest.mark.parametrize("words", [["query", "SELECT 1"], ["status"], ["audit"], ["lightcurve", "--id", "1"]])
def test_a_database_that_is_not_there(cluster_url, run, monkeypatch, words):
    point_at(sa.make_url(cluster_url).set(database="nothing_here").render_as_string(False), monkeypatch)
    result = run(*words)
    forget()
    assert failed(result, 'database "nothing_here" does not exist: `roman-db upgrade` makes it')


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["query", "SELECT * FROM roman.exposure"],
        ["query", "--example", "brightest_stars"],
        ["lightcurve", "--id", "1"],
        ["lightcurve", "--ra", "268", "--dec", "-29"],
        ["lightcurve", "--id", "1", "--element", "F146"],
        ["audit"],
    ],
)
def test_a_database_without_tables(bare_database, run, words):
    result = run(*words)
    assert failed(result, "Error: the database has no tables yet: `roman-db upgrade` makes them\n")
    assert len(result.stderr.splitlines()) == 1


def test_a_table_that_is_not_there_is_named(survey, run):
    assert failed(
        run("query", "SELECT * FROM roman.nothing"), 'relation "roman.nothing" does not exist (line 1'
    )


_COMMANDS = [["query", "SELECT 1"], ["status"], ["lightcurve", "--id", "1"], ["audit"], ["upgrade"]]


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("change", "said", "remedy"),
    [
        ({"host": "localhost", "port": 1}, "Connection refused", "start it, or correct host and port"),
        ({"host": "nowhere.invalid"}, "could not translate host name", "start it, or correct host and port"),
        ({"username": "stranger"}, "stranger", "correct the user and the password"),
    ],
    ids=["dead port", "unknown host", "wrong password"],
)
def test_a_server_that_cannot_be_used(cluster_url, monkeypatch, words, change, said, remedy):
    """Libpq's words, what to do, and never the password."""
    url = sa.make_url(cluster_url).set(password="sesame")
    if "host" in change:
        url = url.set(query={})
    point_at(url.set(**change).render_as_string(False), monkeypatch)
    outcome = roman_db(*words)
    forget()
    assert (outcome.code, outcome.out) == (1, "")
    assert said in outcome.err
    assert outcome.err.splitlines()[-1].startswith("ROMAN_DB_URL names this server: ")
    assert remedy in outcome.err
    assert "sesame" not in outcome.err
    assert "Traceback" not in outcome.err


def test_status_does_not_make_a_private_server(run, monkeypatch, tmp_path):
    monkeypatch.delenv("ROMAN_DB_URL", raising=False)
    monkeypatch.setenv("ROMAN_DB_HOME", str(tmp_path / "home"))
    forget()
    result = run("status")
    forget()
    assert failed(result, "there is no database in")
    assert not (tmp_path / "home").exists()


# roman-db lightcurve


def test_a_light_curve_in_a_few_lines(survey, run):
    result = run("lightcurve", "--id", survey.object_id[UNMEASURED])
    assert result.exit_code == 0
    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert lines["object"] == [str(survey.object_id[UNMEASURED])]
    points, flagged, failures = (int(word) for word in lines["F146"][1:4])
    assert (points, flagged, failures) == (4 * (EPOCHS_A_DAY["F146"] - 1), 0, 4)
    assert lines["flags:"] == ["FIT_FAILED", "8"]
    mean, scatter, error, catalog = (float(word) for word in lines["F146"][4:8])
    assert abs(mean - catalog) < 4 * error / points**0.5
    assert 0.7 < scatter / error < 1.4


def test_the_nearest_of_several_is_taken_and_said(survey, run):
    target = survey.object_id[LENSED]
    place = ("--ra", survey.ra[LENSED] + 1e-5, "--dec", survey.dec[LENSED])
    result = run("lightcurve", *place, "--radius", 60)
    lines = result.stdout.splitlines()
    assert lines[0] == "60 objects are within the radius; the nearest is taken:"
    distance = 3600e-5 * math.cos(math.radians(survey.dec[LENSED]))
    assert lines[1].split()[:2] == [str(target), f"{distance:.3f}"]
    assert lines[11] == "  and 50 more"
    assert f"object   {target}" in lines
    alone = run("lightcurve", *place, "--radius", 0.1).stdout
    assert alone.startswith(f"object   {target}")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ecsv", "vot"])
def test_points_are_written(survey, run, tmp_path, suffix):
    out = tmp_path / f"points.{suffix}"
    result = run("lightcurve", "--id", survey.object_id[LENSED], "--out", out)
    assert f"{N_POINT} points written to {out}" in result.stdout
    if suffix == "parquet":
        table = Table(parquet.read_table(out).to_pydict())
    else:
        table = Table.read(out, format={"csv": "ascii.csv", "ecsv": "ascii.ecsv", "vot": "votable"}[suffix])
    assert len(table) == N_POINT
    assert set(table["optical_element"]) == set(EPOCHS_A_DAY)
    assert set(table["object_id"]) == {survey.object_id[LENSED]}
    if suffix in ("ecsv", "vot"):
        assert str(table["flux"].unit) == "nJy"
        assert "Standard error" in table["flux_err"].description


def test_a_selection_is_made(survey, run, tmp_path):
    out = tmp_path / "points.csv"
    run("lightcurve", "--id", survey.object_id[0], "--element", "F087", "--kind", "psf", "--out", out)
    assert len(out.read_text().splitlines()) == 1 + 4 * EPOCHS_A_DAY["F087"]
    assert "no photometry" in run("lightcurve", "--id", survey.object_id[0], "--kind", "dia").stdout
    unused = run("lightcurve", "--id", survey.object_id[0], "--element", "F184")
    assert (unused.exit_code, "no photometry" in unused.stdout) == (0, True)


@pytest.mark.parametrize(
    ("suffix", "magic"),
    [("png", b"\x89PNG"), pytest.param("pdf", b"%PDF", marks=pytest.mark.heavy), ("svg", b"<?xml")],
)
def test_a_plot_is_drawn(survey, run, tmp_path, suffix, magic):
    out = tmp_path / f"curve.{suffix}"
    result = run("lightcurve", "--id", survey.object_id[LENSED], "--plot", out)
    assert result.exit_code == 0, result.output
    assert out.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give --id, or --ra and --dec"),
        (["--id", 1, "--ra", 1, "--dec", 1], "give --id, or --ra and --dec"),
        (["--ra", 1], "give both --ra and --dec"),
        (["--id", 1], "there is no object 1"),
        (["--ra", 10, "--dec", 10], "there is no object within 1 arcsec of 10.0, 10.0: enlarge --radius"),
        (["--ra", 361, "--dec", 10], "a cone needs 0 <= ra < 360"),
        (["--ra", "nan", "--dec", 10], "a cone needs 0 <= ra < 360"),
        (["--id", "{}", "--plot", "x.gif"], "cannot draw into x.gif: end it in one of .png, .pdf, .svg"),
        (["--id", "{}", "--out", "x.fits"], "cannot tell the format of x.fits"),
        (["--id", "{}", "--out", "/nowhere/x.csv"], "cannot write /nowhere/x.csv"),
        (["--id", "{}", "--plot", "/nowhere/x.png"], "cannot write /nowhere/x.png"),
        (["--id", "{}", "--kind", "dia", "--plot", "x.png"], "nothing to draw"),
        (
            ["--id", "{}", "--element", "F999"],
            "there is no optical element 'F999'; there are DARK, F062, F087",
        ),
        (
            ["--id", "{}", "--element", "f146"],
            "there is no optical element 'f146'; there are DARK, F062, F087",
        ),
    ],
)
def test_what_cannot_be_shown_is_said(survey, run, words, message):
    result = run("lightcurve", *(str(word).format(survey.object_id[0]) for word in words))
    assert failed(result, message), result.stderr


# roman-db status and audit


def test_status_on_a_screen(survey, run):
    result = run("status")
    assert result.exit_code == 0
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert f"{N_OBJECT}  objects" in lines
    assert f"{N_POINT}  exposures" in lines
    n_block = 4 * len(EPOCHS_A_DAY)  # in each, one object is not measured once
    assert f"{N_POINT * N_OBJECT - n_block:,}  light-curve points" in lines
    assert f"from day {DAYS[0]} to {LATER_DAY} (MJD TDB)" in lines
    assert "of all runs: 1 interrupted, 1 partly_failed" in lines
    assert lines[2].startswith("queries run as role roman_reader of login roman_admin; set_config")
    assert len(lines) < 40
    assert max(map(len, lines)) < 110


def test_status_for_machines(survey, run):
    found = json.loads(run("status", "--json").stdout)
    assert found["counts"]["objects"] == {"rows": N_OBJECT, "is_exact": True}
    assert found["verdicts"] == {"good": N_POINT - 2, "warning": 2}
    assert [run["load_run_id"] for run in found["runs"]] == [4, 3, 2, 1]
    assert found["runs"][2]["n_rejected"] == 1


def test_a_killed_run_is_shown_as_interrupted(own_survey, run):
    """It left its row as running; a process that goes on, or one of another machine, is left alone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    here, alive = socket.gethostname(), psutil.Process().pid
    with session.transaction() as connection:
        for task, host, pid in (("killed", here, gone.pid), ("alive", here, alive), ("far", "far", gone.pid)):
            row = {"task": task, "arguments": {}, "host": host, "pid": pid}
            versions = {"code_version": "0", "schema_version": "0"}
            connection.execute(table("ops.load_run").insert(), row | versions)
    found = json.loads(run("status", "--json").stdout)
    states = {one["task"]: one["state"] for one in found["runs"]}
    assert (states["killed"], states["alive"], states["far"]) == ("interrupted", "running", "running")
    assert found["run_states"] == {"interrupted": 2, "partly_failed": 1, "running": 2}
    lines = run("status").stdout.splitlines()
    killed = next(line.split() for line in lines if " killed " in line)
    assert (killed[2], killed[5]) == ("interrupted", "unknown")
    with session.reading() as connection:
        stored = connection.execute(sa.text("SELECT state FROM ops.load_run WHERE task = 'killed'"))
        assert stored.scalar_one() == "running"


def test_large_tables_are_estimated(survey, monkeypatch):
    monkeypatch.setattr(status, "COUNTED", 10)
    counts = status.read_status().counts
    assert counts["objects"] == status.Count(N_OBJECT, is_exact=False)
    assert counts["psfs"] == status.Count(3)


def test_audits_pass_or_show_the_rows(own_survey, run):
    result = run("audit")
    assert result.exit_code == 0, result.output
    assert "passed  object_identifier" in result.stdout.splitlines()
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(
            "UPDATE roman.object SET dec = 91 WHERE object_id = (SELECT min(object_id) FROM roman.object)"
        )
    result = run("audit", "object_coordinates", "run_not_reconciled")
    assert result.exit_code == 1
    first, row, last = result.stdout.splitlines()
    assert first.startswith("FAILED  object_coordinates: Objects, now or before, whose position")
    assert f"object_id={own_survey.object_id[0]}" in row
    assert "dec=91.0" in row
    assert last == "passed  run_not_reconciled"
    failure = json.loads(run("audit", "--json", "object_coordinates").stdout)
    assert failure["passed"] is False
    assert failure["rows"][0]["dec"] == 91.0


def test_many_rows_of_an_audit_are_not_all_shown(own_survey, run):
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql("UPDATE roman.object SET dec = 91")
    lines = run("audit", "object_coordinates").stdout.splitlines()
    assert (len(lines), lines[-1].strip()) == (22, "and more")


def test_an_unknown_audit_is_answered_with_those_there_are(survey, run):
    assert failed(run("audit", "nothing"), "there is no 'nothing' among the audits: astrometry")
