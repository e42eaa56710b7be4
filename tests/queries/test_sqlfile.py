"""Headers of query files, and values for their parameters."""

import pytest

from roman_db import session, sqlfile
from roman_db.query.error import QueryError

TEXT = """-- First line of the purpose,
-- and its second.
-- Question: what
--   is it?
-- Parameters:
--   name: what it is called: in full
--   day = 61000: a day
--   blank = : nothing by default
SELECT CAST(:name AS text), CAST(:day AS integer), CAST(:blank AS text), 'a % b'
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "some_query.sql"
    path.write_text(TEXT)
    return path


def test_a_header_is_read(path):
    file = sqlfile.read(path)
    assert (file.name, file.purpose) == ("some_query", "First line of the purpose, and its second.")
    assert file.sections == {"Question": "what is it?"}
    assert [(p.name, p.default) for p in file.parameters] == [("name", None), ("day", "61000"), ("blank", "")]
    assert file.parameters[0].description == "what it is called: in full"


def test_defaults_fill_what_is_not_given(path, survey):
    with session.reading() as connection:
        (row,) = sqlfile.run(connection, sqlfile.read(path), {"name": "O'Neil"}).all()
    assert tuple(row) == ("O'Neil", 61000, "", "a % b")


def test_values_are_asked_for_and_checked(path):
    file = sqlfile.read(path)
    with pytest.raises(QueryError, match="some_query: no value for :name"):
        file.bind({})
    with pytest.raises(QueryError, match=r"some_query: .* no parameter :nmae"):
        file.bind({"name": 1, "nmae": 2})


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "-- A purpose.\nSELECT CAST(:x AS int)",
        "-- A purpose.\n-- Parameters:\n--   x: an x\nSELECT 1",
    ],
)
def test_a_header_must_say_what_there_is(tmp_path, text):
    path = tmp_path / "bad.sql"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"bad\.sql: the header must say"):
        sqlfile.read(path)


def test_a_file_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(QueryError, match=r"no 'cone' among the examples: .*cone_search"):
        sqlfile.find("examples", "cone")
