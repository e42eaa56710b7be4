"""A database with the small sky, and a reader's connection to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace

import psycopg2
import pytest

from roman_db.tap.adql import Translation, translate
from tests.roman_db.conftest import execute, made_once, upgraded, url_of
from tests.roman_db.tap.adql.sky import CATALOG, make, statements


@pytest.fixture(scope="session")
def sky() -> SimpleNamespace:
    """The tables in numpy's words."""
    return make()


@pytest.fixture(scope="session")
def sky_database(cluster_url: str, sky: SimpleNamespace) -> str:
    """URL of a database with the small sky, for reading."""
    from roman_db import settings  # noqa: PLC0415  # the database that is being made is known only then

    def fill() -> None:
        execute(str(settings.settings().url), *statements(sky))

    return url_of(cluster_url, made_once(cluster_url, "adql_sky", fill, upgraded(cluster_url)))


@pytest.fixture(scope="session")
def reader(sky_database: str) -> Iterator[psycopg2.extensions.connection]:
    """Connection that reads as a reader does."""
    with closing(
        psycopg2.connect(sky_database, options="-c timezone=UTC -c statement_timeout=60s")
    ) as connection:
        connection.set_session(readonly=True, autocommit=True)
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE roman_reader")
        yield connection


@pytest.fixture(scope="session")
def rows_of(reader) -> Callable[[str], list[tuple]]:
    """Function that gives the rows of SQL."""

    def rows(sql: str) -> list[tuple]:
        with reader.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    return rows


@pytest.fixture(scope="session")
def ask(rows_of) -> Callable[[str], list[tuple]]:
    """Function that gives the rows of a query in ADQL."""
    return lambda query: rows_of(translation(query).sql)


def translation(query: str) -> Translation:
    """Translation of a query of the small sky."""
    return translate(query, CATALOG)
