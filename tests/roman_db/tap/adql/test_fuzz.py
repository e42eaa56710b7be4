"""Queries written at random, whole and broken: what reaches the database is one SELECT that only reads.

What SQL does is told by PostgreSQL's own parser (`sql_check`), by the planner, and for what is cheap by
running it: as a reader, in a transaction that may write. `make test` sees the same examples each time; others
come with ``make test-all``, and as many as wanted with ``--hypothesis-profile long``.
"""

from __future__ import annotations

from contextlib import closing
from random import Random

import psycopg2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from roman_db.service_failure import Failure
from roman_db.tap.adql import AdqlError
from roman_db.tap.server_words import from_server

from .conftest import translation
from .grammar import Writer
from .hostile_pieces import PIECES, changed, with_word_replaced
from .sql_check import problems
from .test_hostile import OURS

#: Cost, in the planner's units, above which a query is planned and not run: what takes some 0.1 s.
_CHEAP = 30_000
#: A seed cannot be made simpler.
_CHECKS = {"deadline": None, "phases": (Phase.generate,), "suppress_health_check": list(HealthCheck)}
_QUICK = settings(max_examples=150, **_CHECKS)
_LONG = settings(max_examples=max(4000, settings.default.max_examples), **_CHECKS)
_SEED = st.integers(0, 2**62)
_EVERYTHING = """
    SELECT md5(string_agg(md5(t::text), '' ORDER BY t::text)) FROM (
        SELECT to_jsonb(s) AS t FROM sky.star AS s UNION ALL SELECT to_jsonb(m) FROM sky.measure AS m
        UNION ALL SELECT to_jsonb(u) FROM sky.upload_17 AS u UNION ALL SELECT to_jsonb(o) FROM sky.one AS o
    ) AS everything
"""


@pytest.fixture(scope="module")
def writer(sky_database):
    """Connection of a reader that nothing but its rights keeps from writing; no row is another after it."""
    options = "-c timezone=UTC -c statement_timeout=20s"
    with (
        closing(psycopg2.connect(sky_database, options=options)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(_EVERYTHING)
        before = cursor.fetchall()
        cursor.execute("SET ROLE roman_reader")
        connection.commit()
        yield connection
        connection.rollback()
        cursor.execute("RESET ROLE")
        cursor.execute(_EVERYTHING)
        assert cursor.fetchall() == before


def carried_out(connection, sql: str) -> list[tuple] | None:
    """Rows of SQL; None where it is dear or its values are at fault. Nothing else may be wrong with it."""
    failure = None
    try:
        with connection.cursor() as cursor:
            return _rows(cursor, sql)
    except psycopg2.Error as error:
        failure = error
    finally:
        connection.rollback()
    assert type(from_server(str(failure), 20)) is not Failure, failure
    return None


def _rows(cursor, sql: str) -> list[tuple] | None:
    cursor.execute("EXPLAIN (FORMAT JSON) " + sql)
    ((plan,),) = cursor.fetchall()
    if plan[0]["Plan"]["Total Cost"] > _CHEAP:
        return None
    cursor.execute(sql)
    rows = cursor.fetchall()
    cursor.execute("SELECT pg_current_xact_id_if_assigned()")
    assert cursor.fetchone() == (None,), "the query wrote something"
    return rows


def ask(connection, text: str) -> bool:
    """Whether a text is taken for a query, which then is harmless and runs; refused, it is with a reason."""
    try:
        sql = translation(text).sql
    except AdqlError as error:
        message = str(error)
        assert not any(piece in message and piece not in text for piece in OURS)
        assert len(message) < 1000
        return False
    assert problems(sql) == []
    carried_out(connection, sql)
    return True


def whole(connection, random: Random) -> None:
    """Write a query and ask it."""
    ask(connection, Writer(random).query())


def broken(connection, random: Random) -> None:
    """Write a query, change letters of it, and ask it."""
    ask(connection, changed(Writer(random).query(), random))


def poisoned(connection, random: Random) -> None:
    """Write a query, put hostile pieces in the place of words, and ask it."""
    ask(connection, with_word_replaced(Writer(random).query(), random))


def quoted(connection, random: Random) -> None:
    """Hostile pieces in quotes are texts and names, and come back to the letter."""
    text = "".join(PIECES[random.randrange(len(PIECES))] for _ in range(random.randint(1, 3)))[:60]
    inner, outer = text.replace("'", "''"), text.replace('"', '""')
    query = (
        f"""SELECT '{inner}' AS "{outer}" FROM sky.one AS "{outer}" WHERE "{outer}".x = 1 OR '' = '{inner}'"""
    )
    if not ask(connection, query):
        assert "\0" in text or "\udc80" in text or len(text.encode()) > 63, text
        return
    rows = carried_out(connection, translation(query).sql)
    assert rows == [(text,)]


_WAYS = (whole, broken, poisoned, quoted)


@pytest.mark.parametrize("way", _WAYS)
def test_nothing_but_a_select_reaches_the_database(writer, way):
    @_QUICK
    @given(_SEED)
    def check(seed: int) -> None:
        way(writer, Random(seed))

    check()


@pytest.mark.heavy
@pytest.mark.timeout(0)
@pytest.mark.parametrize("way", _WAYS)
def test_nothing_but_a_select_reaches_the_database_in_many_tries(writer, way):
    @_LONG
    @given(_SEED)
    def check(seed: int) -> None:
        way(writer, Random(seed))

    check()


@pytest.mark.heavy
def test_most_of_what_is_written_is_run(writer):
    """The tries would find nothing if all were refused or too dear."""
    accepted = [ask(writer, Writer(Random(seed)).query()) for seed in range(200)]
    assert sum(accepted) > 180
    rows = [carried_out(writer, translation(Writer(Random(seed)).query()).sql)
            for seed, is_accepted in enumerate(accepted) if is_accepted]  # fmt: skip
    assert sum(one is not None for one in rows) > 100
    assert sum(bool(one) for one in rows) > 40


@pytest.mark.parametrize("sql", ["SELECT password FROM sky.secret", "SELECT hidden_column FROM sky.star",
                                 "SELECT s FROM sky.star AS s", "SELECT pg_read_file('/etc/passwd')",
                                 "UPDATE sky.one SET x = 2"])  # fmt: skip
def test_the_reader_is_refused_what_is_not_in_the_catalog(writer, sql):
    with pytest.raises(AssertionError, match="permission denied"):
        carried_out(writer, sql)


def test_writing_would_be_seen(writer):
    with pytest.raises(AssertionError, match="the query wrote something"):
        carried_out(writer, "SELECT pg_current_xact_id()")
