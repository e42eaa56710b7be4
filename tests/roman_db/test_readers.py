"""What a reader is held to: with a login of his own, and in his role on a connection of the administrator."""

import re

import psycopg2
import pytest
import sqlalchemy as sa

from roman_db import migrate, session
from roman_db.query.error import QueryError
from roman_db.query.statement import parse
from roman_db.query.status import read_status
from roman_db.query.stream import Request, open_result
from roman_db.session import Role

from ..faults.command_line import roman_db
from .conftest import execute, forget, point_at

_ROLE = "permission denied to set role|permission denied for function set_config"
_VERB = "a query begins with SELECT"
_FORBIDDEN = "permission denied"
_XML = "SELECT query_to_xml('{}', true, true, '')"

#: A statement that reads no more, and the words with which it is refused.
ATTEMPTS = [
    ("SELECT set_config('role', 'roman_owner', false)", _ROLE),
    ("SELECT set_config('role', 'none', false)", _ROLE),
    ("SELECT set_config('session_authorization', 'roman_admin', false)", _FORBIDDEN),
    (_XML.format("SELECT set_config(''role'', ''roman_admin'', false)"), _ROLE),
    (_XML.format("RESET ROLE"), "not allowed in a non-volatile function"),
    (_XML.format("SET SESSION AUTHORIZATION roman_admin"), "not allowed in a non-volatile function"),
    (_XML.format("INSERT INTO roman.survey VALUES (''s'', ''s'')"), "not allowed in a non-volatile function"),
    ("SET ROLE roman_owner", _VERB),
    ("RESET ROLE", _VERB),
    ("SET SESSION AUTHORIZATION roman_admin", _VERB),
    ("INSERT INTO roman.survey VALUES ('s', 's')", _VERB),
    ("UPDATE roman.object SET ra = 0", _VERB),
    ("CREATE TABLE public.mine (a integer)", _VERB),
    ("CREATE TEMP TABLE mine (a integer)", _VERB),
    ("COPY roman.object TO PROGRAM 'cat'", _VERB),
    ("DO $$BEGIN RESET ROLE; END$$", _VERB),
    ("EXPLAIN ANALYZE UPDATE roman.object SET ra = 0", "read-only transaction"),
    ("EXPLAIN ANALYZE CREATE TABLE public.mine AS SELECT 1", _FORBIDDEN),
    ("WITH a AS (DELETE FROM roman.object RETURNING 1) SELECT * FROM a", "must be at the top level"),
    ("SELECT 1) TO PROGRAM 'cat' --", "the parentheses do not match"),
    ("SELECT pg_advisory_lock(1)", _FORBIDDEN),
    ("SELECT pg_advisory_xact_lock_shared(1)", _FORBIDDEN),
    ("SELECT pg_try_advisory_lock(1, 1)", _FORBIDDEN),
    ("SELECT lo_creat(0)", _FORBIDDEN),
    ("SELECT lo_from_bytea(0, 'a')", _FORBIDDEN),
    ("SELECT pg_read_file('PG_VERSION')", _FORBIDDEN),
    ("SELECT pg_ls_dir('.')", _FORBIDDEN),
    ("SELECT pg_notify('a', 'a')", _FORBIDDEN),
    ("SELECT pg_cancel_backend(1)", _FORBIDDEN),
    ("SELECT pg_terminate_backend(1)", _FORBIDDEN),
    ("SELECT * FROM dblink('', 'SELECT 1') AS t (a integer)", "function dblink.* does not exist"),
    ("SELECT passwd FROM pg_shadow", _FORBIDDEN),
    ("SELECT * FROM ops.alembic_version", _FORBIDDEN),
    ("SELECT ops.open_light_curve_block(61520)", _FORBIDDEN),
]


def as_reader(url: str) -> str:
    """The same database for the reader's own login."""
    return sa.make_url(url).set(username=Role.READER).render_as_string(False)


@pytest.fixture(params=["login", "role"])
def reader(request, database, monkeypatch):
    """A database that is read by a login of its own, or in the role of the reader as the administrator."""
    if request.param == "login":
        monkeypatch.setenv("ROMAN_DB_READER_URL", as_reader(database))
        forget()
    return request.param


@pytest.fixture
def login(database, monkeypatch):
    """URL of the database for the reader, which ``roman_db`` reads with."""
    monkeypatch.setenv("ROMAN_DB_READER_URL", as_reader(database))
    forget()
    return as_reader(database)


def test_more_than_reading_is_refused_to_the_command(reader):
    outcomes = {statement: roman_db("query", statement) for statement, _ in ATTEMPTS}
    assert {outcome.code for outcome in outcomes.values()} == {1}
    assert {outcome.out for outcome in outcomes.values()} == {""}
    said = {statement: outcome.err for statement, outcome in outcomes.items()}
    assert {
        one: said[one] for one, message in ATTEMPTS if not re.match(f"Error: .*(?:{message})", said[one])
    } == {}


def test_more_than_reading_is_refused_to_python(reader):
    for statement, message in ATTEMPTS:
        with pytest.raises(QueryError, match=message), open_result(Request(parse(statement))) as result:
            list(result.batches)


def test_who_logs_in_as_reader_gets_no_further_with_any_client(database):
    """Even where he does not keep to the read-only transactions that he is given."""
    migrate.upgrade()  # rights on temporary tables belong to a database and were not copied with the rest
    for statement in (
        "SET ROLE roman_owner",
        "SET ROLE roman_loader",
        "SET SESSION AUTHORIZATION roman_admin",
        "SELECT set_config('role', 'roman_admin', false)",
        "INSERT INTO roman.survey VALUES ('s', 's')",
        "UPDATE roman.object SET ra = 0",
        "DELETE FROM ops.load_run",
        "CREATE TABLE public.mine (a integer)",
        "CREATE TEMP TABLE mine (a integer)",
        "COPY roman.survey FROM PROGRAM 'cat'",
        "COPY roman.survey TO '/tmp/survey.csv'",
        "SELECT pg_advisory_lock(1)",
        "SELECT lo_create(0)",
        "ALTER ROLE roman_reader SET temp_file_limit = -1",
        "SET temp_file_limit = -1",
        "GRANT roman_owner TO roman_reader",
    ):
        with pytest.raises(psycopg2.Error, match=r"permission denied|must (be|have)"):
            execute(as_reader(database), "SET default_transaction_read_only = off", statement)


SCIENCE = """
SELECT oid::regclass::text FROM pg_class
WHERE relnamespace = 'roman'::regnamespace AND relkind IN ('r', 'p', 'v')
"""


def test_a_readers_login_may_read_all_that_is_science(login):
    assert len(execute(login, SCIENCE)) > 20
    assert execute(login, f"{SCIENCE} AND NOT has_table_privilege('roman_reader', oid, 'SELECT')") == []


@pytest.mark.heavy
def test_a_readers_login_reads_all_that_is_science(login):
    names = [name for (name,) in execute(login, SCIENCE)]
    assert len(names) > 20
    for name in names:
        with open_result(Request(parse(f"SELECT * FROM {name}"), max_rows=1)) as result:
            list(result.batches)
    with session.reading() as connection:
        assert connection.execute(sa.text("SELECT session_user")).scalar_one() == "roman_reader"
        assert connection.execute(sa.text("SELECT roman.season_start('gbtds', 1)")).scalar_one() == 61448


def test_writers_keep_what_readers_lose(database):
    """As the roles of an account that is no superuser."""
    migrate.upgrade()
    for role in (Role.OWNER, Role.LOADER):
        found = execute(
            database,
            f"SET ROLE {role}",
            "SELECT pg_notify('a', 'a'), pg_cancel_backend(0), set_config('work_mem', '5MB', false)",
            "CREATE TEMP TABLE mine (a integer)",
            "INSERT INTO mine VALUES (7)",
            "SELECT current_user::text, current_setting('work_mem'), pg_try_advisory_lock(1), a FROM mine",
        )
        assert found == [(role.value, "5MB", True, 7)]


def test_a_readers_login_has_limits_which_an_administrator_may_change(database, login):
    limits = """
        SELECT name, setting FROM pg_settings
        WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'temp_file_limit',
                       'default_transaction_read_only')
    """
    expected = {
        "default_transaction_read_only": "on",
        "idle_in_transaction_session_timeout": "600000",
        "statement_timeout": "3600000",
        "temp_file_limit": str(20 * 1024**2),
    }
    assert dict(execute(login, limits)) == expected
    try:
        execute(database, "ALTER ROLE roman_reader SET temp_file_limit = '1MB'")
        migrate.upgrade()
        assert dict(execute(login, limits)) == expected | {"temp_file_limit": "1024"}
        big = "SELECT count(*) FROM (SELECT * FROM generate_series(1, 9000000) ORDER BY 1 DESC) AS a"
        with (
            pytest.raises(QueryError, match=r"temp_file_limit.*ask for less"),
            open_result(Request(parse(big))) as result,
        ):
            list(result.batches)
    finally:
        execute(database, "ALTER ROLE roman_reader SET temp_file_limit = '20GB'")


def test_our_own_reading_is_not_limited_in_time(login):
    with session.reading() as connection:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert connection.exec_driver_sql(f"SHOW {name}").scalar_one() == "0"


def test_status_says_what_holds_readers(database, monkeypatch):
    name = "role roman_reader of login roman_admin"
    assert read_status().reader == f"{name}; set_config, the way out of it, is closed"
    execute(database, "GRANT EXECUTE ON FUNCTION set_config TO PUBLIC")
    assert read_status().reader == f"{name}, which a query can leave: set ROMAN_DB_READER_URL"
    monkeypatch.setenv("ROMAN_DB_READER_URL", database)
    forget()
    assert read_status().reader == "login roman_admin, which may also write: set ROMAN_DB_READER_URL"
    monkeypatch.setenv("ROMAN_DB_READER_URL", as_reader(database))
    forget()
    assert read_status().reader == "login roman_reader, which may only read"


def test_loaders_refuse_to_read_another_database_than_they_write(database, login, cluster_url, monkeypatch):
    migrate.ensure_current()
    monkeypatch.setenv("ROMAN_DB_READER_URL", as_reader(cluster_url))
    forget()
    outcome = roman_db("run", "compact", "--before", 61000)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert outcome.err.startswith("Error: ROMAN_DB_READER_URL is not the database of ROMAN_DB_URL")


def test_an_account_that_may_only_read_is_enough_to_query(database, monkeypatch):
    """As the only URL: people have no other on a server of many."""
    execute(database, "CREATE ROLE scientist LOGIN PASSWORD 'x' IN ROLE roman_reader")
    try:
        url = sa.make_url(database).set(username="scientist", password="x")
        point_at(url.render_as_string(False), monkeypatch)
        assert roman_db("query", "SELECT count(*) FROM roman.object").code == 0
        assert read_status().reader == "login scientist, which may only read"
    finally:
        forget()
        execute(database, "DROP ROLE scientist")
