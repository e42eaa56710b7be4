"""A database with a small survey in it."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ..roman_db.conftest import copy_database, execute, forget, made_once, point_at, upgraded, url_of
from .filling import Survey, fill, make_survey

_count = itertools.count()


@pytest.fixture(scope="session")
def filled_template(cluster_url: str) -> tuple[str, Survey]:
    """Name of a filled database, to be copied and not used, and what is in it."""
    return made_once(cluster_url, "filled", fill, upgraded(cluster_url)), make_survey()


@functools.cache
def _copy_to_read(server: str, template: str) -> str:
    """URL of a copy for the tests of a process that read alone; it goes with the server."""
    name = f"{template}_{os.getpid()}"
    copy_database(server, template, name)
    return url_of(server, name)


@pytest.fixture
def survey(cluster_url: str, filled_template, monkeypatch: pytest.MonkeyPatch) -> Iterator[Survey]:
    """What is in the filled database, which ``roman_db`` uses until the test ends; for reading alone."""
    name, survey = filled_template
    point_at(_copy_to_read(cluster_url, name), monkeypatch)
    yield survey
    forget()


@pytest.fixture
def own_survey(cluster_url: str, filled_template, monkeypatch: pytest.MonkeyPatch) -> Iterator[Survey]:
    """The same in a database of the test's own, to be changed; pipeline modes work in this process."""
    with copied(cluster_url, filled_template, monkeypatch) as survey:
        yield survey


@contextmanager
def copied(server: str, template: tuple[str, Survey], monkeypatch: pytest.MonkeyPatch) -> Iterator[Survey]:
    """Copy a database with what is in it for a test that changes it; pipeline modes work in this process."""
    source, survey = template
    name = f"own_{os.getpid()}_{next(_count)}"
    copy_database(server, source, name)
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    point_at(url_of(server, name), monkeypatch)
    yield survey
    forget()
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")
