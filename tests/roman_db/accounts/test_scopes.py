"""Which scope a token needs at each address of the service: the table is complete, and holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from starlette.routing import Route

from roman_db.accounts.token_store import create_token
from roman_db.accounts.tokens import Scope
from roman_db.tap.application import make_application
from tests.roman_db.tap.service.conftest import served

#: Addresses by the beginning of their paths, the longest that fits counts; None where any token will do.
_SCOPES = {
    "/account": None,
    "/account/usage": Scope.QUERY,
    "/account/scratch": Scope.SCRATCH,
    "/account/tokens": Scope.ACCOUNT,
    "/account/requests": Scope.ACCOUNT,
    "/tap/sync": Scope.QUERY,
    "/tap/async": Scope.QUERY,
    "/scs": Scope.QUERY,
    "/ssa": Scope.QUERY,
    "/timeseries": Scope.QUERY,
    "/soda": Scope.QUERY,
    "/data": Scope.QUERY,
    "/datalink": Scope.QUERY,
    "/coverage": Scope.QUERY,
    "/event_curves": Scope.QUERY,
    "/portal/data": Scope.QUERY,
}
#: What anybody may see: descriptions of services, and pages, which show what is of an account by its scopes.
_OPEN = {
    "/capabilities", "/availability", "/tap/capabilities", "/tap/availability", "/tap/tables",
    "/tap/tables/{name}", "/tap/examples", "/", "/search", "/object/{object_id}", "/events",
    "/event/{event_id}", "/exposure/{exposure_id}", "/spectrum/{spectrum_id}", "/query", "/sky",
    "/operations", "/sign-in", "/sign-out", "/me", "/portal/bundle",
}  # fmt: skip
#: What addresses need to be given, without which they say so before they look at the token.
_BODIES = {
    ("POST", "/account/scratch"): {"name": "a", "query": "b"},
    ("POST", "/account/tokens"): {"scopes": ["query"]},
    ("POST", "/account/requests"): {"resource": "rows", "amount": 1, "reason": "a"},
}


def _is_open(path: str) -> bool:
    return path in _OPEN or path.endswith(("/capabilities", "/availability", "/tables"))


def _routes() -> Iterator[Route]:
    """Addresses of the application, those of its routers among them."""
    for part in make_application().routes:
        router = getattr(part, "original_router", None)
        yield from [part] if router is None else router.routes


def _guarded() -> list[tuple[str, str, Scope]]:
    """Method, path and scope of each address that needs one."""
    found = []
    for route in _routes():
        if _is_open(route.path):
            continue
        known = [one for one in _SCOPES if route.path == one or route.path.startswith(f"{one}/")]
        assert known, f"{route.path}: say here which scope it needs"
        scope = _SCOPES[max(known, key=len)]
        found += [(method, route.path, scope) for method in sorted(route.methods) if scope is not None]
    return found


@pytest.fixture(scope="module")
def root(accounts_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the service, without /tap."""
    with served(accounts_database, ROMAN_DB_TAP_JOB_FOLDER=str(tmp_path_factory.mktemp("jobs"))) as address:
        yield address.removesuffix("/tap")


def test_each_address_refuses_a_token_of_all_other_scopes(root, new_account):
    account = new_account()
    tokens = {
        scope: create_token(account.name, [one for one in Scope if one != scope], 10)[0].text
        for scope in (Scope.QUERY, Scope.SCRATCH, Scope.ACCOUNT)
    }
    guarded = _guarded()
    assert len(guarded) > 50
    for method, path, scope in guarded:
        address = root + path.replace("{", "").replace("}", "")
        for name in ("object_id", "event_id", "spectrum_id", "reference_image_id"):
            address = address.replace(f"/{name}", "/1")
        body = _BODIES.get((method, path))
        headers = {"Authorization": f"Bearer {tokens[scope]}"}
        answer = requests.request(
            method, address, headers=headers, json=body, timeout=60, allow_redirects=False
        )
        assert answer.status_code == 403, (method, path, answer.status_code, answer.text[:200])
        assert method == "HEAD" or f"this token is not for {scope}" in answer.text


def test_a_token_of_queries_finds_what_is_not_there(root, new_account):
    """So that it is the scope that the others lack."""
    token = create_token(new_account().name, ["query"], 10)[0].text
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{root}/tap/async", headers=headers, timeout=60).status_code == 200
    assert requests.get(f"{root}/tap/async/1/phase", headers=headers, timeout=60).status_code == 404
    assert requests.get(f"{root}/portal/data/jobs", headers=headers, timeout=60).json() == []
