"""A database with a small survey in it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from roman_db import migrate

from ..roman_db.conftest import execute, forget, point_at
from .filling import Survey, fill

_count = itertools.count()


@pytest.fixture(scope="session")
def filled_template(cluster_url: str) -> Iterator[tuple[str, Survey]]:
    """Name of a filled database, to be copied or read, and what is in it."""
    name = f"filled_{os.getpid()}_{next(_count)}"
    with pytest.MonkeyPatch.context() as patch:
        point_at(_url(cluster_url, name), patch)
        migrate.upgrade()
        survey = fill()
        forget()
    yield name, survey
    forget()
    execute(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def survey(cluster_url: str, filled_template, monkeypatch: pytest.MonkeyPatch) -> Iterator[Survey]:
    """What is in the filled database, which ``roman_db`` uses until the test ends; for reading alone."""
    name, survey = filled_template
    point_at(_url(cluster_url, name), monkeypatch)
    yield survey
    forget()


@pytest.fixture
def own_survey(cluster_url: str, filled_template, monkeypatch: pytest.MonkeyPatch) -> Iterator[Survey]:
    """The same in a database of the test's own, to be changed."""
    template, survey = filled_template
    name = f"own_{os.getpid()}_{next(_count)}"
    execute(cluster_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    point_at(_url(cluster_url, name), monkeypatch)
    yield survey
    forget()
    execute(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")


def _url(cluster_url: str, name: str) -> str:
    return sa.make_url(cluster_url).set(database=name).render_as_string(hide_password=False)
