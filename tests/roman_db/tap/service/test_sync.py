"""How /sync behaves: limits, errors, clients that go, clients that wait."""

from __future__ import annotations

import gzip
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import pyvo
import requests

from tests.roman_db.tap.service.awkward import N_ROW
from tests.roman_db.tap.service.conftest import N_CONNECTION

#: Connections of the service; the owner's engine is for its own rows.
_BACKENDS = """
    SELECT pid, usename FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'COPY%clients%'
"""


@pytest.mark.parametrize(("maxrec", "n_row"), [(0, 0), (1, 1), (N_ROW - 1, N_ROW - 1)])
def test_overflow_is_said_where_there_are_more_rows(get, maxrec, n_row):
    text = get("SELECT visit_id FROM roman.visit", MAXREC=maxrec, RESPONSEFORMAT="votable/td").text
    assert text.count("<TR>") == n_row
    assert text.index('value="OK"') < text.index("<TABLE>") < text.index('value="OVERFLOW"')


@pytest.mark.parametrize("maxrec", [N_ROW, N_ROW + 1, 10**30])
def test_overflow_is_not_said_where_there_are_none(get, maxrec):
    text = get("SELECT visit_id FROM roman.visit", MAXREC=maxrec, RESPONSEFORMAT="votable/td").text
    assert text.count("<TR>") == N_ROW
    assert "OVERFLOW" not in text


def test_top_is_no_overflow(get):
    assert "OVERFLOW" not in get("SELECT TOP 3 visit_id FROM roman.visit", MAXREC=3).text


def test_many_rows_come_in_blocks_that_fit_together(get, stored):
    query = "SELECT a.visit_id AS one, b.visit_id AS other FROM roman.visit AS a, roman.visit AS b, {} AS c"
    lines = get(query.format("roman.visit") + " WHERE c.visit_id IS NOT NULL", RESPONSEFORMAT="tsv").content
    assert lines.count(b"\n") >= N_ROW**3


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT objct_id FROM roman.object", "line 1, column 8: there is no column objct_id"),
        ("SELECT object_id\nFORM roman.object", "line 2, column 1"),
        ("SELECT rolname FROM pg_catalog.pg_roles", "there is no table pg_catalog.pg_roles"),
        ("SELECT 2147483647 + n FROM (SELECT 1 AS n FROM roman.visit) AS t", "integer out of range"),
        (
            f"SELECT TIMESTAMP('2027-02-01T00:00:00.{'9' * 200}') AS t FROM roman.visit",
            'timestamp with time zone: "2027-02-01T00:00:00.9999',
        ),
        (
            "SELECT a.visit_id FROM roman.visit AS a FULL JOIN roman.visit AS b ON a.visit_id < b.visit_id",
            "FULL JOIN needs a condition that says which columns are equal",
        ),
    ],
)
def test_an_error_says_the_place_and_nothing_of_ours(get, query, words):
    response = get(query)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/x-votable+xml"
    assert '<INFO name="QUERY_STATUS" value="ERROR">' in response.text
    assert words in response.text
    assert not any(word in response.text for word in ("Traceback", "SQLSTATE", "LIMIT", "/work", ".py"))


def test_pyvo_tells_of_an_error(service):
    with pytest.raises(pyvo.dal.DALQueryError, match="there is no table objects"):
        service.search("SELECT object_id FROM objects")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"LANG": "SQL"}, "LANG must be"),
        ({"QUERY": " "}, "QUERY is missing"),
        ({"MAXREC": "-1"}, "MAXREC must be"),
        ({"MAXREC": "many"}, "MAXREC must be"),
        ({"RESPONSEFORMAT": "word"}, "RESPONSEFORMAT"),
        ({"REQUEST": "getCapabilities"}, "REQUEST must be"),
        ({"UPLOAD": "mine,http://localhost/"}, "only public addresses on the usual ports are asked"),
        ({"UPLOAD": "mine,param:file"}, "there is no part 'file' in the request"),
        ({"UPLOAD": "my table,param:file"}, "a table is called by letters"),
        ({"maxrec": "1", "MAXREC": "2"}, "MAXREC is given twice"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(get, parameters, words):
    response = get("SELECT visit_id FROM roman.visit", **parameters)
    assert response.status_code == 400
    assert words in response.text


def test_a_form_is_as_good_as_an_address(get, address):
    form = {"lang": "adql-2.1", "Query": "SELECT visit_id FROM roman.visit", "format": "csv"}
    posted = requests.post(f"{address}/sync", data=form, timeout=60)
    assert posted.content == get(form["Query"], RESPONSEFORMAT="csv").content
    assert posted.headers["content-type"] == "text/csv;header=present;charset=UTF-8"


@pytest.mark.parametrize("name", ["csv", "tsv"])
def test_text_says_of_which_characters_it_is(address, name):
    """Clients that hear nothing of it guess: requests, on which pyvo stands, takes text for Latin-1."""
    query = "SELECT TOP 1 'Käse, łódź' AS name FROM roman.visit"
    given = {"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": name}
    answer = requests.get(f"{address}/sync", params=given, timeout=60)
    assert "Käse, łódź" in answer.text
    raw = pyvo.dal.TAPService(address).create_query(query, format=name).execute_raw()
    assert raw == answer.content
    words = [part for key, value in given.items() for part in ("--data-urlencode", f"{key}={value}")]
    asked = ["curl", "-s", "-w", "%{content_type}", f"{address}/sync", *words]
    content = subprocess.run(asked, capture_output=True, check=True).stdout
    assert content == answer.content + answer.headers["content-type"].encode()
    assert content.endswith(b";charset=UTF-8")


def test_gzip_is_used_where_it_is_taken(address):
    parameters = {"LANG": "ADQL", "QUERY": "SELECT visit_id FROM roman.visit"}
    bodies = []
    for encoding in ("gzip", "identity"):
        headers = {"Accept-Encoding": encoding}
        with requests.get(
            f"{address}/sync", params=parameters, headers=headers, stream=True, timeout=60
        ) as response:
            bodies.append(response.raw.read(decode_content=False))
    assert gzip.decompress(bodies[0]) == bodies[1]


@pytest.mark.heavy
def test_two_hundred_clients_wait_for_four_places_and_are_all_served(get, stored):
    query = "SELECT COUNT(*) AS clients FROM roman.visit AS a, roman.visit AS b"
    with ThreadPoolExecutor(200) as pool:
        asked = [pool.submit(get, query, RESPONSEFORMAT="csv") for _ in range(200)]
        most = 0
        while not all(one.done() for one in asked):
            most = max(most, len(stored(_BACKENDS)))
            time.sleep(0.1)
        texts = [one.result().text for one in asked]
    assert texts == [f'"clients"\n{N_ROW**2}\n'] * 200
    assert 0 < most <= N_CONNECTION


def test_a_query_runs_after_the_server_has_ended_its_connection(get, stored):
    query = "SELECT TOP 1 visit_id FROM roman.visit"
    assert get(query).status_code == 200
    stored(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert get(query).status_code == 200


def test_the_address_is_that_of_a_service(address):
    assert urlsplit(address).path == "/tap"
