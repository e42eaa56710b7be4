"""What PostgreSQL lets the roles of tiers, accounts and the service do."""

import contextvars
import dataclasses
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from roman_db import session, sqlfile
from roman_db.accounts.account_store import apply_tiers, list_tiers
from roman_db.accounts.reading import asker_of
from roman_db.accounts.scratch import save_query
from roman_db.asker import Asker, asked_by, assume
from roman_db.session import Role
from tests.roman_db.conftest import execute

TIERS = ("anonymous", "entry", "research", "team", "consortium")
_ACCOUNT_TABLES = ("account_tier", "team", "account", "account_token", "account_usage", "resource_request")


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_reads_science_and_neither_writes_nor_sees_operations(accounts_database, tier):
    as_tier = f"SET ROLE roman_tier_{tier}"
    found = execute(accounts_database, as_tier, "SELECT count(*) FROM roman.detector")
    assert found == [(18,)]
    assert execute(accounts_database, as_tier, "SELECT count(*) FROM roman.light_curve") == [(0,)]
    for statement in (
        "SELECT 1 FROM ops.load_run",
        *(f"SELECT 1 FROM ops.{name}" for name in _ACCOUNT_TABLES),
        f"UPDATE ops.account_tier SET rows = 1 WHERE tier = '{tier}'",
        "INSERT INTO ops.account_usage DEFAULT VALUES",
        "SELECT ops.apply_account_tiers()",
        "SELECT ops.scratch_bytes('{1}')",
        "INSERT INTO roman.survey VALUES ('s', 's')",
        "UPDATE roman.object SET ra = 0",
        "DELETE FROM roman.visit",
        "CREATE TABLE roman.mine (a integer)",
        "CREATE TABLE public.mine (a integer)",
        "CREATE TEMP TABLE mine (a integer)",
        "CREATE SCHEMA mine",
        "SELECT pg_advisory_lock(1)",
        "SELECT set_config('work_mem', '1GB', false)",
    ):
        with pytest.raises(psycopg2.Error, match="permission denied"):
            execute(accounts_database, as_tier, "SET default_transaction_read_only = off", statement)


_SETTINGS = """
    SELECT split_part(chosen, '=', 1), split_part(chosen, '=', 2)
    FROM pg_db_role_setting, unnest(setconfig) AS chosen WHERE setrole = CAST('roman_tier_{}' AS regrole)
"""


def test_who_logs_in_as_a_tier_has_the_limits_of_its_row(accounts_database):
    apply_tiers()
    for row in list_tiers():
        settings = dict(execute(accounts_database, _SETTINGS.format(row["tier"])))
        assert float(settings["statement_timeout"]) == row["seconds_sync"] * 1000
        assert int(settings["work_mem"]) == row["work_bytes"] // 1024
        assert int(settings["temp_file_limit"]) == row["temp_bytes"] // 1024
        assert settings["default_transaction_read_only"] == "on"
        limit = f"SELECT rolconnlimit FROM pg_roles WHERE rolname = 'roman_tier_{row['tier']}'"
        assert execute(accounts_database, limit) == [(row["n_connection"],)]


def test_a_change_of_a_row_is_applied(accounts_database):
    """The row, and with it the role, which belongs to the server, is put back."""
    before = execute(accounts_database, "SELECT seconds_sync FROM ops.account_tier WHERE tier = 'research'")
    try:
        execute(accounts_database, "UPDATE ops.account_tier SET seconds_sync = 7.5 WHERE tier = 'research'")
        apply_tiers()
        assert dict(execute(accounts_database, _SETTINGS.format("research")))["statement_timeout"] == "7500"
    finally:
        put_back = f"UPDATE ops.account_tier SET seconds_sync = {before[0][0]} WHERE tier = 'research'"
        execute(accounts_database, put_back)
        apply_tiers()


def test_a_connection_takes_on_one_account_after_another(accounts_database, new_account):
    entry, research = new_account(), new_account("research")
    asked = (
        "SELECT current_user::text, current_setting('statement_timeout'), current_setting('work_mem'), "
        "current_setting('transaction_read_only'), current_setting('temp_file_limit')"
    )
    with session.arrow_connection(Role.READER, 100) as connection, connection.cursor() as cursor:
        found = []
        for account, seconds in ((entry, 1.5), (research, 60), (entry, 2)):
            assume(connection, asker_of(account, seconds, 8))
            cursor.execute(asked)
            found.append(cursor.fetchone())
        assert found == [
            ("roman_tier_entry", "1500ms", "8MB", "on", "9765625kB"),  # 10 GB
            ("roman_tier_research", "1min", "8MB", "on", "48828125kB"),
            ("roman_tier_entry", "2s", "8MB", "on", "9765625kB"),
        ]
        assume(connection, Asker("roman_tier_that_is_not_there", 3, 8, "entry"))
        cursor.execute(asked)
        assert cursor.fetchone()[1:4] == ("3s", "8MB", "on")


def test_what_is_read_for_somebody_is_read_in_the_role_and_limits_of_the_tier(accounts_database, new_account):
    """Also in other threads of the same context, and for us again when that has ended."""
    asker = asker_of(new_account("research"), 7, 8)
    shown = "SELECT current_user::text, current_setting('statement_timeout'), current_setting('work_mem')"

    def seen() -> list[tuple]:
        with session.reading() as reading:
            rows = [tuple(reading.exec_driver_sql(shown).one())]
        with session.arrow_connection(timeout_s=9) as connection, connection.cursor() as cursor:
            cursor.execute(shown)
            return [*rows, cursor.fetchone()]

    with asked_by(asker):
        for found in (seen(), contextvars.copy_context().run(_in_thread, seen)):
            assert found == [("roman_tier_research", "7s", "8MB")] * 2
        with asked_by(None):
            assert {user for user, *_ in seen()} == {"roman_reader"}
        with asked_by(dataclasses.replace(asker, role="roman_tier_that_is_not_there")):
            assert seen() == [("roman_reader", "7s", "8MB")] * 2
    assert {user for user, *_ in seen()} == {"roman_reader"}


def _in_thread(work: Callable[[], list[tuple]]) -> list[tuple]:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, work).result()


def test_a_tier_reads_what_pages_and_services_ask_but_for_the_operations(accounts_database):
    """Each file is planned in the role of a tier, with values of no meaning for its parameters."""
    refused = set()
    for file in (one for kind in ("portal", "services") for one in sqlfile.read_all(kind)):
        statement = re.sub(r"CAST\(:\w+ AS ([\w ]+(\[\])?)\)", r"CAST(NULL AS \1)", file.text)
        unbound = re.sub(r"(?<![:\w]):[a-z]\w*", "NULL", statement)
        try:
            execute(accounts_database, "SET ROLE roman_tier_anonymous", f"EXPLAIN {unbound}")
        except psycopg2.errors.InsufficientPrivilege:
            refused.add(file.name)
        assert file.reads_operations == (file.name in refused), file.name
    assert "exposure_links" in refused


_MUCH = """
    SELECT count(*)
    FROM (SELECT md5(CAST(g AS text)) AS m FROM generate_series(1, 200000) AS g ORDER BY m) AS sorted
"""


def test_temporary_files_are_limited_by_the_tier_and_by_nobody_else(accounts_database):
    """A login that is no superuser: the service's, which may not set the limit itself."""
    ((before,),) = execute(accounts_database, "SELECT temp_bytes FROM ops.account_tier WHERE tier = 'entry'")
    login, take = "SET SESSION AUTHORIZATION roman_reader", "SELECT ops.take_temporary_room('{}')"
    seen = "SELECT setting FROM pg_settings WHERE name = 'temp_file_limit'"
    try:
        execute(accounts_database, "UPDATE ops.account_tier SET temp_bytes = 2097152 WHERE tier = 'entry'")
        assert execute(accounts_database, login, take.format("entry"), seen) == [("2048",)]
        own = execute(accounts_database, login, seen)
        assert execute(accounts_database, login, take.format("entry"), take.format("none"), seen) == own
        small = "SET work_mem = '64kB'"
        with pytest.raises(psycopg2.Error, match="exceeds temp_file_limit"):
            execute(accounts_database, login, small, take.format("entry"), "SET ROLE roman_tier_entry", _MUCH)
        assert execute(accounts_database, login, small, "SET ROLE roman_tier_entry", _MUCH) == [(200_000,)]
        for statement in ("SET temp_file_limit = -1", "RESET temp_file_limit"):
            with pytest.raises(psycopg2.Error, match="permission denied"):
                execute(accounts_database, login, take.format("entry"), statement)
    finally:
        execute(accounts_database, f"UPDATE ops.account_tier SET temp_bytes = {before} WHERE tier = 'entry'")


def test_a_query_ends_at_the_time_of_its_account(accounts_database):
    with session.arrow_connection(Role.READER, 100) as connection, connection.cursor() as cursor:
        assume(connection, Asker("roman_tier_entry", 0.2, 8, "entry"))
        cursor.execute("SELECT pg_sleep(30)")
        with pytest.raises(Exception, match="statement timeout"):
            cursor.fetchall()


def test_the_role_of_an_account_writes_in_its_own_schema_alone(accounts_database, new_account):
    account, other = new_account(), new_account()
    save_query(account, "mine", "SELECT 1 AS a")
    save_query(other, "theirs", "SELECT 2 AS a")
    own = f"SET ROLE {account.scratch_schema}"
    assert execute(accounts_database, own, f"SELECT a FROM {account.scratch_schema}.mine") == [(1,)]
    assert execute(accounts_database, own, "SELECT count(*) FROM roman.detector") == [(18,)]
    for statement in (
        f"SELECT a FROM {other.scratch_schema}.theirs",
        f"CREATE TABLE {other.scratch_schema}.mine (a integer)",
        "CREATE TABLE roman.mine (a integer)",
        "INSERT INTO roman.survey VALUES ('s', 's')",
        "SELECT 1 FROM ops.account_token",
        "CREATE SCHEMA mine",
    ):
        with pytest.raises(psycopg2.Error, match="permission denied"):
            execute(accounts_database, own, statement)


def test_no_tier_reads_scratch_tables(accounts_database, new_account):
    account = new_account()
    save_query(account, "mine", "SELECT 1 AS a")
    for tier in TIERS:
        with pytest.raises(psycopg2.Error, match="permission denied"):
            execute(
                accounts_database,
                f"SET ROLE roman_tier_{tier}",
                f"SELECT * FROM {account.scratch_schema}.mine",
            )


def test_the_service_keeps_the_ledger_and_can_neither_change_nor_decide(accounts_database, new_account):
    account = new_account()
    as_service = "SET ROLE roman_accounts"
    for statement in (
        "UPDATE ops.account_usage SET seconds = 0",
        "DELETE FROM ops.account_usage",
        "UPDATE ops.account SET tier = 'consortium'",
        "UPDATE ops.account_tier SET rows = 1",
        "UPDATE ops.account_token SET digest = digest",
        "UPDATE ops.account_token SET expires_at = 'infinity'",
        "UPDATE ops.resource_request SET decision = 'approved'",
        "INSERT INTO ops.resource_request (account_id, resource, amount, reason, decision) "
        f"VALUES ({account.account_id}, 'rows', 1, 'x', 'approved')",
        "SELECT 1 FROM ops.load_run",
    ):
        with pytest.raises(psycopg2.Error, match="permission denied"):
            execute(accounts_database, as_service, statement)


def test_loaders_do_not_see_accounts(accounts_database):
    for name in _ACCOUNT_TABLES:
        with pytest.raises(psycopg2.Error, match="permission denied"):
            execute(accounts_database, "SET ROLE roman_loader", f"SELECT 1 FROM ops.{name}")
