"""What waits for the database or for a client leaves room for the rest of the service."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlsplit

import psycopg2
import pytest
import requests

from tests.roman_db.conftest import execute
from tests.roman_db.tap.service.waiting import eventually

#: More than there are threads.
_MANY = 60


@pytest.fixture
def locked(service_database: str) -> Callable[[str], object]:
    """Function whose context keeps everybody else from a table."""

    @contextmanager
    def lock(table: str) -> Iterator[None]:
        with closing(psycopg2.connect(service_database)) as connection, connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield

    return lock


@pytest.fixture
def begin(address: str) -> Iterator[Callable[[str], socket.socket]]:
    """Function that sends what it is given on a socket of its own, and does not wait."""
    where = urlsplit(address)
    with ExitStack() as stack:

        def send(text: str) -> socket.socket:
            link = socket.create_connection((where.hostname, where.port), timeout=60)
            stack.enter_context(closing(link))
            link.sendall(text.replace("\n", "\r\n").replace("HOST", where.netloc).encode())
            return link

        yield send


def answers(address: str) -> bool:
    """Whether a query is answered, for which an account and the ledger are asked as well."""
    given = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 visit_id FROM roman.visit"}
    return requests.get(f"{address}/sync", params=given, timeout=12).status_code == 200


def test_pages_that_wait_leave_room_for_queries(address, begin, locked, stored):
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%event%'"
    with locked("roman.event"):
        links = [begin("GET /events HTTP/1.1\nHost: HOST\n\n") for _ in range(_MANY)]
        assert eventually(lambda: len(stored(waiting)) == 3)
        assert answers(address)
        assert requests.get(f"{address.removesuffix('/tap')}/account", timeout=12).status_code == 200
    assert links[0].recv(2**10).startswith(b"HTTP/1.1 200")


def test_a_description_of_tables_that_waits_leaves_room_for_others(address, begin, locked):
    with locked("tap_schema.tables"):
        link = begin("GET /tap/tables HTTP/1.1\nHost: HOST\n\n")
        assert requests.get(f"{address}/capabilities", timeout=12).status_code == 200
        assert answers(address)
    assert link.recv(2**10).startswith(b"HTTP/1.1 200")


def test_tables_that_are_not_sent_leave_room_for_queries(address, begin):
    head = (
        "POST /tap/sync HTTP/1.1\nHost: HOST\nContent-Length: 10000\n"
        "Content-Type: multipart/form-data; boundary=x\n\n--x\n"
    )
    links = [begin(head) for _ in range(_MANY)]
    assert answers(address)
    for link in links:
        link.close()
    form = {"LANG": "ADQL", "QUERY": "SELECT a FROM TAP_UPLOAD.mine", "UPLOAD": "mine,param:mine"}
    answer = requests.post(f"{address}/sync", data=form, files={"mine": ("a.csv", b"a\n7\n")}, timeout=60)
    assert answer.status_code == 200


def test_the_description_of_tables_is_that_of_now(address, service_database):
    """What is made once is made anew when something is listed, and when it is not any more."""
    name = "later_release"
    execute(
        service_database,
        f"INSERT INTO tap_schema.schemas (schema_name) VALUES ('{name}')",
        "INSERT INTO tap_schema.tables (schema_name, table_name, table_type) "
        f"VALUES ('{name}', '{name}.star', 'table')",
        "INSERT INTO tap_schema.columns (table_name, column_name, datatype, principal, indexed, std) "
        f"VALUES ('{name}.star', 'magnitude', 'double', 0, 0, 0)",
    )
    try:
        assert f"{name}.star" in requests.get(f"{address}/tables", timeout=60).text
    finally:
        for table in ("columns", "tables"):
            execute(service_database, f"DELETE FROM tap_schema.{table} WHERE table_name = '{name}.star'")
        execute(service_database, f"DELETE FROM tap_schema.schemas WHERE schema_name = '{name}'")
    assert name not in requests.get(f"{address}/tables", timeout=60).text


def test_those_who_wait_for_a_job_hear_of_what_others_do_with_it(address, service_database):
    form = {"LANG": "ADQL", "QUERY": "SELECT 1 AS a FROM roman.visit"}
    job = requests.post(f"{address}/async", data=form, timeout=60).url
    heard: list[str] = []

    def wait() -> None:
        heard.append(requests.get(job, params={"WAIT": "-1"}, timeout=60).text)

    threads = [threading.Thread(target=wait) for _ in range(5)]
    for one in threads:
        one.start()
    execute(
        service_database,
        f"UPDATE uws.job SET phase = 'ABORTED', end_time = now() WHERE job_id = '{job.rpartition('/')[2]}'",
    )
    for one in threads:
        one.join(30)
    assert len(heard) == 5
    assert all("ABORTED" in text for text in heard)
