"""Nothing that is not ADQL becomes SQL, and what becomes SQL only reads what may be read."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from roman_db.resources import read_yaml
from roman_db.schema.adql_words import RESERVED
from roman_db.tap.adql import AdqlError

from .conftest import translation
from .sql_check import problems
from .test_corpus import QUERIES, VALUES

HOSTILE = read_yaml(Path(__file__).parent / "hostile.yaml")
#: Pieces of the SQL that translation writes, none of which may be in a message.
OURS = (
    "adql.",
    "q3c_",
    "double precision",
    "::",
    "upload_17",
    "hidden_column integer",
    "pg_temp",
    "Traceback",
)


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text)[:70] for text in HOSTILE])
def test_hostile_texts_are_refused(text):
    with pytest.raises(AdqlError) as caught:
        translation(text)
    message = str(caught.value)
    assert not any(piece in message and piece not in text for piece in OURS)
    assert len(message) < 700
    assert caught.value.line >= 1
    assert caught.value.column >= 1


def test_there_are_many_of_them():
    assert len(HOSTILE) >= 100


BOMBS = {
    "parentheses": "SELECT " + "(" * 5000 + "x" + ")" * 5000 + " FROM sky.one",
    "open parentheses": "SELECT " + "(" * 50_000,
    "subqueries": "SELECT x FROM " + "(SELECT x FROM " * 500 + "sky.one" + ") AS t" * 500,
    "scalars": "SELECT " + "(SELECT " * 500 + "x" + " FROM sky.one)" * 500 + " FROM sky.one",
    "signs": "SELECT " + "- " * 20_000 + "x FROM sky.one",
    "tildes": "SELECT " + "~" * 20_000 + "x FROM sky.one",
    "negations": "SELECT x FROM sky.one WHERE " + "NOT " * 20_000 + "x = 1",
    "sums": "SELECT " + "x + " * 20_000 + "x FROM sky.one",
    "functions": "SELECT " + "ABS(" * 2000 + "x" + ")" * 2000 + " FROM sky.one",
    "cases": "SELECT " + "CASE WHEN x = 1 THEN " * 500 + "x" + " END" * 500 + " FROM sky.one",
    "conditions": "SELECT x FROM sky.one WHERE " + "x = 1 AND " * 11_000 + "x = 1",
    "unions": "SELECT x FROM sky.one" + " UNION SELECT x FROM sky.one" * 5000,
    "tables": "SELECT COUNT(*) FROM sky.one a0" + "".join(f", sky.one a{i}" for i in range(1, 5000)),
    "joins": "SELECT COUNT(*) FROM sky.one a0" + "".join(f" CROSS JOIN sky.one a{i}" for i in range(1, 5000)),
    "columns": "SELECT " + ", ".join(["x"] * 10_000) + " FROM sky.one",
    "lists": "SELECT x FROM sky.one WHERE x IN (" + ",".join(["1"] * 200_000) + ")",
    "numbers": "SELECT " + "9" * 250_000 + " FROM sky.one",
    "decimals": "SELECT 0." + "9" * 250_000 + "e" + "9" * 1000 + " FROM sky.one",
    "strings": "SELECT '" + "a" * 400_000 + "' FROM sky.one",
    "names": "SELECT " + "a" * 250_000 + " FROM sky.one",
    "dots": "SELECT " + "a." * 20_000 + "a FROM sky.one",
    "corners": "SELECT POLYGON(" + ", ".join(["1"] * 30_001) + ") FROM sky.one",
    "tops": "SELECT TOP " + "9" * 200_000 + " x FROM sky.one",
    "hexadecimals": "SELECT 0x" + "F" * 100_000 + " FROM sky.one",
    "positions": "SELECT x FROM sky.one GROUP BY " + "1" * 5000,
    "casts": "SELECT CAST('1" + "0" * 400 + "' AS BIGINT) FROM sky.one",
    "geometries": "SELECT " + "CONTAINS(POLYGON(0, 0, 1, 0, 0, 1), CIRCLE(0, 0, " * 15 + "x" + "))" * 15
    + " FROM sky.one",
    "stars": "SELECT " + ", ".join(["*"] * 2000) + " FROM sky.star",
}  # fmt: skip


#: Those that take seconds to be refused.
_SLOW = {"open parentheses", "stars", "columns", "conditions"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name, marks=[pytest.mark.heavy] * (name in _SLOW))
        for name, text in BOMBS.items()
    ],
)
def test_bombs_are_refused(text):
    with pytest.raises(AdqlError):
        translation(text)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            "SELECT star_id FROM sky.star WHERE star_id IN (" + ", ".join(map(str, range(1, 10_001))) + ")",
            400,
        ),
        ("SELECT star_id FROM sky.star WHERE " + " OR ".join(f"star_id = {i}" for i in range(1, 901)), 400),
        ("SELECT " + " + ".join(["x"] * 900) + " FROM sky.one", 1),
        ("SELECT TOP " + "0" * 5000 + "1 x FROM sky.one", 1),
        ("SELECT " + "AREA(CIRCLE(0, 0, " * 12 + "x" + "))" * 12 + " FROM sky.one", 1),
        (
            "SELECT "
            + "CONTAINS(POLYGON(0, 0, 1, 0, 0, 1), CIRCLE(0, 0, " * 4
            + "x"
            + "))" * 4
            + " FROM sky.one",
            1,
        ),
        ("SELECT " + "(" * 25 + "x" + ")" * 25 + " FROM sky.one", 1),
        ("SELECT x FROM " + "(SELECT x FROM " * 25 + "sky.one" + ") AS t" * 25, 1),
        ("SELECT x FROM sky.one" + " UNION ALL SELECT x FROM sky.one" * 90, 91),
        (
            "SELECT a0.x FROM sky.one a0"
            + "".join(f" JOIN sky.one a{i} ON a{i}.x = a0.x" for i in range(1, 30)),
            1,
        ),
    ],
    ids=[
        "list",
        "conditions",
        "sums",
        "top",
        "areas",
        "geometries",
        "parentheses",
        "subqueries",
        "unions",
        "joins",
    ],
)
def test_long_queries_are_answered(ask, text, rows):
    assert len(ask(text)) == rows


@pytest.mark.parametrize(
    "query", [one["q"] for one in QUERIES] + [f"SELECT {v} FROM sky.one" for v, _ in VALUES]
)
def test_the_corpus_becomes_one_select_of_what_is_allowed(query):
    assert problems(translation(query).sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2", "DELETE FROM sky.star", "SELECT * FROM sky.secret", "SELECT pg_sleep(1)",
        "SELECT 'x'::regclass", "SELECT 1 INTO t", "VALUES (1)", "SELECT ROW(1)", "SELECT current_user",
    ],
)  # fmt: skip
def test_the_check_finds_what_it_looks_for(sql):
    assert problems(sql) != []


@pytest.mark.parametrize(
    "text", ["x'; DROP TABLE sky.star; --", "\\'; DROP", "\\", "%s", "%(a)s", "$1", ":a", "\n", "ü€𝄞"]
)
def test_texts_come_back_as_they_are(ask, text):
    literal = "'" + text.replace("'", "''") + "'"
    assert ask(f"SELECT {literal} AS v FROM sky.one") == [(text,)]


@pytest.mark.parametrize("name", ['a"; DROP TABLE sky.star; --', "a b", "ü", "SELECT", "%s", "a'b", "--"])
def test_names_come_back_as_they_are(reader, name):
    quoted = '"' + name.replace('"', '""') + '"'
    with reader.cursor() as cursor:
        cursor.execute(
            translation(f"SELECT t.{quoted} FROM (SELECT x AS {quoted} FROM sky.one AS {quoted}) AS t").sql
        )
        assert cursor.description[0].name == name


WORDS = [
    *sorted(RESERVED), "sky.star", "sky.measure", "sky.one", "TAP_UPLOAD.mine", "star", "s", "ra", "dec",
    "star_id", "x",
    "name", "kind", '"Mixed"', '"size"', "series", "coverage", "pg_sleep", "pg_catalog.pg_class", "ctid",
    "1", "2.5", "0x1F",
    "'a'", "''", "(", ")", ",", "*", "=", "<", ">", "<>", "+", "-", "/", "||", "&", ".", ";", "::", "$1",
    "--\n", "/*", "*/",
    "ivo_healpix_index", "roman_element", "LIMIT", "RETURNING", "LATERAL", "E'\\x'", "\\", "[", "]", "{",
    "\0", "é",
]  # fmt: skip
_FRAGMENTS = [
    "SELECT", "SELECT *", "SELECT ra, dec", "FROM sky.star", "FROM sky.star s", "FROM sky.one", "WHERE",
    "ra > 1", "AND", "OR",
    "JOIN sky.measure m ON", "USING (star_id)", "s.star_id = m.star_id", "GROUP BY kind", "COUNT(*)",
    "ORDER BY 1", "UNION",
    "(SELECT x FROM sky.one)", "IN", "EXISTS", "CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3)) = 1",
    "DISTANCE(ra, dec, 1, 2)",
    "CASE WHEN x = 1 THEN 2 END", "AS t", "TOP 3", "DISTINCT", "NOT", "NULL", "IS NULL", "BETWEEN 1 AND 2",
    "IN_UNIT(ra, 'rad')", "CAST(ra AS INTEGER)", "MAX(ra)", "WITH t AS (SELECT x FROM sky.one)",
    "LIKE 'a%'", "OFFSET 2",
]  # fmt: skip
_SETTINGS = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


def assert_harmless(text: str) -> bool:
    """Whether a text is refused, or becomes one SELECT of what is allowed; True for the latter."""
    try:
        sql = translation(text).sql
    except AdqlError as error:
        message = str(error)
    else:
        assert problems(sql) == []
        return True
    assert not any(piece in message and piece not in text for piece in OURS)
    return False


@_SETTINGS
@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_soup_of_words(words):
    assert_harmless(" ".join(words))


@_SETTINGS
@given(st.lists(st.sampled_from(_FRAGMENTS + WORDS[-40:]), max_size=14))
@example(["SELECT", "ra", "FROM sky.star"])
def test_soup_of_fragments(words):
    assert_harmless("SELECT " + " ".join(words))


@_SETTINGS
@given(st.text(max_size=200))
def test_any_text(text):
    assert_harmless(text)


@_SETTINGS
@given(st.sampled_from(QUERIES), st.integers(0, 10**6))
def test_mutated_queries(reader, one, seed):
    """What still is a query runs, too: PostgreSQL finds nothing wrong with it that we should have said."""
    rng = random.Random(seed)
    words = one["q"].split(" ")
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(words))
        other = rng.choice(QUERIES)["q"].split(" ")
        change = rng.randrange(4)
        if change == 0 and len(words) > 1:
            del words[place]
        elif change == 1:
            words.insert(place, rng.choice(WORDS))
        elif change == 2:
            words[place] = rng.choice(other)
        else:
            words[place:place] = other[rng.randrange(len(other)) :][:4]
    text = " ".join(words)
    if assert_harmless(text):
        with reader.cursor() as cursor:
            cursor.execute("EXPLAIN " + translation(text).sql)
            assert cursor.fetchall()
