"""JupyterHub with the configuration of the release: it is started, and people sign in over HTTP."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from roman_db.accounts.account import Account
from roman_db.accounts.token_store import create_token, list_tokens, revoke_token
from tests.docs.pages import ROOT
from tests.roman_db.conftest import execute

pytest.importorskip("jupyterhub", reason="JupyterHub is not installed: the extra hub")
_PROXY = shutil.which("configurable-http-proxy")

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(_PROXY is None, reason="configurable-http-proxy (npm) is not on the path"),
]
_PATIENCE_S = 60.0
_CONFIGURATION = """
load_subconfig({released!r})
c.JupyterHub.bind_url = {address!r}
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.Spawner.cmd = [{python!r}, {server!r}]
c.Spawner.env_keep = ["PATH", "PYTHONPATH", "ROMAN_DB_URL"]
"""


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def eventually(question: Callable[[], bool]) -> bool:
    """Whether something becomes true within our patience."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if question():
            return True
        time.sleep(0.1)
    return False


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def hub(accounts_database: str, tmp_path_factory) -> Iterator[str]:
    """Address of a hub over the database of the tests."""
    folder = tmp_path_factory.mktemp("hub")
    address = f"http://127.0.0.1:{free_port()}"
    configuration = folder / "jupyterhub_config.py"
    configuration.write_text(
        _CONFIGURATION.format(
            released=str(ROOT / "deploy" / "jupyterhub" / "jupyterhub_config.py"),
            address=address,
            hub_port=free_port(),
            api_port=free_port(),
            proxy=_PROXY,
            python=sys.executable,
            server=str(Path(__file__).with_name("notebook_server.py")),
        )
    )
    environment = dict(os.environ) | {"ROMAN_DB_URL": accounts_database, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "jupyterhub", "-f", str(configuration)]
    log = (folder / "hub.log").open("w")
    with log, subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process:
        try:
            assert eventually(lambda: answers(f"{address}/hub/login")), (folder / "hub.log").read_text()[
                -3000:
            ]
            yield address
        finally:
            process.terminate()
            process.wait(60)


def sign_in(hub: str, name: str, token: str) -> requests.Session:
    """Fill in the form of the hub as a browser does."""
    session = requests.Session()
    session.get(f"{hub}/hub/login", timeout=30)
    form = {"username": name, "password": token, "_xsrf": session.cookies.get("_xsrf", path="/hub/")}
    session.post(f"{hub}/hub/login?next=/hub/home", data=form, timeout=30)
    return session


def who(hub: str, session: requests.Session) -> str | None:
    """Name under which a session has signed in."""
    home = session.get(f"{hub}/hub/home", timeout=30)
    if "/hub/login" in home.url:
        return None
    return home.text.partition('user: "')[2].partition('"')[0]


@pytest.fixture
def person(new_account) -> tuple[Account, str]:
    """An account, and a token of it for notebooks."""
    account = new_account()
    return account, create_token(account.name, ["notebook"], 5)[0].text


def test_name_and_token_sign_in(hub, person):
    account, token = person
    assert who(hub, sign_in(hub, account.name, token)) == account.name
    assert who(hub, sign_in(hub, f" {account.name} ", f"{token} ")) == account.name


def test_nothing_else_does(hub, person, new_account, accounts_database):
    account, token = person
    other = new_account()
    no_notebook = create_token(account.name, ["query"], 5)[0].text
    revoked = create_token(account.name, ["notebook"], 5)[0]
    revoke_token(revoked.token_id)
    late = new_account()
    of_late = create_token(late.name, ["notebook"], 5)[0].text
    execute(
        accounts_database,
        "UPDATE ops.account SET renewed_at = now() - INTERVAL '2 days', expires_at = now() "
        f"WHERE name = '{late.name}'",
    )
    attempts = [
        (account.name, "password"),
        (account.name, ""),
        ("", token),
        (other.name, token),
        (account.name, no_notebook),
        (account.name, revoked.text),
        (late.name, of_late),
        ("anonymous", ""),
    ]
    assert [who(hub, sign_in(hub, *attempt)) for attempt in attempts] == [None] * len(attempts)


def test_a_notebook_server_has_a_token_of_its_own_for_as_long_as_it_runs(hub, person):
    account, token = person
    session = sign_in(hub, account.name, token)
    server = f"{hub}/user/{account.name}/"
    session.get(f"{hub}/hub/spawn", timeout=60)
    assert eventually(lambda: "json" in session.get(server, timeout=30).headers["Content-Type"])
    said = session.get(server, timeout=30).json()
    assert (said["name"], said["scopes"]) == (account.name, ["query", "scratch"])
    assert said["tap_url"].endswith("/tap")
    newest = list_tokens(account.name)[0]
    assert (newest.description, newest.revoked_at) == ("notebook server", None)
    xsrf = session.cookies.get("_xsrf", path="/hub/")
    stop = f"{hub}/hub/api/users/{account.name}/server"
    headers = {"X-XSRFToken": xsrf, "Referer": f"{hub}/hub/home"}
    assert session.delete(stop, headers=headers, timeout=60).status_code in (202, 204)
    assert eventually(lambda: list_tokens(account.name)[0].revoked_at is not None)


def test_a_suspended_account_starts_no_server(hub, person, accounts_database):
    account, token = person
    session = sign_in(hub, account.name, token)
    execute(accounts_database, f"UPDATE ops.account SET state = 'suspended' WHERE name = '{account.name}'")
    session.get(f"{hub}/hub/spawn", timeout=60)
    assert [one.description for one in list_tokens(account.name)] == [""]
