"""The portal over a small survey, and a browser that reaches nothing else."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from roman_db.portal.page import BUNDLE
from tests.queries.conftest import filled_template  # noqa: F401  # fixture
from tests.queries.filling import make_survey
from tests.roman_db.conftest import made_once, url_of
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
def portal(cluster_url: str, filled_template) -> Iterator[str]:  # noqa: F811
    """Address of the portal."""
    assert (BUNDLE / "frame.js").is_file(), "make setup makes what browsers load"
    database = url_of(cluster_url, made_once(cluster_url, "portal", fill, filled_template[0]))
    # What is on the path of the tests, their entry points among it, is on that of the server.
    with served(database, PYTHONPATH=os.pathsep.join(sys.path)) as address:
        yield address.removesuffix("/tap")


@pytest.fixture(scope="session")
def objects() -> list[int]:
    """Identifiers of the objects of the survey, in order."""
    return make_survey().object_id.tolist()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("there is no Chromium: setup/chromium.sh installs it where that is possible")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield started
        started.close()
