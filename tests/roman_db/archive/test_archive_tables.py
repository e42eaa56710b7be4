"""The views that are the archive's tables, against RAD's files as a YAML reader sees them, and their rows."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator

import pytest
import yaml
from sqlalchemy.exc import DataError

from roman_db import session
from roman_db.schema.archive import postgresql_type
from roman_db.schema.rad import ARCHIVE_TABLES
from tests.roman_db.conftest import execute

SCHEMAS = importlib.resources.files("rad") / "resources" / "schemas"
PREFIX = "asdf://stsci.edu/datamodels/roman/schemas/"
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum) <> ''
FROM pg_attribute AS a
WHERE a.attrelid = CAST('archive.{}' AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
"""
SEASON = ("--season", 1)


def archived(node: object) -> Iterator[dict]:
    """All ``archive_catalog`` of a schema and of what it refers to, straight from the files."""
    if isinstance(node, dict):
        reference = node.get("$ref", "")
        if reference.startswith(PREFIX) and "/tables/" not in reference:
            yield from archived(
                yaml.safe_load((SCHEMAS / f"{reference.removeprefix(PREFIX)}.yaml").read_text())
            )
        if "archive_catalog" in node:
            yield node["archive_catalog"]
        for value in node.values():
            yield from archived(value)
    elif isinstance(node, list):
        for value in node:
            yield from archived(value)


def columns_by_rad(table: str) -> dict[str, str]:
    """Columns of a table of the archive with their types."""
    return {
        column: one["datatype"]
        for schema in ARCHIVE_TABLES[table]
        for one in archived({"$ref": f"{PREFIX}{schema}"})
        for name, _, column in (place.partition(".") for place in one["destination"])
        if name == table
    }


@pytest.mark.parametrize("table", ARCHIVE_TABLES)
def test_a_view_has_the_columns_of_the_archive_in_their_types(database, table):
    expected = {name: postgresql_type(datatype) for name, datatype in columns_by_rad(table).items()}
    found = {
        name: kind for name, kind, is_described in execute(database, _COLUMNS.format(table)) if is_described
    }
    assert found == expected
    assert len(expected) > 10


def test_only_schemas_that_the_archive_takes_have_rows():
    """Those that say so themselves, and no older ones."""
    for schema in (name for names in ARCHIVE_TABLES.values() for name in names):
        assert "archive_meta" in yaml.safe_load((SCHEMAS / f"{schema}.yaml").read_text()), schema
        stem, version = schema.rsplit("-", 1)
        others = [
            path.stem.rsplit("-", 1)[1] for path in (SCHEMAS / schema).parent.glob(f"{stem.split('/')[-1]}-*")
        ]
        assert version == max(others, key=lambda text: [int(number) for number in text.split(".")])


@pytest.mark.parametrize(
    ("datatype", "expected"),
    [("nvarchar(max)", "text"), ("nchar(1)", "character(1)"), ("datetime2", "timestamp without time zone")],
)
def test_types_of_the_archive(datatype, expected):
    assert postgresql_type(datatype) == expected


@pytest.mark.parametrize("datatype", ["nvarchar", "money", "nvarchar(-1)"])
def test_a_type_that_nobody_knows_is_refused(datatype):
    with pytest.raises(ValueError, match="is no type of the archive"):
        postgresql_type(datatype)


def rows(sql: str) -> list[dict]:
    with session.reading() as connection:
        return [dict(row) for row in connection.exec_driver_sql(sql).mappings()]


def change(sql: str) -> None:
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(sql)


@pytest.mark.usefixtures("described")
def test_a_product_has_a_row_once_it_is_written(run, tmp_path):
    run("event_catalog", *SEASON, "--to", tmp_path)
    run("event_catalog", *SEASON, "--to", tmp_path, "--format", "parquet")  # in place of the first
    refused = run("event_catalog", "--season", 99, "--to", tmp_path)
    assert refused.exit_code == 1
    found = rows("SELECT * FROM archive.WFIMSOSCatalog ORDER BY filename")
    assert [one["filename"] for one in found] == sorted(path.name for path in tmp_path.iterdir())
    for one in found:
        assert {name for name, value in one.items() if value is not None} >= {
            "filedate",
            "program",
            "s_region",
        }
        assert (one["season"], one["gal_cen_flag"], one["origin"]) == ("s01", "F", "IPAC/SSC")
        assert (one["detector"], one["sequence"]) == (None, None)  # RAD's schema of events does not have them


@pytest.mark.usefixtures("described")
def test_the_row_of_a_file_that_was_delivered_stays_that_of_the_delivery(run, tmp_path):
    """Until the delivery is superseded by one without that file."""
    words = ("event_catalog", *SEASON, "--to", tmp_path, "--format", "asdf")
    season = "SELECT season FROM archive.WFIMSOSCatalog"
    assert run(*words).exit_code == 0
    change(
        "INSERT INTO ops.product (product, scope, filename, sha256, size_bytes, state, load_run_id) "
        "SELECT 'event_catalog', '', filename, 'a', 1, 'valid', (SELECT max(load_run_id) FROM ops.load_run) "
        "FROM ops.archive_row"
    )
    change("""UPDATE ops.archive_row SET content = content || '{"season": "s77"}'""")
    assert run(*words).exit_code == 0
    assert rows(season) == [{"season": "s77"}]
    change("UPDATE ops.product SET superseded_at = now()")
    assert run(*words).exit_code == 0
    assert rows(season) == [{"season": "s01"}]


@pytest.mark.usefixtures("described")
def test_an_exposure_is_a_row_with_what_is_stored():
    stored = rows(
        "SELECT e.*, v.program, v.pass, p.program_category FROM roman.exposure e "
        "JOIN roman.visit v USING (visit_id) JOIN roman.program p USING (program) "
        "ORDER BY visit_id, exposure, detector"
    )
    found = rows("SELECT * FROM archive.wfiexposure ORDER BY visit_id, exposure, detector")
    assert len(found) == len(stored) > 50
    same = {"visit_id", "exposure", "detector", "optical_element", "ra_ref", "roll_ref", "exposure_time",
            "program", "pass", "program_category", "filename", "s_region"}  # fmt: skip
    for one, expected in zip(found, stored, strict=True):
        assert {name: one[name] for name in same} == {name: expected[name] for name in same}
        assert one["exposure_start_time"] == expected["exposure_start_time"].replace(tzinfo=None)
        assert one["epoch"] is None
    change("UPDATE roman.exposure SET hga_move = true, image_rms = 'NaN'")
    found = rows("SELECT DISTINCT hga_move, image_rms FROM archive.wfiexposure")
    assert found == [{"hga_move": "T", "image_rms": None}]


@pytest.mark.usefixtures("described")
def test_what_does_not_fit_is_an_error_and_not_cut_off():
    change("UPDATE roman.exposure SET telescope = 'ROMANS'")
    with pytest.raises(DataError, match="'ROMANS' has 6 characters; its column of the archive holds 5"):
        rows("SELECT telescope FROM archive.wfiexposure")
    change(
        "INSERT INTO ops.archive_row (archive_table, filename, content, code_version) "
        """VALUES ('WFIMSOSCatalog', 'a', '{"season": "s001"}', 'x')""",
    )
    with pytest.raises(DataError, match="too long for type character varying"):
        rows("SELECT * FROM archive.wfimsoscatalog")
