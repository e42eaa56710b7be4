"""Values in queries: no text becomes anything but a text, and what has no literal is refused."""

from __future__ import annotations

import numpy as np
import pytest
import sqlglot
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Column, Table
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from roman_db.client import BadQuery
from roman_db.client.binding import MOST_VALUES, bind

_LARGEST = 2**63 - 1
_SELECT = "SELECT a FROM t WHERE b = {x}"


def parsed(text: str):
    """What follows ``b =``, as a parser that is not ours reads it."""
    (statement,) = sqlglot.parse(text, read="postgres")
    return statement.find(sqlglot.exp.EQ).expression


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
def test_a_text_is_a_text_whatever_is_in_it(text):
    found = parsed(bind(_SELECT, {"x": text}).text)
    assert found.is_string
    assert found.this == text


@given(st.integers(-_LARGEST, _LARGEST) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_that_number_and_begins_no_comment(number):
    found = parsed(bind("SELECT a FROM t WHERE b = 0 -{x}", {"x": number}).text).expression
    minus = found.find(sqlglot.exp.Neg)
    value = type(number)(found.find(sqlglot.exp.Literal).this)
    assert (-value if minus else value) == number


def test_lists_places_and_booleans_are_written_as_adql_has_them():
    values = {
        "ids": np.array([1, 2, 3]),
        "names": ["F146", "o'f"],
        "column": Column([1.5, 2.5]),
        "place": SkyCoord(10, -20, unit="deg"),
        "yes": np.bool_(True),
    }
    text = bind("{ids}; {names}; {column}; {place}; {yes}", values).text
    assert text == "1, 2, 3; 'F146', 'o''f'; 1.5, 2.5; POINT(10.0, (-20.0)); TRUE"


def test_tables_are_named_and_go_along():
    table = Table({"a": [1]})
    bound = bind("SELECT * FROM {mine} AS m JOIN {mine} AS n ON m.a = n.a", {"mine": table})
    assert bound.text == "SELECT * FROM TAP_UPLOAD.mine AS m JOIN TAP_UPLOAD.mine AS n ON m.a = n.a"
    assert bound.uploads == {"mine": table}


def test_comments_and_quotes_stay_as_they_are():
    text = "SELECT 'a -- {1} b', \"c''\" -- {x} it's\nFROM t"
    assert bind(text, {}).text == text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "IS NULL"),
        (np.nan, "leave such values out"),
        (-np.inf, "leave such values out"),
        (2**63, "more than 64 bits"),
        (3 * u.arcsec, r"to_value\('arcsec'\)"),
        ([1, 2] * u.arcsec, r"to_value\('arcsec'\)"),
        (Time(60000, format="mjd"), r"tdb\.mjd"),
        (SkyCoord([1], [2], unit="deg"), "SkyCoord or a Table"),
        ("a\0b", "NUL"),
        ([], "1 to 10,000"),
        (range(MOST_VALUES + 1), "has 10001 values"),
        (np.ma.masked_array([1, 2], [True, False]), "missing"),
        ([[1]], "lists in a list"),
        (object(), "of type object"),
        ({"a": 1}, "of type dict"),
    ],
)
def test_what_has_no_literal_is_refused_with_advice(value, said):
    with pytest.raises(BadQuery, match=said):
        bind(_SELECT, {"x": value})


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT {y}", r"no value for \{y\}"),
        ("SELECT a FROM t\nWHERE b = '{x}'", "within quotes"),
        ('SELECT "{x}" FROM t', "within quotes"),
        ("SELECT a\nFROM t WHERE b = 'open", "line 2: ' has no counterpart"),
        ("SELECT {x FROM t", "line 1: {"),
        ("SELECT {x.__class__} FROM t", "no value"),
        ("SELECT {} FROM t", "no value"),
    ],
)
def test_a_query_that_cannot_be_filled_says_where(query, said):
    with pytest.raises(BadQuery, match=said):
        bind(query, {"x": 1})
