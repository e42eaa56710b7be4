"""The command line: that it comes at once, and that what goes wrong is said without a traceback."""

import os
import subprocess
import sys

import pytest
import sqlalchemy as sa

from roman_db import session
from roman_db.cluster import lifecycle
from roman_db.settings import settings

from ..faults.command_line import roman_db
from .cluster.conftest import finished_home, folder, home, settings_of
from .conftest import execute, point_at

__all__ = ["finished_home", "folder", "home"]

_HEAVY = {"alembic", "astropy", "matplotlib", "numba", "rich", "scipy", "structlog"}
_DATABASE = {"adbc_driver_manager", "numpy", "psycopg2", "pyarrow", "sqlalchemy"}
_IMPORTED = """
import sys
from roman_db.cli import main
sys.argv = {words!r}
try:
    main()
except SystemExit:
    pass
print(*sorted(set(sys.modules) & {names!r}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "spared"),
    [
        (["--help"], _HEAVY | _DATABASE),
        (["run", "--help"], (_HEAVY | _DATABASE) - {"structlog", "rich"}),
        (["query", "SELECT 1"], _HEAVY),
        (["lightcurve", "--id", "1"], _HEAVY),
    ],
)
def test_a_command_imports_what_it_needs(database, words, spared):
    program = _IMPORTED.format(words=["roman-db", *words], names=spared)
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == ""


_COMMANDS = [
    ["status"],
    ["query", "SELECT 1"],
    ["query", "SHOW timezone"],
    ["lightcurve", "--id", 1],
    ["audit"],
    ["upgrade"],
    ["psf", "list"],
    ["run", "compact", "--before", 61000],
    ["load", "exposure", "nothing.asdf"],
]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://ada:x@nowhere.invalid/roman", "could not translate host name"),
        ("postgresql://ada:x@127.0.0.1:1/roman", "Connection refused"),
        ("postgresql:///roman?host=/nowhere", "No such file or directory"),
        ("postgresql:///roman?strange=1", "invalid connection option"),
        ("postgresql:///roman?sslmode=strange", "sslmode"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_of(url, message, monkeypatch):
    point_at(url, monkeypatch)
    for words in _COMMANDS:
        outcome = roman_db(*words)
        assert (outcome.code, outcome.out) == (1, ""), words
        assert outcome.err.startswith("Error: "), words
        assert message in outcome.err
        assert outcome.err.splitlines()[-1].startswith("ROMAN_DB_URL names this server: ")


def test_a_wrong_password_is_told_of(home, monkeypatch):
    port = 40_000 + os.getpid() % 20_000
    lifecycle.start(settings_of(home, pg_port=port))
    for account in ("roman_admin:wrong", "roman_admin", "nobody:x", "roman_reader:x"):
        point_at(f"postgresql://{account}@127.0.0.1:{port}/roman", monkeypatch)
        for words in _COMMANDS:
            outcome = roman_db(*words)
            assert outcome.code == 1
            assert "password" in outcome.err.splitlines()[0]
            assert "correct the user and the password" in outcome.err.splitlines()[1]


@pytest.mark.parametrize(
    ("name", "value"), [("URL", "postgresql://ada:x@host:http/roman"), ("WORKERS", "many"), ("PG_PORT", "1")]
)
def test_a_wrong_setting_is_named(monkeypatch, database, name, value):
    monkeypatch.setenv(f"ROMAN_DB_{name}", value)
    for words in _COMMANDS:
        session.engine.cache_clear()
        outcome = _anew(words)
        assert outcome.code == 2
        assert outcome.err.startswith(f"Error: environment variable ROMAN_DB_{name}: ")
        assert outcome.err.count("\n") == 1


def _anew(words):
    """Run a command that reads the settings again."""
    settings.cache_clear()
    return roman_db(*words)


def test_an_account_that_may_only_read_is_told_so(database, monkeypatch):
    execute(database, "CREATE ROLE onlooker LOGIN PASSWORD 'x' IN ROLE roman_reader")
    try:
        url = sa.make_url(database).set(username="onlooker", password="x")
        point_at(url.render_as_string(False), monkeypatch)
        outcome = roman_db("load", "exposure", "nothing.asdf")
        assert outcome.code == 1
        assert outcome.err.startswith("Error: permission denied")
        assert "loading takes a member of roman_loader" in outcome.err
    finally:
        point_at(database, monkeypatch)
        execute(database, "DROP ROLE onlooker")


def test_a_database_of_a_later_release_is_told_of(database):
    execute(database, "UPDATE ops.alembic_version SET version_num = '9999'")
    outcome = roman_db("psf", "list")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert outcome.err.startswith("Error: the database is at schema revision 9999")


_NUMBERS = {
    ("run", "compact", "--before"): ("0", "-1", "88070", "999999999999", "nan", "1e3", "x", ""),
    ("run", "daily", "--day"): ("0", "-1", "999999999999", "nan", "x", ""),
    ("run", "seal", "gbtds"): ("-1", "nan", "x", ""),
    ("audit", "--from-mjd"): ("-1", "999999999999", "nan", "x", ""),
    ("lightcurve", "--id"): ("-1", "9223372036854775808", "nan", "x", ""),
    ("lightcurve", "--dec", "1", "--ra"): ("x", ""),
    ("query", "SELECT 1", "--max-rows"): ("-1", "9223372036854775807", "nan", "x", ""),
    ("query", "SELECT 1", "--timeout"): ("-1", "nan", "inf", "-inf", "1e308", "x", ""),
    ("load", "catalog", "x", "--match-radius"): ("0", "-1", "nan", "inf", "1e308", "1e-320", "x", ""),
    ("simulate", "x", "--mosaic"): ("0", "-1", "nan", "inf", "x", ""),
    ("demo", "--days"): ("0", "-1", "nan", "inf", "73", "x", ""),
    ("psf", "export"): ("0", "-1", "nan", "x", ""),
}


@pytest.mark.parametrize("words", _NUMBERS)
def test_an_absurd_number_is_refused_in_a_line(database, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    rest = ["x.asdf"] if words[0] == "psf" else []
    for value in _NUMBERS[words]:
        outcome = roman_db(*words, value, *rest)
        said = [line for line in outcome.err.splitlines() if line and not line.startswith(("Usage:", "Try "))]
        assert (outcome.code, outcome.out, len(said)) == (2, "", 1), value
        assert said[0].startswith(("Error: Invalid value for", "Error: No such option '-1'")), value
    assert list(tmp_path.iterdir()) == []


def test_what_no_database_holds_is_told_in_a_line(database):
    for words, message in {
        ("run", "seal", "gbtds", 10**30): "has no light curves",
        ("psf", "export", 10**30, "x.asdf"): "the library has no such PSF",
        ("lightcurve", "--id", 2**63 - 1): "there is no object",
        ("lightcurve", "--ra", 1, "--dec", 1, "--radius", "1e-320"): "a cone needs",
        ("lightcurve", "--ra", "inf", "--dec", "nan"): "a cone needs",
    }.items():
        outcome = roman_db(*words)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1), outcome
        assert message in outcome.err


def test_the_shortest_time_limit_is_one(database):
    assert "took longer than allowed" in roman_db("query", "SELECT pg_sleep(9)", "--timeout", "1e-320").err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"- 1\n", "expected a YAML mapping"),
        (b"a: [", "while parsing"),
        (b"\x80", "invalid start byte"),
        (b"survey: {a: 1}", "has unknown keys"),
        (b"survey: {detector: WFI99}", "got 'WFI99'"),
    ],
)
def test_parameters_that_are_none_are_refused_in_a_line(database, tmp_path, text, message):
    path = tmp_path / "parameters.yaml"
    path.write_bytes(text)
    for words in (["simulate", tmp_path / "sky"], ["demo", "--directory", tmp_path / "sky"]):
        outcome = roman_db(*words, "--parameters", path)
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)
        assert outcome.err.startswith(f"Error: {path}: ")
        assert message in outcome.err


def test_a_file_that_cannot_be_written_is_named(database, tmp_path):
    (tmp_path / "file").write_text("")
    outcome = roman_db("simulate", tmp_path / "file/sky")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert outcome.err.startswith(f"Error: {tmp_path}/file/sky: Not a directory. ")
