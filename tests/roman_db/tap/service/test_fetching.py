"""Tables by address: from a server in this process, which alone is allowed, and from what never is."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from roman_db.service_failure import BadRequest
from roman_db.tap.uploads import fetching
from roman_db.tap.uploads.fetching import fetch, is_public
from tests.roman_db.tap.service.waiting import eventually

TABLE = b"a,b\n1,2\n"


class Handler(BaseHTTPRequestHandler):
    """A table, ways to it, and answers that are none."""

    def do_GET(self) -> None:
        """Answer by the path."""
        where = {"/once": "/table?x=1", "/round": "/round", "/private": "http://127.0.0.2:1/"}.get(self.path)
        self.send_response(302 if where else 404 if self.path == "/nothing" else 200)
        if where:
            self.send_header("Location", where)
        if encoding := {"/brotli": "br", "/packed": "gzip"}.get(self.path):
            self.send_header("Content-Encoding", encoding)
        if self.path in ("/slow_head", "/slow_body"):
            self._dribble()
            return
        self.end_headers()
        self.wfile.write(gzip.compress(TABLE) if self.path == "/packed" else TABLE)

    def _dribble(self) -> None:
        """Send one byte after another until nobody takes them."""
        if self.path == "/slow_body":
            self.end_headers()
        else:
            self.flush_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"x")
                time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def here() -> Iterator[str]:
    """Address of the server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def allowed(here):
    """What lets through that server alone."""
    own = ("127.0.0.1", int(here.rpartition(":")[2]))
    return lambda host, port: (host, port) == own


@pytest.mark.parametrize("path", ["table", "once", ""])
def test_a_table_is_fetched_also_by_a_redirection(here, allowed, path):
    assert fetch(f"{here}/{path}", 100, allowed) == TABLE


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nothing", "answers 404"),
        ("round", "leads on more than 3 times"),
        ("private", "only public addresses"),
        ("brotli", "compression"),
    ],
)
def test_what_gives_no_table_is_refused(here, allowed, path, words):
    with pytest.raises(BadRequest, match=words):
        fetch(f"{here}/{path}", 100, allowed)


def test_a_packed_table_is_fetched_as_it_comes(here, allowed):
    assert gzip.decompress(fetch(f"{here}/packed", 100, allowed)) == TABLE


@pytest.mark.parametrize("path", ["slow_head", "slow_body"])
def test_what_comes_too_slowly_is_given_up(here, allowed, path, monkeypatch):
    """Each byte comes in time, and the whole never."""
    monkeypatch.setattr(fetching, "_WHOLE_S", 0.5)
    with pytest.raises(BadRequest, match=r"takes longer than 0\.5 s"):
        fetch(f"{here}/{path}", 10**6, allowed)


def test_too_many_bytes_are_refused(here, allowed):
    assert fetch(f"{here}/table", len(TABLE), allowed) == TABLE
    with pytest.raises(BadRequest, match=f"more than {len(TABLE) - 1} bytes"):
        fetch(f"{here}/table", len(TABLE) - 1, allowed)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
     "2002:7f00:1::", "ff02::1"],
)  # fmt: skip
def test_addresses_that_are_not_public_are_never_asked(host):
    assert not is_public(host, 80)


def test_public_addresses_are_asked_on_usual_ports():
    assert is_public("8.8.8.8", 80)
    assert is_public("2620:fe::fe", 443)
    assert not is_public("8.8.8.8", 22)


def test_a_name_with_one_private_address_is_not_asked(here, monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(fetching.socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(fetching.socket, "create_connection", lambda *_: pytest.fail("it was asked"))
    with pytest.raises(BadRequest, match="only public addresses"):
        fetch("http://example.org/table", 100)


@pytest.mark.parametrize(
    "url", ["http:///table", "http://name:word@8.8.8.8/", "http://[::1", "http://127.0.0.1:99999/"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(BadRequest, match="cannot be fetched"):
        fetch(url, 100)


@pytest.mark.parametrize("path", ["sync", "async"])
def test_the_service_asks_no_neighbour(address, here, path):
    given = {"LANG": "ADQL", "QUERY": "SELECT * FROM TAP_UPLOAD.mine", "UPLOAD": f"mine,{here}/table"}
    if path == "sync":
        answer = requests.post(f"{address}/sync", data=given, timeout=60)
        assert answer.status_code == 400
    else:
        job = requests.post(f"{address}/async", data=given | {"PHASE": "RUN"}, timeout=60).url
        assert eventually(lambda: requests.get(f"{job}/phase", timeout=60).text == "ERROR")
        answer = requests.get(f"{job}/error", timeout=60)
    assert "only public addresses" in answer.text
