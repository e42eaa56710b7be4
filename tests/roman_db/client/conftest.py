"""The services over a small survey with an event, an image and an account, in a process of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from roman_db import migrate
from roman_db.accounts.account_store import NewAccount, create_account
from roman_db.accounts.token_store import create_token
from roman_db.client import Catalog, connect
from tests.loaders.season.test_report import store_event
from tests.queries.conftest import filled_template  # noqa: F401  # fixture
from tests.queries.filling import DEC, RA, Survey
from tests.roman_db.client.periodic import store_periodic
from tests.roman_db.conftest import copy_database, execute, point_at, url_of
from tests.roman_db.conftest import forget as forget_database
from tests.roman_db.spectra import store_spectra
from tests.roman_db.tap.service.conftest import served
from tests.roman_db.vo.image_file import write_image


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the garbage collector close sockets: pyvo leaves those of some answers open, for any later test."""
    left = pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    )
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(left)


@dataclass(frozen=True)
class Stored:
    """What is stored beside the survey."""

    url: str
    event_id: int
    token: str


@pytest.fixture(scope="session")
def truth(filled_template) -> Survey:  # noqa: F811
    """Objects of the survey, and their fluxes."""
    return filled_template[1]


@pytest.fixture(scope="session")
def stored(
    cluster_url: str,
    filled_template,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Stored:
    """A database with an event, an account, and a file of reference image 1."""
    path = tmp_path_factory.mktemp("image") / "image.asdf"
    write_image(path, RA, DEC)
    name = f"client_{os.getpid()}"
    copy_database(cluster_url, filled_template[0], name)
    url = url_of(cluster_url, name)
    with pytest.MonkeyPatch.context() as patch:
        point_at(url, patch)
        migrate.upgrade()  # rights of a database on temporary tables are not copied with it
        event_id = store_event(filled_template[1])
        store_periodic(filled_template[1])
        survey = filled_template[1]
        store_spectra("/nowhere", int(survey.object_id[3]), (float(survey.ra[3]), float(survey.dec[3])))
        create_account(NewAccount("vera", "vera@example.org", "entry", None, None))
        token = create_token("vera", ["query"], 10)[0].text
    forget_database()
    execute(url, f"UPDATE roman.reference_image SET path = '{path}' WHERE reference_image_id = 1", "ANALYZE")
    return Stored(url, event_id, token)


@pytest.fixture(scope="session")
def address(stored: Stored, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of TAP."""
    settings = {
        "PYTHONPATH": os.pathsep.join(sys.path),  # entry points of calculations are on it
        "ROMAN_DB_TAP_JOB_FOLDER": str(tmp_path_factory.mktemp("jobs")),
        "ROMAN_DB_TAP_TIMEOUT_S": "20",
        "ROMAN_DB_TAP_CONNECTIONS": "4",
    }
    with served(stored.url, **settings) as found:
        yield found


@pytest.fixture(scope="session")
def roman(address: str) -> Catalog:
    """The catalog, asked by nobody."""
    return connect(address)
