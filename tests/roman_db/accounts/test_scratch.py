"""Scratch tables: kept, shared with a team, and never more than the quota."""

import threading

import psycopg2
import pytest

from roman_db.accounts import scratch, team_store
from roman_db.accounts.account_store import close_account, move_account
from roman_db.accounts.scratch import drop_table, save_query, scratch_bytes, scratch_tables
from roman_db.service_failure import BadRequest, Forbidden, NotFound, TooMuch
from tests.roman_db.accounts.conftest import again
from tests.roman_db.conftest import execute

_ROWS = "SELECT i, repeat('x', 1000) AS filling FROM generate_series(1, {}) AS i"


def readable(url, account) -> set[str]:
    """Scratch tables that the role of an account can in fact read."""
    every = execute(url, "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname LIKE 'mydb%'")
    found = set()
    for (name,) in every:
        try:
            execute(url, f"SET ROLE {account.scratch_schema}", f"SELECT * FROM {name} LIMIT 1")
        except psycopg2.errors.InsufficientPrivilege:
            continue
        found.add(name)
    return found


def listed(account) -> set[str]:
    return {f"{one['schema']}.{one['name']}" for one in scratch_tables(account)}


def test_a_table_holds_what_the_query_gave_and_goes_again(accounts_database, new_account):
    account = new_account()
    saved = save_query(account, "bright", "SELECT detector, '100%' AS sign FROM roman.detector")
    name = f"{account.scratch_schema}.bright"
    kept = execute(accounts_database, f"SELECT detector FROM {name} ORDER BY 1")
    assert kept == execute(accounts_database, "SELECT detector FROM roman.detector ORDER BY 1")
    size = execute(accounts_database, f"SELECT pg_total_relation_size('{name}')")[0][0]
    assert (saved.n_row, saved.n_byte) == (18, size)
    assert scratch_bytes(account) == size
    with pytest.raises(BadRequest, match="has a table 'bright'"):
        save_query(account, "bright", "SELECT 1 AS a")
    drop_table(account, "bright")
    assert (scratch_tables(account), scratch_bytes(account)) == ([], 0)
    with pytest.raises(NotFound):
        drop_table(account, "bright")


@pytest.mark.parametrize("name", ["", "A", "a b", 'a"; DROP', "1a", "a" * 64, "pg.a", "ä"])
def test_names_that_are_none_are_refused(new_account, name):
    account = new_account()
    with pytest.raises(BadRequest, match="a table's name"):
        save_query(account, name, "SELECT 1 AS a")
    with pytest.raises(NotFound):
        drop_table(account, name)


def test_whoever_does_not_sign_in_has_no_tables(accounts_database):
    from roman_db import session  # noqa: PLC0415  # beside its one use
    from roman_db.accounts.account_store import find_account  # noqa: PLC0415

    with session.transaction(session.Role.ACCOUNTS) as connection:
        anonymous = find_account(connection, account_id=0)
    with pytest.raises(Forbidden):
        save_query(anonymous, "a", "SELECT 1 AS a")


@pytest.fixture
def small(accounts_database):
    """Function that leaves a tier with room for bytes and rows, until the test ends."""
    before = execute(accounts_database, "SELECT tier, scratch_bytes, rows FROM ops.account_tier")

    def limit(tier: str, n_byte: int = 10**9, n_row: int = 10**6) -> None:
        change = f"UPDATE ops.account_tier SET scratch_bytes = {n_byte}, rows = {n_row} WHERE tier = '{tier}'"
        execute(accounts_database, change)

    yield limit
    for tier, n_byte, n_row in before:
        limit(tier, n_byte, n_row)


def test_a_quota_of_bytes_holds_and_what_is_too_much_leaves_nothing(accounts_database, new_account, small):
    small("research", n_byte=2_000_000)
    account = new_account("research")
    save_query(account, "first", _ROWS.format(1000))
    before = scratch_bytes(account)
    with pytest.raises(TooMuch, match="of 2,000,000 bytes: drop some"):
        save_query(account, "second", _ROWS.format(1000))
    assert (listed(account), scratch_bytes(account)) == ({f"{account.scratch_schema}.first"}, before)
    drop_table(account, "first")
    save_query(account, "second", _ROWS.format(1000))


def test_a_table_has_no_more_rows_than_an_answer(new_account, small):
    small("research", n_row=10)
    account = new_account("research")
    assert save_query(account, "ten", _ROWS.format(10)).n_row == 10
    with pytest.raises(TooMuch, match="more than the 10 rows"):
        save_query(account, "eleven", _ROWS.format(11))


def test_a_team_in_a_shared_tier_has_one_quota_and_others_of_the_team_their_own(new_account, small):
    small("team", n_byte=2_000_000)
    one, other = (new_account("team", "pooled") for _ in range(2))
    aside = new_account("entry", "pooled")
    save_query(one, "first", _ROWS.format(1000))
    assert scratch_bytes(one) == scratch_bytes(other) > 0
    assert scratch_bytes(aside) == 0
    with pytest.raises(TooMuch, match="your team's scratch tables"):
        save_query(other, "second", _ROWS.format(1000))
    save_query(aside, "second", _ROWS.format(1000))


def test_a_quota_holds_for_those_who_write_at_the_same_time(new_account, small):
    """Each of four tables fits, two do; whoever comes later sees what the others have committed."""
    small("team", n_byte=3_000_000)
    members = [new_account("team", "busy") for _ in range(4)]
    for member in members:  # schemas are made beforehand, so that the tables are made side by side
        save_query(member, "one_row", "SELECT 1 AS a")
    gate, outcomes = threading.Barrier(4), []

    def write(account) -> None:
        gate.wait()
        try:
            save_query(account, "big", _ROWS.format(1100))
            outcomes.append("saved")
        except TooMuch:
            outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["refused", "refused", "saved", "saved"]
    assert scratch_bytes(members[0]) <= 3_000_000


def test_team_mates_read_each_others_tables_and_nobody_elses(accounts_database, new_account):
    ada, bea, eve = new_account("entry", "lenses"), new_account("research", "lenses"), new_account()
    save_query(ada, "before", "SELECT 1 AS a")
    save_query(bea, "hers", "SELECT 1 AS a")
    save_query(eve, "own", "SELECT 1 AS a")
    save_query(ada, "after", "SELECT 1 AS a")
    of_ada = {f"{ada.scratch_schema}.before", f"{ada.scratch_schema}.after"}
    of_bea, of_eve = {f"{bea.scratch_schema}.hers"}, {f"{eve.scratch_schema}.own"}
    for account, expected in ((ada, of_ada | of_bea), (bea, of_ada | of_bea), (eve, of_eve)):
        assert readable(accounts_database, account) == listed(account) == expected
    with pytest.raises(psycopg2.Error, match="permission denied"):
        execute(
            accounts_database, f"SET ROLE {bea.scratch_schema}", f"DELETE FROM {ada.scratch_schema}.before"
        )
    move_account(eve.name, "entry", "lenses")
    assert readable(accounts_database, eve) == of_ada | of_bea | of_eve
    assert readable(accounts_database, ada) == of_ada | of_bea | of_eve
    move_account(ada.name, "entry", None)
    assert readable(accounts_database, ada) == listed(ada) == of_ada
    assert readable(accounts_database, bea) == of_bea | of_eve
    team_store.share_scratch("lenses", False)
    assert readable(accounts_database, bea) == of_bea
    assert readable(accounts_database, eve) == of_eve
    team_store.share_scratch("lenses", True)
    assert readable(accounts_database, bea) == of_bea | of_eve
    close_account(eve.name)
    assert readable(accounts_database, bea) == of_bea


def test_who_moves_to_another_tier_has_its_role_alone(accounts_database, new_account):
    account = new_account()
    save_query(account, "a", "SELECT 1 AS a")
    member_of = f"""
        SELECT granted.rolname::text
        FROM pg_auth_members AS m JOIN pg_roles AS granted ON granted.oid = m.roleid
        WHERE m.member = '{account.scratch_schema}'::regrole
    """
    assert execute(accounts_database, member_of) == [("roman_tier_entry",)]
    move_account(account.name, "research", None)
    assert execute(accounts_database, member_of) == [("roman_tier_research",)]


def test_a_closed_account_leaves_neither_tables_nor_a_role(accounts_database, new_account):
    account = new_account()
    save_query(account, "a", "SELECT 1 AS a")
    close_account(account.name)
    gone = f"SELECT count(*) FROM pg_namespace WHERE nspname = '{account.scratch_schema}'"
    role = f"SELECT count(*) FROM pg_roles WHERE rolname = '{account.scratch_schema}'"
    assert execute(accounts_database, gone) == execute(accounts_database, role) == [(0,)]
    assert scratch.scratch_tables(again(account)) == []


def test_a_table_tells_of_no_more_sky_than_an_answer_may(accounts_database, new_account):
    """As many square degrees as it has rows here; what is refused leaves nothing."""
    account = new_account("research")
    most = int(account.limits.sky_area)
    saved = save_query(account, "some", _ROWS.format(most), area="CAST(count(DISTINCT i) AS float)")
    assert saved.sky_area == most
    with pytest.raises(TooMuch, match=f"processes {most + 1} deg2"):
        save_query(account, "many", _ROWS.format(most + 1), area="CAST(count(DISTINCT i) AS float)")
    assert listed(account) == {f"{account.scratch_schema}.some"}
