"""Bodies that are too long are refused before they are read, and NUL wherever it comes, as a mistake."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import requests

from roman_db.tap.bounded_requests import LONGEST_BODY

_JSON = {"Content-Type": "application/json"}


@pytest.fixture
def root(address) -> str:
    """Address of the service, without /tap."""
    return address.removesuffix("/tap")


def pieces(n_byte: int) -> Iterator[bytes]:
    """A document in JSON that comes in pieces, whose length nobody is told."""
    yield b'{"scopes": ["query"], "description": "'
    for _ in range(n_byte // 2**16):
        yield b"a" * 2**16
    yield b'"}'


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/account/tokens"),
        ("POST", "/account/requests"),
        ("POST", "/account/scratch"),
        ("PUT", "/portal/data/saved_queries"),
        ("POST", "/sign-in"),
        ("POST", "/scs"),
    ],
)
def test_a_long_body_is_refused_whoever_sends_it(root, method, path):
    answer = requests.request(method, root + path, data=pieces(8 * 2**20), headers=_JSON, timeout=60)
    assert (answer.status_code, f"at most {LONGEST_BODY} bytes" in answer.text) == (413, True)


def test_a_body_that_says_how_long_it_is_is_not_waited_for(root):
    where = urlsplit(root)
    with closing(socket.create_connection((where.hostname, where.port), timeout=60)) as link:
        head = f"POST /account/tokens HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 10000000000\r\n\r\n"
        link.sendall(head.encode())
        assert link.recv(2**16).startswith(b"HTTP/1.1 413")


def test_a_body_of_the_usual_length_is_read_as_ever(root):
    """Nobody has signed in: the body came through."""
    for data in (pieces(2**17), b"".join(pieces(2**17))):
        answer = requests.post(f"{root}/account/tokens", data=data, headers=_JSON, timeout=60)
        assert (answer.status_code, "at most 200" in answer.text) == (422, True)


@pytest.mark.parametrize(
    "path",
    ["/tap/async/%00", "/tap/async/a%00b/phase", "/tap/tables/%00", "/account/scratch/%00", "/object/1%00",
     "/search?q=%00", "/tap/async?LAST=%00", "/datalink?ID=%00"],
)  # fmt: skip
def test_nul_in_an_address_is_refused(root, path):
    answer = requests.get(root + path, timeout=60)
    assert (answer.status_code, "number 0" in answer.text) == (400, True)


@pytest.mark.parametrize("path", ["/tap/sync", "/tap/async", "/coverage", "/datalink", "/sign-in"])
def test_nul_in_a_form_is_refused(root, path):
    for files in (None, {"other": ("a.csv", b"a\n1\n")}):
        given = {"LANG": "ADQL", "QUERY": "SELECT 1 AS a\0b", "ID": "\0", "RUNID": "\0"}
        answer = requests.post(root + path, data=given, files=files, timeout=60)
        assert (answer.status_code, "number 0" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("POST", "/account/tokens", {"scopes": ["query"], "description": "a\0"}),
        ("POST", "/account/requests", {"resource": "rows", "amount": 1, "reason": "\0"}),
        ("POST", "/account/scratch", {"name": "a\0", "query": "SELECT 1 AS a"}),
        ("PUT", "/portal/data/saved_queries", {"name": "a", "query": "SELECT \0"}),
    ],
)
def test_nul_in_a_document_is_refused_as_other_words_that_cannot_be(root, method, path, given):
    answer = requests.request(method, root + path, data=json.dumps(given), headers=_JSON, timeout=60)
    assert (answer.status_code, "number 0" in answer.text) == (422, True)
