"""Who has signed in on pages, and whom nobody else can have ask for them."""

import pytest
import requests
from starlette.datastructures import Headers

from roman_db.accounts import token_store
from roman_db.portal.sign_in import COOKIE, is_from_here
from tests.roman_db.conftest import execute, forget, point_at

WHO = "X-VO-Authenticated"


def post(portal: str, path: str, **more) -> requests.Response:
    """Send a form, from a page of the portal unless it says otherwise."""
    headers = {"Origin": portal} | more.pop("headers", {})
    return requests.post(f"{portal}{path}", headers=headers, timeout=60, allow_redirects=False, **more)


def test_a_token_signs_in_and_out(portal, people):
    ada, _ = people
    signed = post(portal, "/sign-in", data={"token": f" {ada.token} ", "to": "/query"})
    assert (signed.status_code, signed.headers["Location"]) == (303, "/query")
    cookie = signed.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}={ada.token};")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    page = ada.ask("/me")
    assert page.headers["Cache-Control"].startswith("private")
    for words in (f"Account {ada.account.name}", "research", "50,000,000", "100.0 GB"):
        assert words in page.text
    gone = ada.ask("/sign-out", "POST")
    assert gone.status_code == 303
    assert f'{COOKIE}=""' in gone.headers["Set-Cookie"]
    assert "Max-Age=0" in gone.headers["Set-Cookie"]


def test_what_is_no_token_does_not_sign_in(portal, people):
    for token in ("", "rdb_1", people[0].token[:-1] + ("A" if people[0].token[-1] != "A" else "B")):
        refused = post(portal, "/sign-in", data={"token": token})
        assert refused.status_code == 401
        assert "does not sign in" in refused.text
        assert "Set-Cookie" not in refused.headers
        assert "WWW-Authenticate" not in refused.headers
    anonymous = requests.get(f"{portal}/me", timeout=60, allow_redirects=False)
    assert (anonymous.status_code, anonymous.headers["Location"]) == (303, "/sign-in")


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_nowhere_else(portal, people, to):
    signed = post(portal, "/sign-in", data={"token": people[0].token, "to": to})
    assert signed.headers["Location"] == "/me"


def test_nobody_else_signs_a_browser_in_or_out(portal, people):
    ada, _ = people
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
        for path in ("/sign-in", "/sign-out"):
            answer = post(portal, path, data={"token": ada.token}, headers=headers)
            assert answer.status_code == 403
            assert "Set-Cookie" not in answer.headers


def test_the_cookie_counts_from_these_pages_alone(people):
    ada, bob = people
    name = ada.account.name
    query = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 detector FROM roman.detector", "RESPONSEFORMAT": "csv"}
    assert ada.ask("/tap/sync", params=query).headers[WHO] == name
    assert ada.ask("/tap/sync", "POST", data=query).headers[WHO] == name
    elsewhere = (
        ("GET", {"Origin": None, "Sec-Fetch-Site": "cross-site"}),
        ("GET", {"Origin": None, "Sec-Fetch-Site": "same-site"}),
        ("POST", {"Origin": None}),
        ("POST", {"Origin": "http://127.0.0.1:1"}),
    )
    for method, headers in elsewhere:
        given = {"data" if method == "POST" else "params": query}
        answer = ada.ask("/tap/sync", method, headers=headers, **given)
        assert answer.status_code == 200
        assert WHO not in answer.headers
    # A token in the header goes before the cookie.
    as_bob = ada.ask("/tap/sync", params=query, headers={"Authorization": f"Bearer {bob.token}"})
    assert as_bob.headers[WHO] == bob.account.name


def test_a_revoked_token_is_forgotten(portal, portal_database, people, monkeypatch):
    ada, _ = people
    point_at(portal_database, monkeypatch)
    token, info = token_store.create_token(ada.account.name, ["query"], 1)
    lost = type(ada)(portal, ada.account, token.text)
    assert f"Account {ada.account.name}" in lost.ask("/me").text
    token_store.revoke_token(info.token_id)
    forget()
    page = lost.ask("/")
    assert page.status_code == 200
    assert "Sign in" in page.text
    service = lost.ask("/tap/sync", params={"LANG": "ADQL", "QUERY": "SELECT 1 FROM roman.detector"})
    assert service.status_code == 401
    assert "sign in again" in service.json()["detail"]
    for answer in (page, service):
        assert "Max-Age=0" in answer.headers["Set-Cookie"]
        # Browsers would ask for a password.
        assert "WWW-Authenticate" not in answer.headers


def test_a_token_shows_what_it_is_for(portal, portal_database, people, monkeypatch):
    ada, _ = people
    point_at(portal_database, monkeypatch)
    token, _ = token_store.create_token(ada.account.name, ["query"], 1)
    forget()
    page = type(ada)(portal, ada.account, token.text).ask("/me").text
    assert "This token is not for scratch tables." in page
    assert 'id="tokens"' not in page
    assert 'id="tokens"' in ada.ask("/me").text
    point_at(portal_database, monkeypatch)
    token, _ = token_store.create_token(ada.account.name, ["account"], 1)
    forget()
    page = type(ada)(portal, ada.account, token.text).ask("/me").text
    assert "This token is not for queries" in page
    for part in ('id="jobs"', 'id="saved"', 'id="used"'):
        assert part not in page
        assert part in ada.ask("/me").text


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("POST", {"sec-fetch-site": "same-origin"}, True),
        ("POST", {"sec-fetch-site": "none"}, True),
        ("POST", {"sec-fetch-site": "cross-site", "origin": "http://a", "host": "a"}, False),
        ("POST", {"origin": "http://a:80", "host": "a:80"}, True),
        ("POST", {"origin": "http://a:81", "host": "a:80"}, False),
        ("POST", {}, False),
        ("DELETE", {}, False),
        ("GET", {}, True),
    ],
)
def test_where_a_request_comes_from(method, headers, expected):
    assert is_from_here(method, Headers(headers)) is expected


def test_saved_queries_are_of_their_account(portal, portal_database, people):
    ada, bob = people
    path, query = "/portal/data/saved_queries", "SELECT 'ü' FROM roman.object -- ½"
    for text in ("SELECT 1 FROM roman.object", query):
        assert ada.ask(path, "PUT", json={"name": "my & query", "query": text}).status_code == 200
    (kept,) = ada.ask(path).json()
    assert (kept["name"], kept["query"]) == ("my & query", query)
    assert bob.ask(path).json() == []
    assert requests.get(f"{portal}{path}", timeout=60).status_code == 401
    assert requests.put(f"{portal}{path}", json={"name": "a", "query": "b"}, timeout=60).status_code == 401
    for wrong in ({"name": "", "query": "b"}, {"name": "a" * 81, "query": "b"}, {"name": "a", "query": ""}):
        assert ada.ask(path, "PUT", json=wrong).status_code == 422
    assert ada.ask(path, "PUT", json={"name": "a", "query": "b"}, headers={"Origin": None}).status_code == 401
    assert bob.ask(path, "DELETE", params={"name": "my & query"}).status_code == 404
    assert ada.ask(path, "DELETE", params={"name": "my & query"}).status_code == 200
    assert ada.ask(path).json() == []
    # The limit of 500, but for one.
    number = ada.account.account_id
    execute(
        portal_database,
        "INSERT INTO ops.saved_query (account_id, name, query, saved_at) "
        f"SELECT {number}, 'n' || i, 'q', now() FROM generate_series(1, 500) AS i",
    )
    refused = ada.ask(path, "PUT", json={"name": "one more", "query": "q"})
    assert refused.status_code == 403
    assert ada.ask(path, "PUT", json={"name": "n7", "query": "other"}).status_code == 200
    execute(portal_database, f"DELETE FROM ops.saved_query WHERE account_id = {number}")


def test_jobs_are_listed_to_their_account(people):
    ada, bob = people
    given = {"LANG": "ADQL", "QUERY": "SELECT TOP 3 object_id FROM roman.object", "RESPONSEFORMAT": "csv"}
    made = ada.ask("/tap/async", "POST", data=given | {"RUNID": "mine"})
    job_id = made.headers["Location"].rpartition("/")[2]
    (listed,) = (one for one in ada.ask("/portal/data/jobs").json() if one["job_id"] == job_id)
    assert (listed["run_id"], listed["phase"], listed["is_active"]) == ("mine", "PENDING", True)
    assert listed["query"] == given["QUERY"]
    assert f'data-abort="{job_id}"' in ada.ask("/me").text
    assert job_id not in bob.ask("/me").text
    assert bob.ask(f"/tap/async/{job_id}/phase", "POST", data={"PHASE": "ABORT"}).status_code == 404
    ada.ask(f"/tap/async/{job_id}/phase", "POST", data={"PHASE": "ABORT"})
    (ended,) = (one for one in ada.ask("/portal/data/jobs").json() if one["job_id"] == job_id)
    assert (ended["phase"], ended["is_active"]) == ("ABORTED", False)
    ada.ask(f"/tap/async/{job_id}", "DELETE")
    assert job_id not in ada.ask("/me").text
