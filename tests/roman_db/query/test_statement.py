"""Statements: what is one, what are its parameters, and that values arrive as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roman_db.query.error import QueryError
from roman_db.query.statement import parse

PIECES = [
    ":a", "CAST(:b AS int)", "':c'", '":d"', "x::int", "y[1:n]", "E'\\';:e'", "$$ ; :f $$", "$q$;:g$$ $q$",
    "/* ; :h /* nested */ :i */", "-- ;:j\n", " , ", "it''s", "1", "(1)", "--", "/", "*", "$1",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_nothing_is_lost(pieces):
    text = "SELECT " + " ".join(pieces)
    assert parse(text).text == text


@given(st.lists(st.sampled_from(PIECES[:12]), max_size=12))
def test_parameters_are_found_where_sql_has_no_other_use_for_the_colon(pieces):
    expected = {":a": "a", "CAST(:b AS int)": "b"}
    assert set(parse("SELECT " + " ".join(pieces)).parameters) == {
        expected[p] for p in pieces if p in expected
    }


def test_values_become_literals():
    statement = parse("SELECT CAST(:name AS text), CAST(:n AS int), CAST(:name AS text) -- :no\n;\n")
    assert statement.parameters == ("name", "n")
    bound = statement.bind({"name": "O'Neil; --", "n": None})
    assert (
        bound == "SELECT CAST('O''Neil; --' AS text), CAST(NULL AS int), CAST('O''Neil; --' AS text) -- :no\n"
    )


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_a_literal_has_no_end_but_its_own(value):
    literal = parse("SELECT :v").bind({"v": value}).removeprefix("SELECT ")
    assert literal[0] == literal[-1] == "'"
    assert literal[1:-1].replace("''", "") == value.replace("'", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no statement"),
        ("-- only words\n;", "no statement"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT 1; -- fine\n COMMIT", "one statement"),
        ("DELETE FROM roman.object", "begins with SELECT.*'DELETE'"),
        ("SET ROLE none", "begins with SELECT"),
        ("SELECT /* open", "not closed"),
        ("SELECT 1) TO STDOUT (FORMAT csv", "parentheses"),
        ("SELECT (1", "parentheses"),
    ],
)
def test_what_is_no_single_question_is_refused(text, message):
    with pytest.raises(QueryError, match=message):
        parse(text)


@pytest.mark.parametrize(
    "text", ["(SELECT 1)", " \n-- x\nwith a as (select 1) table a", "values (1);", "Show all"]
)
def test_all_ways_to_ask_are_taken(text):
    assert parse(text).text == text.rstrip(";")


@pytest.mark.parametrize(
    ("values", "message"),
    [({}, "no value for :a"), ({"a": 1, "b": 2}, "no parameter :b; it has :a"), ({"a": "\0"}, "0")],
)
def test_values_must_fit_the_parameters(values, message):
    with pytest.raises(QueryError, match=message):
        parse("SELECT :a").bind(values)
