"""Who asks and where: tokens, what goes wrong, and what importing the client brings along."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import pyvo

from roman_db import client
from roman_db.client import (
    BadQuery,
    NotAllowed,
    NothingFound,
    NotSignedIn,
    ServiceFailed,
    Unreachable,
    connect,
)
from tests.docs.pages import ROOT

_QUERY = "SELECT object_id FROM roman.object"


@pytest.fixture
def answering():
    """Function that makes a service which gives the same answers to all, and notes what it was asked."""
    servers = []

    def serve(*answers: tuple[int, str, str]) -> tuple[str, list[BaseHTTPRequestHandler]]:
        asked: list[BaseHTTPRequestHandler] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                status, kind, body = answers[min(len(asked), len(answers) - 1)]
                asked.append(self)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body.encode())))
                self.send_header("Location" if status == 307 else "Content-Type", kind)
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/tap", asked

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def who(catalog) -> str:
    """Whom the service takes us for."""
    return catalog.session.get(f"{catalog.url}/capabilities").headers.get("X-VO-Authenticated", "nobody")


def test_a_token_signs_in_from_the_argument_and_from_the_environment(address, stored, monkeypatch):
    assert who(connect(address)) == "nobody"
    assert who(connect(address, stored.token)) == "vera"
    monkeypatch.setenv("ROMAN_TAP_URL", address + "/")
    monkeypatch.setenv("ROMAN_TAP_TOKEN", stored.token)
    assert who(connect()) == "vera"
    assert len(connect().query(_QUERY)) == 60
    assert stored.token not in repr(connect()) + repr(vars(connect().session))


def test_a_token_goes_to_its_own_service_alone(answering, stored, monkeypatch):
    elsewhere, asked_elsewhere = answering((200, "text/plain", "ok"))
    here, asked_here = answering((200, "text/plain", "ok"), (307, elsewhere, ""))
    monkeypatch.setenv("ROMAN_TAP_URL", here)
    monkeypatch.setenv("ROMAN_TAP_TOKEN", "secret")
    connect().session.get(here)
    connect().session.get(here)  # it is sent on
    connect().session.get(elsewhere)  # as links of ours may lead elsewhere
    connect(elsewhere).session.get(elsewhere)  # the token of the surroundings is for their address
    assert [one.headers["Authorization"] for one in asked_here] == ["Bearer secret"] * 2
    assert [one.headers["Authorization"] for one in asked_elsewhere] == [None] * 3


def test_a_wrong_token_is_said(address):
    with pytest.raises(NotSignedIn, match=r"401 from http.*/tap/sync.*ROMAN_TAP_TOKEN"):
        connect(address, "wrong").query(_QUERY)
    with pytest.raises(NotSignedIn):
        connect(address, "wrong").query(_QUERY, as_job=True)


def test_where_nobody_answers_it_says_what_to_do():
    with pytest.raises(
        Unreachable, match=r"nobody answers at http://127.0.0.1:9/tap/sync: start `roman-db serve`"
    ):
        connect("http://127.0.0.1:9/tap").query(_QUERY)
    with pytest.raises(Unreachable, match="timeseries"):
        connect("http://127.0.0.1:9/tap").light_curve(1)


def test_a_service_that_is_silent_is_not_waited_for_longer_than_said():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/tap"
        with pytest.raises(Unreachable, match=r"did not answer in time.*as_job=True"):
            connect(url).session.get(url, timeout=0.2)


@pytest.mark.parametrize(
    "url", ["localhost:8080", "file:///etc/passwd", "http://[::1/tap", "http://h:99999/tap"]
)
def test_an_address_that_is_none(url):
    with pytest.raises(BadQuery, match="no address"):
        connect(url)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            (403, "application/json", '{"detail": "more than your limit"}'),
            NotAllowed,
            "more than your limit.*ask for less",
        ),
        ((404, "application/json", '{"problem": "gone"}'), NothingFound, "gone.*ROMAN_TAP_URL"),
        ((404, "text/html", "<h1>no</h1>"), NothingFound, "Not Found"),
        ((413, "text/plain", "too large"), NotAllowed, "too large.*smaller table"),
        ((429, "application/json", '{"detail": "too many"}'), NotAllowed, "too many.*have ended"),
        ((500, "text/plain", "DefaultFault: x"), ServiceFailed, "x.*whoever runs it"),
        ((400, "application/x-votable+xml", "<VOTABLE"), BadQuery, "<VOTABLE"),
        ((200, "text/html", "<html>a front page</html>"), ServiceFailed, "address of TAP"),
    ],
)
def test_what_a_service_says_is_told(answering, answer, kind, said):
    url, _ = answering(answer)
    with pytest.raises(kind, match=said):
        connect(url).query(_QUERY)


def test_a_service_that_is_busy_is_asked_again(answering):
    url, asked = answering((503, "text/plain", "busy"), (200, "text/plain", "ok"))
    assert connect(url).session.get(url).text == "ok"
    assert len(asked) == 2


def test_errors_are_short_in_notebooks():
    (shown,) = NotAllowed("ask for less")._render_traceback_()
    assert shown == "NotAllowed: ask for less"


def test_importing_the_client_is_light():
    program = (
        "import json, sys; import roman_db.client; light = sorted(sys.modules); "
        "roman_db.client.connect('http://127.0.0.1:9/tap'); print(json.dumps([light, sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    imported, connected = (
        {name for name in some if not name.startswith("roman_db.client")} for some in json.loads(done.stdout)
    )
    ours = {name for name in connected if name.split(".")[0] in ("roman_db", "loaders")}
    assert ours == {"roman_db"}
    assert not {"astropy", "numpy", "pandas", "pyvo", "requests"} & imported
    heavy = {"IPython", "fastapi", "matplotlib.pyplot", "pandas", "psycopg2", "sqlalchemy", "starlette"}
    assert not heavy & connected
    assert "pyvo" in connected


def test_all_that_is_promised_is_there():
    assert {
        name for name in client.__all__ if getattr(client, name).__module__.startswith("roman_db.client")
    } == set(client.__all__)
    with pytest.raises(AttributeError, match="no attribute 'disconnect'"):
        _ = client.disconnect


def test_pyvo_has_what_is_not_here(address, stored):
    service = connect(address, stored.token).tap
    assert isinstance(service, pyvo.dal.TAPService)
    assert "roman.light_curve" in {table.name for table in service.tables}
