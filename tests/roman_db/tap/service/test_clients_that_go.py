"""A client that goes takes its query with it, whether it waits, is served or stands in the queue."""

from __future__ import annotations

import socket
from contextlib import closing
from urllib.parse import quote, urlsplit

import pytest

from tests.roman_db.tap.service.waiting import eventually

#: About 10^10 rows.
_FROM = "FROM " + ", ".join(f"roman.visit AS v{number}" for number in range(6))


@pytest.fixture
def ask(address):
    """Function that sends a query over a socket of its own and does not wait."""
    where = urlsplit(address)

    def send(query: str, format_: str = "csv") -> socket.socket:
        link = socket.create_connection((where.hostname, where.port), timeout=60)
        path = f"{where.path}/sync?LANG=ADQL&MAXREC=100000000&RESPONSEFORMAT={format_}&QUERY={quote(query)}"
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        return link

    return send


@pytest.mark.parametrize("format_", ["csv", "votable", "parquet"])
def test_a_query_ends_when_its_client_goes_in_mid_stream(ask, backends, format_):
    word = f"stream_{format_}"
    with closing(ask(f"SELECT RAND() AS {word}, v1.visit_id AS b {_FROM}", format_)) as link:
        received = link.recv(2**16)
        assert received.startswith(b"HTTP/1.1 200")
        while len(received) < 2**12 and (more := link.recv(2**16)):
            received += more
        assert backends(word) == 1
    assert eventually(lambda: backends(word) == 0)


def test_a_query_ends_when_its_client_goes_before_the_first_row(ask, backends):
    with closing(ask(f"SELECT TOP 1 v0.visit_id AS sorted_rows {_FROM} ORDER BY v5.visit_id || v0.visit_id")):
        assert eventually(lambda: backends("sorted_rows") == 1)
    assert eventually(lambda: backends("sorted_rows") == 0)


def test_a_client_that_goes_while_it_waits_is_never_served(ask, backends, get):
    """Four places are taken; the fifth goes; when places are free, its query does not run."""
    running = [ask(f"SELECT COUNT(*) AS taken {_FROM}") for _ in range(4)]
    assert eventually(lambda: backends("taken") == 4)
    ask(f"SELECT COUNT(*) AS waits {_FROM}").close()
    for link in running:
        link.close()
    assert eventually(lambda: backends("taken") == 0)
    assert get("SELECT TOP 1 visit_id FROM roman.visit").status_code == 200
    assert backends("waits") == 0
