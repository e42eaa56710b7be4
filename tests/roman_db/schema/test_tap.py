"""Rows of TAP_SCHEMA: they load, and say of the columns what the server has."""

import pytest

from roman_db.resources import folder
from roman_db.schema.model import Column
from roman_db.schema.tap import votable_type
from tests.roman_db.conftest import execute

_TABLES = """
CREATE SCHEMA tap_schema;
CREATE TABLE tap_schema.tables (schema_name text, table_name text PRIMARY KEY, table_type text,
    description text, table_index integer);
CREATE TABLE tap_schema.columns (table_name text REFERENCES tap_schema.tables, column_name text,
    datatype text, arraysize text, xtype text, description text, unit text, ucd text, indexed integer,
    principal integer, std integer, column_index integer, PRIMARY KEY (table_name, column_name));
"""


def test_the_rows_load_and_name_every_column_of_the_science_schema(database):
    execute(database, _TABLES, (folder("schema") / "generated" / "tap_schema.sql").read_text())
    missing = """
        SELECT format('%s.%s', c.table_schema, c.table_name), c.column_name FROM information_schema.columns c
        WHERE c.table_schema = 'roman'
        EXCEPT SELECT table_name, column_name FROM tap_schema.columns
    """
    assert execute(database, missing) == []
    kinds = """
        SELECT DISTINCT s.table_type, t.table_type FROM tap_schema.tables s
        JOIN information_schema.tables t ON s.table_name = format('%s.%s', t.table_schema, t.table_name)
    """
    assert sorted(execute(database, kinds)) == [("table", "BASE TABLE"), ("view", "VIEW")]
    assert execute(database, "SELECT count(*) FROM tap_schema.columns WHERE principal = 1")[0][0] > 50
    assert execute(database, "SELECT count(*) FROM tap_schema.tables WHERE schema_name <> 'roman'") == [(0,)]


def test_the_rows_of_a_view(database):
    execute(database, _TABLES, (folder("schema") / "generated" / "tap_schema.sql").read_text())
    columns = "column_name, datatype, arraysize, unit, ucd, indexed"
    rows = (
        f"SELECT {columns} FROM tap_schema.columns WHERE table_name = 'roman.{{}}' AND column_name IN ({{}})"
    )
    names = "'object_id', 'flux', 'ab_mag'"
    assert sorted(execute(database, rows.format("light_curve", names))) == [
        ("ab_mag", "double", None, "mag", "phot.mag", 0),
        ("flux", "float", None, "nJy", "phot.flux.density", 0),
        ("object_id", "long", None, None, "meta.id;meta.main", 1),
    ]
    assert sorted(execute(database, rows.format("light_curve_array", names))) == [
        ("flux", "float", "*", "nJy", "phot.flux.density", 0),
        ("object_id", "long", None, None, "meta.id;meta.main", 1),
    ]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({"datatype": "long"}, ("long", None, None)),
        ({"datatype": "text", "arraysize": "*"}, ("char", "*", None)),
        ({"datatype": "float", "arraysize": "*"}, ("float", "*", None)),
        ({"datatype": "timestamp"}, ("char", "*", "timestamp")),
        ({"datatype": "binary"}, ("unsignedByte", "*", None)),
        ({"datatype": "text", "arraysize": "*", "postgresql_type": "jsonb"}, ("char", "*", "json")),
        ({"datatype": "text", "arraysize": "*", "postgresql_type": "int8multirange"}, ("char", "*", None)),
    ],
)
def test_types_in_a_votable(column, expected):
    assert votable_type(Column(name="a", description="A.", **column)) == expected
