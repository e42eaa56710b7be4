"""The portal over a small survey, and a browser that reaches nothing else."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, sync_playwright

from roman_db.accounts.account import Account
from roman_db.accounts.account_store import NewAccount, create_account
from roman_db.accounts.token_store import create_token
from roman_db.portal.page import BUNDLE
from roman_db.portal.sign_in import COOKIE
from tests.queries.conftest import filled_template, own_survey, survey  # noqa: F401  # fixtures
from tests.queries.filling import make_survey
from tests.roman_db.conftest import forget, made_once, point_at, url_of
from tests.roman_db.portal.filling import fill
from tests.roman_db.tap.service.conftest import served

#: Names that distributions give the browser.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: Nothing but this machine has an address; the view of the sky draws without a graphics card.
_ARGUMENTS = (
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--enable-unsafe-swiftshader",
)


@pytest.fixture(scope="session")
def portal_database(cluster_url: str, filled_template) -> str:  # noqa: F811
    """URL of the database that the portal shows."""
    return url_of(cluster_url, made_once(cluster_url, "portal", fill, filled_template[0]))


@pytest.fixture(scope="session")
def portal(portal_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the portal."""
    assert (BUNDLE / "frame.js").is_file(), "make setup makes what browsers load"
    folder: Path = tmp_path_factory.mktemp("jobs")
    # What is on the path of the tests, their entry points among it, is on that of the server.
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "ROMAN_DB_TAP_JOB_FOLDER": str(folder)}
    with served(portal_database, **paths) as address:
        yield address.removesuffix("/tap")


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a token, whose browser is at the portal."""

    portal: str
    account: Account
    token: str

    def ask(self, path: str, method: str = "GET", **more) -> requests.Response:
        """Ask as a page does: with the cookie, and saying where the page comes from."""
        headers = {"Origin": self.portal} | more.pop("headers", {})
        return requests.request(
            method,
            f"{self.portal}{path}",
            cookies={COOKIE: self.token},
            headers={name: value for name, value in headers.items() if value is not None},
            timeout=60,
            allow_redirects=False,
            **more,
        )


@pytest.fixture(scope="session")
def people(portal: str, portal_database: str) -> tuple[Person, Person]:
    """Two people of this process who share nothing."""
    with pytest.MonkeyPatch.context() as patch:
        point_at(portal_database, patch)
        made = []
        for person in ("ada", "bob"):
            name = f"{person}{os.getpid()}"
            account = create_account(NewAccount(name, f"{name}@example.org", "research"))
            token = create_token(account.name, ["query", "scratch", "account"], 1, "tests")[0].text
            made.append(Person(portal, account, token))
    forget()
    return made[0], made[1]


@pytest.fixture(scope="session")
def objects() -> list[int]:
    """Identifiers of the objects of the survey, in order."""
    return make_survey().object_id.tolist()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; not for the session, since the loop of Playwright keeps others from running theirs."""
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("there is no Chromium: setup/chromium.sh installs it where that is possible")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield started
        started.close()
