"""The services over the small survey, in a process of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.queries.conftest import filled_template, own_survey, survey  # noqa: F401  # fixtures
from tests.queries.filling import Survey
from tests.roman_db.conftest import copy_database, url_of
from tests.roman_db.tap.service.conftest import served
from tests.roman_db.vo.vo_lint import lint


@pytest.fixture(scope="session")
def truth(filled_template) -> Survey:  # noqa: F811
    """What is in the database that is served."""
    return filled_template[1]


@pytest.fixture(scope="session")
def database(cluster_url: str, filled_template) -> str:  # noqa: F811
    """URL of the database that is served."""
    name = f"vo_{os.getpid()}"
    copy_database(cluster_url, filled_template[0], name)
    return url_of(cluster_url, name)


@pytest.fixture(scope="session")
def address(database: str) -> Iterator[str]:
    """Address of the services."""
    with served(database, ROMAN_DB_TAP_TIMEOUT_S="20", ROMAN_DB_TAP_CONNECTIONS="4") as found:
        yield found.removesuffix("/tap")


@pytest.fixture(scope="session")
def get(address: str) -> Callable[..., requests.Response]:
    """Function that asks a service by GET."""

    def ask(path: str, **parameters: object) -> requests.Response:
        return requests.get(f"{address}/{path}", params=parameters, timeout=60)

    return ask


@pytest.fixture
def valid(tmp_path: Path) -> Callable[..., None]:
    """Function that has STILTS look at a VOTable, where it is installed, and astropy in any case."""

    def check(content: bytes, has_ucd1: bool = False) -> None:
        assert lint(content, tmp_path / "answer.vot", has_ucd1) == []

    return check
