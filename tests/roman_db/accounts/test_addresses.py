"""Who does not sign in has one day at all services on a database, also when they are started anew."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg2
import pytest
import requests

from roman_db.accounts.account import ANONYMOUS
from roman_db.accounts.client import client_name, client_of, party_of, read_key
from roman_db.accounts.usage import Entry, Kind, Outcome, write_entries
from tests.roman_db.conftest import execute
from tests.roman_db.tap.service.conftest import served
from tests.roman_db.tap.service.waiting import eventually

#: Rows of a query, and of a day.
_N_ROW, _DAY_ROWS = 5, 200
_QUERY = {
    "LANG": "ADQL", "RESPONSEFORMAT": "csv", "QUERY": f"SELECT TOP {_N_ROW} detector FROM roman.detector"
}  # fmt: skip


@pytest.fixture
def stored(accounts_database: str) -> Iterator[str]:
    """URL of a database in which nobody has used anything of this day, which has few rows."""
    execute(
        accounts_database,
        "TRUNCATE ops.address_usage, ops.account_usage",
        f"UPDATE ops.account_tier SET day_rows = {_DAY_ROWS} WHERE tier = 'anonymous'",
    )
    yield accounts_database
    execute(accounts_database, "UPDATE ops.account_tier SET day_rows = 200000000 WHERE tier = 'anonymous'")


def _note(client: str | None, n_row: int) -> None:
    """Write that somebody who has not signed in was given some rows in half a second."""
    now = datetime.now(UTC)
    write_entries([Entry(ANONYMOUS, Kind.SYNC, Outcome.DONE, now, now, now, 0.5, n_row, 0, client=client)])


def _ask(address: str) -> int:
    return requests.get(f"{address}/sync", params=_QUERY, timeout=60).status_code


@pytest.mark.heavy
def test_two_services_and_those_after_them_count_the_rows_of_an_address_together(stored, tmp_path):
    folder = {"ROMAN_DB_TAP_JOB_FOLDER": str(tmp_path)}
    with served(stored, **folder) as first, served(stored, **folder) as second:
        n_query = _DAY_ROWS // _N_ROW
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(_ask, [first, second] * (n_query // 2)))
        assert answers == [200] * n_query
        used = "SELECT count(*), sum(n_row), bool_and(seconds > 0) FROM ops.address_usage"
        assert eventually(lambda: execute(stored, used) == [(1, _DAY_ROWS, True)])
    with served(stored, **folder) as address:
        refused = requests.get(f"{address}/sync", params=_QUERY, timeout=60)
    assert refused.status_code == 429
    assert execute(stored, "SELECT client FROM ops.address_usage") == [
        (client_name("127.0.0.1", read_key()),)
    ]
    assert f"your address has used {_DAY_ROWS} of the {_DAY_ROWS} rows of a day" in refused.text


def test_nobody_makes_the_digest_of_an_address_without_the_key(stored):
    assert client_name("127.0.0.1", "another key") != client_name("127.0.0.1", read_key())
    may = "SELECT has_table_privilege('{}', 'ops.service_key', 'SELECT')"
    for role, expected in (("roman_accounts", True), ("roman_loader", False), ("roman_reader", False)):
        assert execute(stored, may.format(role)) == [(expected,)]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002:0000:0000:0000:0009", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ("192.0.2.7", "192.0.2.8", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("fe80::1%eth0", "2001:db8::1", False),
        ("testclient", "another", False),
    ],
)
def test_a_client_of_ipv6_is_its_network_and_one_of_ipv4_its_address(one, other, is_same):
    assert (client_name(one, "key") == client_name(other, "key")) is is_same


def test_days_before_are_dropped_and_count_for_nothing(stored):
    yesterday = "date_trunc('day', now(), 'UTC') - interval '1 s'"
    execute(
        stored,
        f"INSERT INTO ops.address_usage SELECT {yesterday}, 'x' || n, 9, 1 FROM generate_series(1, 3) AS n",
    )
    _note("x1", 3)
    _note("x1", 4)
    _note(None, 50)
    assert execute(stored, "SELECT client, n_row, seconds FROM ops.address_usage") == [("x1", 7, 1.0)]
    assert execute(stored, "SELECT count(*) FROM ops.account_usage") == [(3,)]


def test_a_day_that_another_service_is_about_to_drop_is_not_waited_for(stored):
    """Both would drop the same rows at midnight, in whatever order."""
    execute(stored, "INSERT INTO ops.address_usage VALUES ('2020-01-01 00:00Z', 'x', 1, 1)")
    with psycopg2.connect(stored) as other, other.cursor() as cursor:
        cursor.execute("SELECT FROM ops.address_usage FOR UPDATE")
        _note("y", 1)
        assert execute(stored, "SELECT client FROM ops.address_usage ORDER BY 1") == [("x",), ("y",)]
    other.close()
    _note("y", 1)
    assert execute(stored, "SELECT client, n_row FROM ops.address_usage") == [("y", 2)]


def test_parties_that_are_addresses_are_told_from_accounts():
    assert client_of(party_of("0a1b")) == "0a1b"
    assert client_of("account 7") is client_of(None) is None
