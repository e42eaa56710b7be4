"""The service in a process of its own, over a database with a small survey and rows of awkward values."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import psycopg2.extras
import pytest
import pyvo
import requests

from tests.docs.pages import ROOT
from tests.queries.conftest import filled_template  # noqa: F401  # fixture
from tests.roman_db.conftest import copy_database, made_once, url_of
from tests.roman_db.tap.service.awkward import fill_awkward
from tests.roman_db.tap.service.prepared import prepared

#: Queries that the service runs at the same time.
N_CONNECTION = 4
_SERVE = "from roman_db.tap.commands import serve; serve()"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the garbage collector close sockets: pyvo leaves those of some answers open, for any later test."""
    left = pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    )
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(left)


@pytest.fixture(scope="session")
def service_template(cluster_url: str, filled_template) -> str:  # noqa: F811
    """Name of a database with rows of awkward values, to be copied and not used."""
    from roman_db import settings  # noqa: PLC0415  # the database that is being made is known only then

    def fill() -> None:
        fill_awkward(str(settings.settings().url))

    return made_once(cluster_url, "tap_service", fill, filled_template[0])


@pytest.fixture(scope="session")
def service_database(cluster_url: str, service_template: str) -> str:
    """URL of the database that is served; for reading. It goes with the server."""
    name = f"{service_template}_{os.getpid()}"
    copy_database(cluster_url, service_template, name)
    return url_of(cluster_url, name)


def start(database: str, **variables: str) -> tuple[subprocess.Popen, str]:
    """Process and address of a service with settings of its own."""
    command = [sys.executable, "-c", _SERVE, "--port", "0"]
    environment = _environment(database, variables)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        return process, process.stdout.readline().split()[-1]
    except BaseException:
        process.kill()
        process.communicate()
        raise


@contextmanager
def served(database: str, **variables: str) -> Iterator[str]:
    """Address of a service with settings of its own, while the context lasts."""
    with prepared(_environment(database, variables)) as address:
        yield address


def _environment(database: str, variables: dict[str, str]) -> dict[str, str]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("ROMAN_DB_")}
    return settings | {"ROMAN_DB_URL": database, "PYTHONPATH": str(ROOT)} | variables


@pytest.fixture(scope="session")
def job_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the results of jobs."""
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="session")
def address(service_database: str, job_folder: Path) -> Iterator[str]:
    """Address of the service."""
    limits = {"ROMAN_DB_TAP_TIMEOUT_S": "20", "ROMAN_DB_TAP_CONNECTIONS": str(N_CONNECTION)}
    with served(service_database, ROMAN_DB_TAP_JOB_FOLDER=str(job_folder), **limits) as found:
        yield found


@pytest.fixture(scope="session")
def service(address: str) -> pyvo.dal.TAPService:
    """The service as pyvo sees it."""
    return pyvo.dal.TAPService(address)


@pytest.fixture(scope="session")
def get(address: str) -> Callable[..., requests.Response]:
    """Function that asks for a query by GET."""

    def ask(query: str, **parameters: object) -> requests.Response:
        given = {"LANG": "ADQL", "QUERY": query} | parameters
        return requests.get(f"{address}/sync", params=given, timeout=60)

    return ask


@pytest.fixture(scope="session")
def stored(service_database: str) -> Callable[[str], list[dict]]:
    """Function that gives the rows of SQL, as psycopg2 has them."""

    def rows(sql: str) -> list[dict]:
        with (
            closing(psycopg2.connect(service_database, options="-c timezone=UTC")) as connection,
            connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor,
        ):
            cursor.execute(sql)
            return [dict(row) for row in cursor.fetchall()]

    return rows


@pytest.fixture(scope="session")
def backends(stored: Callable[[str], list[dict]]) -> Callable[[str], int]:
    """Function that counts the server's processes that run a query with a word in it."""

    def count(word: str) -> int:
        rows = stored(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' "
            f"AND pid <> pg_backend_pid() AND query LIKE '%{word}%'"
        )
        return len(rows)

    return count
