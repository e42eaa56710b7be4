"""Fixtures that the tests of loaders share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.faults.databases import State, copied
from tests.faults.survey import Survey, simulated
from tests.roman_db.conftest import execute

Ask = Callable[[str], list[tuple]]


@pytest.fixture(scope="session")
def survey(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Survey:
    """The simulated survey; its files are not to be changed."""
    base = tmp_path_factory.getbasetemp()
    return simulated(base.parent if hasattr(pytestconfig, "workerinput") else base)


@pytest.fixture
def new_database(cluster_url: str, survey: Survey, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a database with nothing loaded."""
    with copied(cluster_url, survey, State.NEW, monkeypatch) as url:
        yield url


@pytest.fixture
def loaded(cluster_url: str, survey: Survey, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a database with the survey's exposures and catalog."""
    with copied(cluster_url, survey, State.LOADED, monkeypatch) as url:
        yield url


@pytest.fixture
def photometered(cluster_url: str, survey: Survey, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a database in which the daily mode has photometered the survey."""
    with copied(cluster_url, survey, State.PHOTOMETERED, monkeypatch) as url:
        yield url


def asking(url: str) -> Ask:
    """Function that runs a statement and returns its rows."""
    return lambda statement: execute(url, statement)
