"""Behind a proxy: whose word about the scheme is taken, and which addresses documents then hold."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import requests

from tests.roman_db.tap.service.conftest import served
from tests.roman_db.tap.service.waiting import eventually

#: What a proxy that ends TLS passes on.
_FORWARDED = {
    "Host": "roman.example.org",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "elsewhere.example.org",
}
_NAMESPACES = ("http://www.ivoa.net/", "http://www.w3.org/")
_QUERY = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 object_id FROM roman.object", "PHASE": "RUN"}


def _asked(address: str, method: str, path: str, **more) -> requests.Response:
    return requests.request(method, address + path, headers=_FORWARDED, timeout=60, **more)


def _capabilities(address: str, object_id: int) -> str:
    return _asked(address, "GET", "/tap/capabilities").text


def _link_capabilities(address: str, object_id: int) -> str:
    return _asked(address, "GET", "/datalink/capabilities").text


def _links(address: str, object_id: int) -> str:
    return _asked(address, "GET", "/datalink", params={"ID": str(object_id)}).text


def _new_job(address: str, object_id: int) -> str:
    return _asked(address, "POST", "/tap/async", data=_QUERY, allow_redirects=False).headers["location"]


def _job(address: str, object_id: int) -> str:
    job = "/tap" + _new_job(address, object_id).rpartition("/tap")[2]
    assert eventually(lambda: _asked(address, "GET", f"{job}/phase").text == "COMPLETED")
    return _asked(address, "GET", job).text


#: Documents in which addresses of the service stand.
_DOCUMENTS = (_capabilities, _link_capabilities, _links, _new_job, _job)


def _roots(text: str) -> set[str]:
    """Schemes and hosts of all addresses of a text that are not names of standards."""
    found = re.findall(r"https?://[^\s\"'<>]+", text)
    return {"/".join(one.split("/")[:3]) for one in found if not one.startswith(_NAMESPACES)}


@pytest.fixture(scope="module")
def trusting(database: str):
    """Address of a service that believes a proxy on this machine."""
    with served(database, ROMAN_DB_TAP_PROXIES="127.0.0.1, 10.0.0.0/8") as found:
        yield found.removesuffix("/tap")


@pytest.fixture(scope="module")
def distrusting(database: str):
    """Address of a service whose proxy is elsewhere, whatever the environment of uvicorn says."""
    with served(database, ROMAN_DB_TAP_PROXIES="192.0.2.1", FORWARDED_ALLOW_IPS="*") as found:
        yield found.removesuffix("/tap")


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_addresses_are_those_by_which_the_proxy_is_reached(
    trusting: str, truth, document: Callable[[str, int], str]
):
    assert _roots(document(trusting, truth.object_id[7])) == {"https://roman.example.org"}


@pytest.mark.heavy
@pytest.mark.parametrize("document", _DOCUMENTS)
def test_what_others_forward_is_ignored(distrusting: str, truth, document: Callable[[str, int], str]):
    assert _roots(document(distrusting, truth.object_id[7])) == {"http://roman.example.org"}


def test_nobody_is_believed_unless_it_is_said(address: str, truth):
    assert _roots(_capabilities(address, truth.object_id[7])) == {"http://roman.example.org"}


@pytest.mark.parametrize("scheme", ["javascript", "https://x/", 'https"><x', ""])
def test_a_scheme_that_is_none_is_ignored(trusting: str, scheme: str):
    headers = _FORWARDED | {"X-Forwarded-Proto": scheme}
    text = requests.get(f"{trusting}/tap/capabilities", headers=headers, timeout=60).text
    assert _roots(text) == {"http://roman.example.org"}


@pytest.mark.parametrize("host", ['a"><script>', "a b", "x&y;<z>", "a/../b", "", "a" * 3000])
def test_a_host_that_is_none_makes_no_other_document(address: str, host: str):
    """It comes to nothing but an address: astropy reads the document, and no element is added."""
    answer = requests.get(f"{address}/tap/capabilities", headers={"Host": host}, timeout=60)
    plain = requests.get(f"{address}/tap/capabilities", timeout=60)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert answer.text.count("<") == plain.text.count("<")
