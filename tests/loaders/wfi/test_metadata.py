"""Fields against RAD's own map of keywords to archive columns, and against the tables that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import rad

from loaders.wfi.metadata import keywords
from roman_db.resources import read_yaml

REPOSITORY = Path(__file__).resolve().parents[3]
IMAGE_SCHEMA = "asdf://stsci.edu/datamodels/roman/schemas/wfi_image-2.2.0"

# Columns of the tables that are named otherwise than in the archive, whose names say too little alone.
RENAMED = {"active", "electronics", "bank", "led", "counts"}
EPOCH = "guide_star_epoch"
# Not in the archive's table: RAD dropped it with exposure-1.1.0, files still have it.
ADDED = {"exposure_mid_time"}


@cache
def schemas() -> dict[str, dict]:
    files = (Path(rad.__file__).parent / "resources" / "schemas").rglob("*.yaml")
    loaded = (read_yaml(path) for path in files if "SSC" not in path.parts)
    return {schema["id"]: schema for schema in loaded}


def archive_columns(schema: object, keyword: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Keyword and column of every entry for the exposure table below a schema."""
    if not isinstance(schema, dict):
        return
    for destination in schema.get("archive_catalog", {}).get("destination", []):
        table, column = destination.split(".")
        if table == "WFIExposure":
            yield ".".join(keyword), column
    yield from archive_columns(schemas().get(schema.get("$ref")), keyword)
    for name, child in schema.get("properties", {}).items():
        yield from archive_columns(child, (*keyword, name))
    for key in ("allOf", "anyOf"):
        for child in schema.get(key, []):
            yield from archive_columns(child, keyword)


def test_every_archive_column_is_a_field_with_its_keyword():
    expected = {column: keyword for keyword, column in archive_columns(schemas()[IMAGE_SCHEMA])}
    ours = {name.rstrip("_"): f"meta.{keyword}" for name, keyword in keywords().items()}
    ours = {name.removeprefix("rcs_") if name[4:] in RENAMED else name: key for name, key in ours.items()}
    ours["epoch"] = ours.pop(EPOCH)
    assert {name: key for name, key in ours.items() if name not in ADDED} == expected


def test_every_stored_archive_column_is_a_field():
    fields = {name.rstrip("_") for name in keywords()}
    for table in ("exposure", "visit", "program"):
        columns = read_yaml(REPOSITORY / "schema" / "tables" / f"{table}.yaml")["columns"]
        stored = {column["name"] for column in columns if "rad:archive" in column}
        assert stored
        assert stored <= fields
