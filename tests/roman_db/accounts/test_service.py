"""Accounts over HTTP, before a service in a process of its own: signing in, limits, fairness, the ledger."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import quote, urlsplit

import pytest
import pyvo
import requests
from astropy.io.votable import parse as parse_votable

from roman_db.accounts import request_store
from roman_db.accounts.token_store import create_token
from roman_db.accounts.usage import usage
from tests.roman_db.conftest import execute
from tests.roman_db.tap.service.conftest import served

#: Places of the service: one account may hold one of them.
_PLACES = 2
#: Seconds in which what is to happen must have happened; none passes where it happens at once.
_PATIENCE_S = 20.0
#: A query that runs until it is ended: some 10^10 rows are counted.
_ENDLESS = "SELECT COUNT(*) AS {} FROM " + ", ".join(f"roman.detector AS d{n}" for n in range(8))
_SHORT = "SELECT detector FROM roman.detector"
_SCOPES = ["query", "scratch", "account"]


@pytest.fixture(scope="module")
def root(accounts_database: str, tmp_path_factory) -> Iterator[str]:
    """Address of the service, without /tap."""
    limits = {"ROMAN_DB_TAP_CONNECTIONS": str(_PLACES), "ROMAN_DB_TAP_TIMEOUT_S": "30"}
    folder = str(tmp_path_factory.mktemp("jobs"))
    with served(accounts_database, ROMAN_DB_TAP_JOB_FOLDER=folder, **limits) as address:
        yield address.removesuffix("/tap")


class Person:
    """Somebody with an account and a token."""

    def __init__(self, account, root: str) -> None:
        self.account = account
        self.token = create_token(account.name, _SCOPES, 10)[0].text
        self.root = root
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def ask(self, query: str, **parameters) -> requests.Response:
        """Ask for a query in CSV."""
        given = {"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "csv"} | parameters
        return self.session.get(f"{self.root}/tap/sync", params=given, timeout=60)

    def begin(self, query: str) -> socket.socket:
        """Ask on a socket of its own, and do not wait."""
        where = urlsplit(self.root)
        link = socket.create_connection((where.hostname, where.port), timeout=60)
        path = f"/tap/sync?LANG=ADQL&RESPONSEFORMAT=csv&QUERY={quote(query)}"
        head = f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        link.sendall(head.encode())
        return link

    def used(self, n_query: int = 0) -> dict[str, tuple[int, int, int]]:
        """Queries, rows and bytes of the ledger by outcome, once so many are there; they come late."""
        assert eventually(lambda: sum(n for n, _, _ in self._sums().values()) >= n_query)
        return self._sums()

    def _sums(self) -> dict[str, tuple[int, int, int]]:
        sums: dict[str, tuple[int, int, int]] = {}
        for row in usage(self.account.account_id, 1):  # one a kind and outcome
            before = sums.get(row["outcome"], (0, 0, 0))
            counts = (row["n_query"], row["n_row"], row["n_byte"])
            sums[row["outcome"]] = tuple(map(sum, zip(before, counts, strict=True)))
        return sums


@pytest.fixture
def person(root, new_account):
    """Function that makes somebody in a tier."""
    return lambda tier="entry", team=None: Person(new_account(tier, team), root)


def eventually(question) -> bool:
    """Whether something becomes true within our patience."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if question():
            return True
        time.sleep(0.02)
    return False


def challenges(response: requests.Response) -> list[str]:
    return response.raw.headers.getlist("WWW-Authenticate")


def test_bearer_basic_and_nobody_are_answered_alike_and_told_who_they_are(person, root):
    ada = person()
    bearer = ada.ask(_SHORT)
    given = {"LANG": "ADQL", "QUERY": _SHORT, "RESPONSEFORMAT": "csv"}
    sync = f"{root}/tap/sync"
    basic = requests.get(sync, params=given, auth=(ada.account.name, ada.token), timeout=60)
    nobody = requests.get(sync, params=given, timeout=60)
    assert bearer.text == basic.text == nobody.text
    assert len(bearer.text.splitlines()) == 19
    for response in (bearer, basic):
        assert response.headers["X-VO-Authenticated"] == ada.account.name
        assert challenges(response) == []
    assert "X-VO-Authenticated" not in nobody.headers
    assert [one.split()[0] for one in challenges(nobody)] == ["Bearer", "Basic"]


def test_credentials_that_do_not_sign_in_are_refused_alike_with_challenges(person, root, accounts_database):
    ada, bea = person(), person()
    expired = create_token(ada.account.name, ["query"], 10)[0]
    execute(
        accounts_database,
        "UPDATE ops.account_token SET created_at = now() - INTERVAL '2 days', expires_at = now() "
        f"WHERE token_id = '{expired.token_id}'",
    )
    name = ada.account.name
    attempts = [
        {"headers": {"Authorization": "Bearer nonsense"}},
        {"headers": {"Authorization": f"Bearer {expired.text}"}},
        {"headers": {"Authorization": "Digest abc"}},
        {"headers": {"Authorization": "Basic §".encode("latin-1")}},
        {"auth": (name, "password")},
        {"auth": (name, bea.token)},
        {"auth": (name, "x" * 5000)},
    ]
    kinds = {"/tap/sync": "votable", "/account": "json", "/account/tokens": "json", "/soda/sync": "plain"}
    for place, kind in kinds.items():
        answers = set()
        for attempt in attempts:
            parameters = {"LANG": "ADQL", "QUERY": _SHORT}
            response = requests.get(root + place, params=parameters, timeout=60, **attempt)
            assert response.status_code == 401
            assert [one.split()[0] for one in challenges(response)] == ["Bearer", "Basic"]
            assert kind in response.headers["content-type"]
            answers.add(response.text)
        assert len(answers) == 1


def test_pyvo_signs_in_with_name_and_token(person, root):
    ada = person()
    service = pyvo.dal.TAPService(f"{root}/tap", session=_basic(ada.account.name, ada.token))
    assert len(service.search(_SHORT)) == 18
    wrong = pyvo.dal.TAPService(f"{root}/tap", session=_basic(ada.account.name, "wrong"))
    with pytest.raises(pyvo.DALQueryError, match="do not sign in"):
        wrong.search(_SHORT)
    assert ada.used(1)["done"][:2] == (1, 18)


def _basic(name: str, token: str) -> requests.Session:
    session = requests.Session()
    session.auth = (name, token)
    return session


def test_the_ledger_is_what_ran(person):
    """Rows that were given, bytes that went over the wire, and what failed."""
    ada = person()
    n_byte = 0
    for top in (1, 5, 18):
        response = ada.ask(f"SELECT TOP {top} detector FROM roman.detector")
        n_byte += int(response.headers["content-length"])
    failed = ada.ask("SELECT 2147483647 + n FROM (SELECT 1 AS n FROM roman.detector) AS t")
    assert failed.status_code == 400
    assert ada.ask("SELECT nothing FROM nowhere").status_code == 400  # is refused before it runs: no use
    used = ada.used(4)
    assert used["done"] == (3, 24, n_byte)
    assert used["failed"] == (1, 0, int(failed.headers["content-length"]))


def test_rows_beyond_the_limit_are_cut_and_that_is_said(person, accounts_database):
    ada = person("consortium", "small-answers")
    execute(accounts_database, "UPDATE ops.account_tier SET rows = 7 WHERE tier = 'consortium'")
    try:
        response = ada.ask(_SHORT, MAXREC=100, RESPONSEFORMAT="votable/td")
        assert response.text.count("<TR>") == 7
        assert 'value="OVERFLOW"' in response.text
        request_store.approve(request_store.ask(ada.account.name, "rows", 12, "more"), "operator", 1)
        assert ada.ask(_SHORT, RESPONSEFORMAT="votable/td").text.count("<TR>") == 12
    finally:
        execute(accounts_database, "UPDATE ops.account_tier SET rows = 1000000000 WHERE tier = 'consortium'")


def test_who_has_not_renewed_is_told_to_and_who_lacks_a_scope_too(person, accounts_database):
    ada = person()
    execute(
        accounts_database,
        "UPDATE ops.account "
        "SET renewed_at = now() - INTERVAL '2 days', expires_at = now() - INTERVAL '1 day' "
        f"WHERE name = '{ada.account.name}'",
    )
    response = ada.ask(_SHORT)
    assert response.status_code == 403
    assert "was to be renewed by" in response.text
    assert ada.session.get(f"{ada.root}/account", timeout=60).json()["name"] == ada.account.name
    bea = person()
    notebook = create_token(bea.account.name, ["notebook"], 10)[0].text
    bea.session.headers["Authorization"] = f"Bearer {notebook}"
    response = bea.ask(_SHORT)
    assert (response.status_code, "not for query" in response.text) == (403, True)
    assert ada.used() == bea.used() == {}


def running(url: str, word: str) -> list[tuple]:
    """Processes of the server that run a query with a word in it."""
    query = f"""
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'active' AND query LIKE '%{word}%'
            AND pid <> pg_backend_pid()
    """
    return execute(url, query)


def test_one_heavy_account_does_not_starve_the_rest(person, accounts_database):
    """Eight endless queries of one account; others, and those who do not sign in, are served meanwhile."""
    heavy, light = person("consortium", "greedy"), person()
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(closing(heavy.begin(_ENDLESS.format("greedy"))))
        assert eventually(lambda: len(running(accounts_database, "greedy")) == 1)
        for _ in range(5):
            assert light.ask(_SHORT).status_code == 200
            assert len(running(accounts_database, "greedy")) == 1
    assert eventually(lambda: not running(accounts_database, "greedy"))
    assert light.used(5)["done"][:2] == (5, 90)
    assert heavy.used(8)["cancelled"][0] == 8


def test_an_account_runs_no_more_queries_than_it_may_and_others_wait_their_turn(person, accounts_database):
    """Two members of a team have one limit between them."""
    one, other = (person("team", "together") for _ in range(2))
    endless = _ENDLESS.format("shared")
    with closing(one.begin(endless)) as first, closing(other.begin(endless)) as second:
        assert eventually(lambda: len(running(accounts_database, "shared")) == 1)
        assert person().ask(_SHORT).status_code == 200
        assert len(running(accounts_database, "shared")) == 1
        for link in (first, second):  # neither has ended to make room
            link.setblocking(False)
            with pytest.raises(BlockingIOError):
                link.recv(1)
    assert eventually(lambda: not running(accounts_database, "shared"))


def keep(person: Person, name: str, query: str) -> requests.Response:
    wish = {"name": name, "query": query}
    return person.session.post(f"{person.root}/account/scratch", json=wish, timeout=60)


def test_a_result_is_kept_and_asked_again_by_its_owner_and_the_team_alone(person, root):
    ada, mate, stranger = person("entry", "keepers"), person("entry", "keepers"), person()
    made = keep(ada, "wfi", "SELECT TOP 9 detector, 2 * 3.5 AS x FROM roman.detector ORDER BY detector")
    assert (made.status_code, made.json()["n_row"]) == (201, 9)
    table = f"mydb_{ada.account.name}.wfi"
    query = f"SELECT w.detector, w.x FROM {table} AS w JOIN roman.detector AS d ON d.detector = w.detector"
    for reader in (ada, mate):
        lines = sorted(reader.ask(query).text.split())
        assert lines[:9] == [f'"WFI{number:02d}",7' for number in range(1, 10)]
        names = [one["schema"] + "." + one["name"] for one in reader.session.get(_scratch(root)).json()]
        assert names == [table]
    nobody = requests.get(f"{root}/tap/sync", params={"LANG": "ADQL", "QUERY": query}, timeout=60)
    for response in (stranger.ask(query), nobody):
        assert response.status_code == 400
        assert "wfi" in response.text
    assert ada.used(2)["done"][:2] == (2, 18)
    assert stranger.used() == {}
    assert mate.session.delete(_scratch(root) + "/wfi", timeout=60).status_code == 404
    assert ada.session.delete(_scratch(root) + "/wfi", timeout=60).status_code == 204
    assert ada.ask(query).status_code == 400


def _scratch(root: str) -> str:
    return f"{root}/account/scratch"


def test_a_kept_column_has_the_type_unit_and_meaning_that_it_had(person):
    ada = person()
    columns = "ra, dec, object_id, psf_flux"
    source = "roman.object JOIN roman.object_flux USING (object_id)"
    assert keep(ada, "kept", f"SELECT {columns} FROM {source}").status_code == 201
    first = ada.ask(f"SELECT {columns} FROM {source}", RESPONSEFORMAT="votable/td").text
    again = ada.ask(f"SELECT {columns} FROM mydb_{ada.account.name}.kept", RESPONSEFORMAT="votable/td").text
    assert _fields(first) == _fields(again)
    assert len(_fields(first)) == 4


def _fields(votable: str) -> list[tuple]:
    """Names, types, units, UCDs and descriptions of the columns of a VOTable."""
    table = parse_votable(io.BytesIO(votable.encode())).get_first_table()
    return [
        (f.name, f.datatype, f.arraysize, f.xtype, str(f.unit), f.ucd, f.description) for f in table.fields
    ]


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [
        ("Bad name", _SHORT, "a table's name"),
        ("a", "SELECT nothing FROM roman.detector", "nothing"),
        ("a", "DROP TABLE roman.detector", ""),
        ("a", "SELECT * FROM mydb_somebody.else", ""),
        ("a", "SELECT pg_sleep(1) AS a FROM roman.detector", ""),
    ],
)
def test_tables_that_cannot_be_are_refused(person, name, query, words):
    ada = person()
    response = keep(ada, name, query)
    assert response.status_code == 400
    assert words in response.json()["detail"]
    assert ada.session.get(_scratch(ada.root), timeout=60).json() == []


def test_a_query_that_fails_while_it_is_kept_says_so_without_words_of_ours(person):
    ada = person()
    response = keep(ada, "a", "SELECT 2147483647 + n AS a FROM (SELECT 1 AS n FROM roman.detector) AS t")
    assert (response.status_code, response.json()) == (400, {"detail": "integer out of range"})
    assert ada.used(1) == {"failed": (1, 0, 0)}


def test_the_ledger_and_the_day_have_what_was_kept_and_what_was_not(person, accounts_database):
    execute(accounts_database, "UPDATE ops.account_tier SET day_rows = 36 WHERE tier = 'research'")
    ada = person("research")
    kept = [keep(ada, f"t{number}", _SHORT) for number in range(2)]
    assert [one.status_code for one in kept] == [201, 201]
    refused = keep(ada, "t2", _SHORT)
    execute(accounts_database, "UPDATE ops.account_tier SET day_rows = 1000000000 WHERE tier = 'research'")
    assert (refused.status_code, "has used 36 of the 36 rows" in refused.text) == (429, True)
    n_byte = sum(one.json()["n_byte"] for one in kept)
    assert ada.used(2) == {"done": (2, 36, n_byte)}
    assert ada.session.get(f"{ada.root}/account/usage", timeout=60).json()["scratch_bytes"] == n_byte


def test_scratch_tables_take_an_account_and_the_scope(person, root):
    ada = person()
    only_query = create_token(ada.account.name, ["query"], 10)[0].text
    ada.session.headers["Authorization"] = f"Bearer {only_query}"
    assert keep(ada, "a", _SHORT).status_code == 403
    wish = {"name": "a", "query": _SHORT}
    assert requests.post(_scratch(root), json=wish, timeout=60).status_code == 401


def run_job(person: Person, query: str) -> requests.Response:
    """The job of a query when it has ended."""
    given = {"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "csv", "PHASE": "RUN"}
    made = person.session.post(f"{person.root}/tap/async", data=given, timeout=60)
    return person.session.get(made.url, params={"WAIT": "30", "PHASE": "QUEUED"}, timeout=60)


def test_a_job_is_its_accounts_and_is_written_to_the_ledger(person, root):
    ada, bea = person(), person()
    job = run_job(ada, _SHORT)
    place = job.url.partition("?")[0]
    assert eventually(lambda: "COMPLETED" in ada.session.get(f"{place}/phase", timeout=60).text)
    result = ada.session.get(f"{place}/results/result", timeout=60)
    assert result.text == ada.ask(_SHORT).text
    key = place.rsplit("/", 1)[1]
    assert key in ada.session.get(f"{root}/tap/async", timeout=60).text
    assert key not in bea.session.get(f"{root}/tap/async", timeout=60).text
    assert bea.session.get(place, timeout=60).status_code == 404
    assert requests.get(place, timeout=60).status_code == 404
    ada.used(2)
    sums = {row["kind"]: (row["n_row"], row["n_byte"]) for row in usage(ada.account.account_id, 1)}
    assert sums["async"] == (18, len(result.content))
    assert sums["sync"][0] == 18


def test_a_job_reads_what_was_kept(person):
    ada = person()
    keep(ada, "kept", "SELECT TOP 4 detector FROM roman.detector ORDER BY detector")
    place = run_job(ada, f"SELECT COUNT(*) AS n FROM mydb_{ada.account.name}.kept").url.partition("?")[0]
    assert eventually(lambda: "COMPLETED" in ada.session.get(f"{place}/phase", timeout=60).text)
    assert ada.session.get(f"{place}/results/result", timeout=60).text.split()[-1] == "4"


def test_a_job_of_an_account_that_has_not_renewed_is_refused_whenever_it_comes(person, accounts_database):
    """When it is made, and when one that was made before is to run."""
    ada = person()
    given = {"LANG": "ADQL", "QUERY": _SHORT}
    place = ada.session.post(f"{ada.root}/tap/async", data=given, timeout=60).url
    execute(
        accounts_database,
        "UPDATE ops.account SET renewed_at = now() - INTERVAL '2 days', expires_at = now() "
        f"WHERE name = '{ada.account.name}'",
    )
    refused = ada.session.post(f"{ada.root}/tap/async", data=given, timeout=60)
    assert (refused.status_code, "was to be renewed by" in refused.text) == (403, True)
    ada.session.post(f"{place}/phase", data={"PHASE": "RUN"}, timeout=60)
    assert eventually(lambda: "ERROR" in ada.session.get(f"{place}/phase", timeout=60).text)
    assert "was to be renewed by" in ada.session.get(f"{place}/error", timeout=60).text
    assert ada.used() == {}


def test_an_account_sees_and_changes_what_is_its_own(person):
    ada, bea = person(), person()
    place = f"{ada.root}/account"
    me = ada.session.get(place, timeout=60).json()
    assert (me["name"], me["tier"], me["scopes"]) == (ada.account.name, "entry", sorted(_SCOPES))
    assert me["limits"]["sky_area"] == 5
    wish = {"scopes": ["query"], "days": 3, "description": "script"}
    made = ada.session.post(f"{place}/tokens", json=wish, timeout=60)
    assert made.status_code == 201
    script = requests.Session()
    script.headers["Authorization"] = f"Bearer {made.json()['token']}"
    assert script.get(place, timeout=60).json()["scopes"] == ["query"]
    assert script.get(f"{place}/tokens", timeout=60).status_code == 403
    listed = ada.session.get(f"{place}/tokens", timeout=60)
    assert made.json()["token"] not in listed.text
    assert made.json()["token_id"] in listed.text
    one = f"{place}/tokens/{made.json()['token_id']}"
    assert bea.session.delete(one, timeout=60).status_code == 404
    assert script.get(place, timeout=60).status_code == 200
    assert ada.session.delete(one, timeout=60).status_code == 204
    assert script.get(place, timeout=60).status_code == 401


def test_exceptional_resources_are_asked_for_and_usage_is_shown(person):
    ada = person()
    place = f"{ada.root}/account"
    wish = {"resource": "sky_area", "amount": 100, "reason": "a whole field"}
    number = ada.session.post(f"{place}/requests", json=wish, timeout=60).json()["resource_request_id"]
    request_store.approve(number, "operator", 30)
    assert ada.session.get(place, timeout=60).json()["limits"]["sky_area"] == 100
    (shown,) = ada.session.get(f"{place}/requests", timeout=60).json()
    assert (shown["decision"], shown["granted"]) == ("approved", 100)
    ada.ask(_SHORT)
    ada.used(1)
    shown = ada.session.get(f"{place}/usage", timeout=60).json()
    assert [(row["kind"], row["n_query"], row["n_row"]) for row in shown["queries"]] == [("sync", 1, 18)]
    assert ada.session.get(f"{place}/scratch", timeout=60).json() == []


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"resource": "gold", "amount": 1, "reason": "x"}, 422),
        ({"resource": "rows", "amount": -1, "reason": "x"}, 422),
        ({"resource": "rows", "amount": 1e30, "reason": "x"}, 422),
        ({"resource": "rows", "amount": 1, "reason": "x"}, 400),
        ({"resource": "rows", "amount": 1e9, "reason": ""}, 422),
        ({}, 422),
    ],
)
def test_requests_that_make_no_sense_are_refused(person, wish, status):
    ada = person()
    assert ada.session.post(f"{ada.root}/account/requests", json=wish, timeout=60).status_code == status
    assert ada.session.get(f"{ada.root}/account/requests", timeout=60).json() == []


def test_a_form_of_another_page_makes_no_token(person):
    """A browser sends what it was given for Basic with forms of any page, which can't be JSON."""
    ada = person()
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        headers = {"Content-Type": kind}
        text = '{"scopes": ["account"]}'
        response = ada.session.post(f"{ada.root}/account/tokens", data=text, headers=headers, timeout=60)
        assert response.status_code == 422
    assert len(ada.session.get(f"{ada.root}/account/tokens", timeout=60).json()) == 1


def test_those_who_do_not_sign_in_see_limits_and_no_more(root):
    me = requests.get(f"{root}/account", timeout=60).json()
    assert (me["name"], me["is_anonymous"], me["limits"]["scratch_bytes"]) == ("anonymous", True, 0)
    for place in ("usage", "scratch", "tokens", "requests"):
        response = requests.get(f"{root}/account/{place}", timeout=60)
        assert response.status_code == 401
        assert len(challenges(response)) == 2
