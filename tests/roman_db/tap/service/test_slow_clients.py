"""A client that hardly takes its answer, or hardly sends its table, gives its place to others."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote, urlsplit

import pytest
import requests

from tests.roman_db.tap.service.conftest import served
from tests.roman_db.tap.service.waiting import eventually

#: Clients that are slow take long.
pytestmark = pytest.mark.heavy

_FROM = "FROM " + ", ".join(f"roman.visit AS v{number}" for number in range(6))
#: Seconds for each MiB.
_PACE_S = 1


@pytest.fixture(scope="module")
def hasty(service_database, tmp_path_factory) -> Iterator[str]:
    """Address of a service with one place, that waits for nobody."""
    settings = {"ROMAN_DB_TAP_CONNECTIONS": "1", "ROMAN_DB_TAP_PACE_S": str(_PACE_S)}
    folder = str(tmp_path_factory.mktemp("jobs"))
    with served(service_database, ROMAN_DB_TAP_JOB_FOLDER=folder, **settings) as address:
        yield address


def connected(address: str) -> socket.socket:
    """Connection that takes little at a time."""
    where = urlsplit(address)
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**12)
    link.settimeout(60)
    link.connect((where.hostname, where.port))
    return link


def ask(link: socket.socket, address: str, query: str, rows: int) -> None:
    path = f"/tap/sync?LANG=ADQL&MAXREC={rows}&RESPONSEFORMAT=csv&QUERY={quote(query)}"
    link.sendall(f"GET {path} HTTP/1.1\r\nHost: {urlsplit(address).netloc}\r\n\r\n".encode())


@pytest.mark.parametrize("n_byte", [0, 1], ids=["nothing", "a byte at a time"])
def test_a_client_that_hardly_takes_its_answer_is_cut_off(hasty, backends, n_byte):
    word = f"hardly_{n_byte}"
    with closing(connected(hasty)) as link:
        ask(link, hasty, f"SELECT RAND() AS {word}, v1.visit_id AS b {_FROM}", 10**8)
        assert link.recv(2**10).startswith(b"HTTP/1.1 200")
        assert backends(word) == 1
        assert eventually(lambda: link.recv(n_byte) is not None and backends(word) == 0)
        given = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 visit_id FROM roman.visit"}
        assert requests.get(f"{hasty}/sync", params=given, timeout=60).status_code == 200


def test_a_client_that_takes_enough_gets_all_though_it_takes_long(hasty):
    """Some 4 MB at 2 MB/s at most."""
    began, received = time.monotonic(), 0
    with closing(connected(hasty)) as link:
        ask(link, hasty, f"SELECT v1.visit_id AS a, v2.visit_id AS b {_FROM}", 200_000)
        last = b""
        while part := link.recv(2**16):
            received += len(part)
            last = (last + part)[-16:]
            if last.endswith(b"0\r\n\r\n"):
                break
            time.sleep(len(part) / 2e6)
    assert last.endswith(b"0\r\n\r\n")
    assert received > 4e6
    assert time.monotonic() - began > 1.5 * _PACE_S


def test_a_table_that_hardly_comes_is_given_up(hasty):
    with closing(connected(hasty)) as link:
        head = (
            f"POST /tap/sync HTTP/1.1\r\nHost: {urlsplit(hasty).netloc}\r\nContent-Length: 1000\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
        )
        link.sendall(head.encode())
        answer = b""
        while b"</VOTABLE>" not in answer and (part := link.recv(2**16)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"comes too slowly" in answer
