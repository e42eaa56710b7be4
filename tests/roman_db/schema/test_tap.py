"""Rows of TAP_SCHEMA: they load, and say of the columns what the server has."""

import pytest

from roman_db import migrate
from roman_db.schema.model import Column
from roman_db.schema.tap import votable_type
from tests.roman_db.conftest import execute

_OF_THE_SERVER = """
    SELECT format('%s.%s', table_schema, table_name), column_name
    FROM information_schema.columns WHERE table_schema IN ('roman', 'ivoa', 'tap_schema')
"""
_OURS = "SELECT table_name, btrim(column_name, '\"') FROM tap_schema.columns"


def test_the_rows_name_every_column_that_may_be_named_and_no_other(database):
    assert execute(database, f"{_OF_THE_SERVER} EXCEPT {_OURS}") == []
    assert execute(database, f"{_OURS} EXCEPT {_OF_THE_SERVER}") == []
    kinds = """
        SELECT DISTINCT s.table_type, t.table_type FROM tap_schema.tables s
        JOIN information_schema.tables t ON s.table_name = format('%s.%s', t.table_schema, t.table_name)
    """
    assert sorted(execute(database, kinds)) == [("table", "BASE TABLE"), ("view", "VIEW")]
    assert execute(database, "SELECT count(*) FROM tap_schema.columns WHERE principal = 1")[0][0] > 50
    schemas = execute(database, "SELECT schema_name FROM tap_schema.schemas ORDER BY schema_index")
    assert schemas == [("roman",), ("ivoa",), ("tap_schema",)]


def test_what_is_a_word_of_adql_stands_in_quotes(database):
    quoted = "SELECT table_name, column_name FROM tap_schema.columns WHERE column_name LIKE '\"%'"
    assert ("tap_schema.columns", '"size"') in execute(database, quoted)


def test_the_references_are_those_of_the_server(database):
    """Those that the server checks; of others it knows nothing."""
    stored = """
        SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, b.attname
        FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
        WHERE c.contype = 'f' AND c.conparentid = 0
          AND c.connamespace IN ('roman'::regnamespace, 'tap_schema'::regnamespace)
          AND c.confrelid IN (SELECT oid FROM pg_class
                              WHERE relnamespace IN ('roman'::regnamespace, 'tap_schema'::regnamespace))
    """
    ours = """
        SELECT k.from_table, c.from_column, k.target_table, c.target_column
        FROM tap_schema.keys k JOIN tap_schema.key_columns c USING (key_id)
    """
    found = execute(database, stored)
    assert len(found) > 50
    assert set(found) - set(execute(database, ours)) == set()


def test_an_upgrade_restores_the_rows(database):
    everything = "SELECT * FROM tap_schema.columns ORDER BY table_name, column_index"
    before = execute(database, everything)
    execute(database, "UPDATE tap_schema.columns SET unit = 'x'", "DELETE FROM tap_schema.key_columns")
    migrate.upgrade()
    assert execute(database, everything) == before


def test_the_rows_of_a_view(database):
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
        ({"datatype": "text", "arraysize": "*", "xtype": "adql:REGION"}, ("char", "*", "adql:REGION")),
        ({"datatype": "text", "arraysize": "*", "postgresql_type": "jsonb"}, ("char", "*", "json")),
        ({"datatype": "text", "arraysize": "*", "postgresql_type": "int8multirange"}, ("char", "*", None)),
    ],
)
def test_types_in_a_votable(column, expected):
    assert votable_type(Column(name="a", description="A.", **column)) == expected
