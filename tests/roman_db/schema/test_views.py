"""The view descriptions: every view of a database with its columns, their types and comments."""

import pytest
import yaml
from felis.datamodel import Schema

from roman_db import migrate
from roman_db.schema.comments import view_comments_sql
from roman_db.schema.metadata import column_type, type_name
from roman_db.schema.model import Column, Table
from roman_db.schema.view import View, read_view, read_views
from tests.roman_db.conftest import execute

_VIEWS = read_views()
_ATTRIBUTES = """
SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod),
    col_description(a.attrelid, a.attnum), obj_description(a.attrelid, 'pg_class')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('v', 'm') AND c.relnamespace
    IN ('roman'::regnamespace, 'ops'::regnamespace, 'ivoa'::regnamespace)
ORDER BY 1, a.attnum
"""


def test_every_view_is_described_column_by_column(database):
    """By name, type and comment, in order; and no other is described."""
    expected = [
        (name, column.name, type_name(column_type(column)), column.comment, view.description)
        for name, view in sorted(_VIEWS.items())
        for column in view.columns
    ]
    assert execute(database, _ATTRIBUTES) == expected


@pytest.mark.heavy
def test_a_database_of_the_first_release_gets_the_comments(bare_database):
    migrate.upgrade("0001")
    migrate.ensure_current()
    assert {row[0] for row in execute(bare_database, _ATTRIBUTES) if row[3] and row[4]} == set(_VIEWS)


def test_an_upgrade_restores_the_comments(database):
    before = execute(database, _ATTRIBUTES)
    execute(
        database,
        "COMMENT ON COLUMN roman.light_curve.flux IS NULL",
        "COMMENT ON VIEW ops.run_overview IS 'x'",
    )
    assert execute(database, _ATTRIBUTES) != before
    migrate.upgrade()
    assert execute(database, _ATTRIBUTES) == before


def as_felis(column: Column) -> dict:
    words = {
        "name": column.name,
        "datatype": column.datatype,
        "description": column.description,
        "fits:tunit": column.unit,
        "ivoa:ucd": column.ucd,
        "tap:principal": int(column.principal),
        "votable:arraysize": column.arraysize,
        "postgresql:datatype": column.postgresql_type,
    }
    return {word: value for word, value in words.items() if value is not None}


@pytest.mark.parametrize("schema", ["roman", "ops", "ivoa"])
def test_the_descriptions_are_valid_felis(schema):
    tables = [
        {
            "name": view.name,
            "description": view.description,
            "columns": [as_felis(column) for column in view.columns],
        }
        for view in _VIEWS.values()
        if view.schema == schema
    ]
    document = {"name": schema, "description": schema, "tables": tables}
    found = Schema.model_validate(
        document, context={"id_generation": True, "check_redundant_datatypes": True}
    )
    assert len(found.tables) == len(tables) > 0


def test_every_column_has_a_ucd():
    """But those for which ObsLocTAP 1.0 has none."""
    without = {
        f"ivoa.obsplan.{name}"
        for name in ("t_planning", "category", "priority", "execution_status", "tracking_type")
    }
    assert {f"{name}.{c.name}" for name, view in _VIEWS.items() for c in view.columns if not c.ucd} == without


_STORED = Table(
    name="stored",
    schema="roman",
    description="Stored.",
    columns=(
        Column("a", "long", "A.", nullable=False, ucd="meta.id", principal=True, identity=True),
        Column("b", "float", "B.", unit="nJy", ucd="phot.flux.density", arraysize="*", default="'{}'"),
        Column("words", "text", "Words.", arraysize="*"),
    ),
    primary_key=("a",),
)
_TABLES = {"roman.stored": _STORED}


def viewed(tmp_path, *columns: dict, **change) -> View:
    """View of some columns, read from a file."""
    document = {
        "name": "small",
        "postgresql:schema": "roman",
        "description": "It's\nsmall.",
        "columns": [*columns],
    }
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(document | change))
    return read_view(path, _TABLES)


def test_a_column_means_what_it_is_taken_from_means(tmp_path):
    view = viewed(
        tmp_path,
        {"name": "x", "same as": "roman.stored.a"},
        {"name": "b", "same as": "roman.stored.b", "fits:tunit": "Jy", "description": "In\nJy."},
        {"name": "y", "element of": "roman.stored.b", "tap:principal": 1},
        {"name": "a", "datatype": "int", "description": "Own."},
        {"name": "z", "same as": "roman.stored.b", "fits:tunit": None, "ivoa:ucd": None},
    )
    assert view.columns == (
        Column("x", "long", "A.", ucd="meta.id", principal=True),
        Column("b", "float", "In Jy.", unit="Jy", ucd="phot.flux.density", arraysize="*"),
        Column("y", "float", "B.", unit="nJy", ucd="phot.flux.density", principal=True),
        Column("a", "int", "Own."),
        Column("z", "float", "B.", arraysize="*"),
    )
    assert view.indexed == {"x"}


def test_comments_are_quoted_and_name_the_unit(tmp_path):
    view = viewed(tmp_path, {"name": "b", "same as": "roman.stored.b", "description": "100 % of it's flux."})
    assert view_comments_sql({view.full_name: view}) == (
        "COMMENT ON VIEW roman.small IS 'It''s small.';\n"
        "COMMENT ON COLUMN roman.small.b IS '100 % of it''s flux. [nJy]';\n"
    )


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"same as": "roman.stored.c"}, r"x: there is no column roman.stored.c"),
        ({"same as": "roman.other.a"}, r"x: there is no column roman.other.a"),
        ({"same as": "a"}, r"x: there is no column .a"),
        ({"element of": "roman.stored.a"}, r"x: roman.stored.a holds no arrays"),
        ({"element of": "roman.stored.words"}, r"x: roman.stored.words holds no arrays"),
        ({"same as": "roman.stored.a", "element of": "roman.stored.b"}, r"unknown words \[\'same as\'\]"),
        ({"same as": "roman.stored.a", "datatype": "int"}, r"unknown words \[\'datatype\'\]"),
        ({"datatype": "int", "description": "X.", "nullable": False}, r"unknown words \[\'nullable\'\]"),
    ],
)
def test_what_cannot_be_taken_is_refused(tmp_path, column, message):
    with pytest.raises(ValueError, match=message):
        viewed(tmp_path, {"name": "x", **column})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"primaryKey": ["x"]}, r"unknown words \[\'primaryKey\'\]"),
        ({"name": "other"}, "must stand in a file of its own name"),
    ],
)
def test_a_word_that_is_not_of_the_vocabulary_is_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        viewed(tmp_path, {"name": "x", "same as": "roman.stored.a"}, **change)
