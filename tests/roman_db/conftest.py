"""A database at this release's schema for each test, copied from one that was upgraded once."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
import pytest
import sqlalchemy as sa

from roman_db import migrate, session, settings

_count = itertools.count()


def point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``roman_db`` use a database, forgetting the one before."""
    monkeypatch.setenv("ROMAN_DB_URL", url)
    forget()


def forget() -> None:
    """Close the connections of ``roman_db`` and forget its settings."""
    session.disconnect()
    settings.settings.cache_clear()


@pytest.fixture(scope="session")
def upgraded_template(cluster_url: str) -> Iterator[str]:
    """Name of a database at this release's schema, to be copied and not used."""
    name = f"template_{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        point_at(sa.make_url(cluster_url).set(database=name).render_as_string(False), patch)
        migrate.upgrade()
        forget()
    yield name
    forget()
    # Where another folder's tests import this fixture, both use the same database and drop it at the end.
    execute(cluster_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def databases(
    cluster_url: str, template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], str]]:
    """Make databases at this release's schema, which ``roman_db`` uses from then on; drop them at the end."""
    made = []

    def make() -> str:
        made.append(f"upgraded_{os.getpid()}_{next(_count)}")
        execute(cluster_url, f"CREATE DATABASE {made[-1]} TEMPLATE {template}")
        url = sa.make_url(cluster_url).set(database=made[-1]).render_as_string(False)
        point_at(url, monkeypatch)
        return url

    yield make
    forget()
    for name in made:
        execute(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def new_database(
    cluster_url: str, upgraded_template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], str]]:
    """Function that makes a database and gives its URL."""
    with databases(cluster_url, upgraded_template, monkeypatch) as make:
        yield make


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """URL of a new database at this release's schema, which ``roman_db`` uses until the test ends."""
    return new_database()


@pytest.fixture
def bare_database(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a new database with nothing in it, which ``roman_db`` uses until the test ends."""
    point_at(empty_database, monkeypatch)
    yield empty_database
    forget()


def execute(url: str, *statements: str) -> list[tuple]:
    """Run statements one by one, each committed, on a connection of their own; return the last one's rows."""
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
