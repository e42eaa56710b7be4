"""The descriptions: valid Felis, units that agree with UCDs, and columns that the archive knows."""

import re
from functools import cache
from pathlib import Path

import pytest
import rad.resources
import yaml
from astropy import units
from astropy.io.votable.ucd import parse_ucd
from felis.datamodel import Schema

from roman_db.resources import folder, read_yaml
from roman_db.schema.generate import stale_files
from roman_db.schema.metadata import metadata
from roman_db.schema.model import read_table, read_tables
from roman_db.schema.view import read_views

_TABLES = read_tables()
_RELATIONS = [*_TABLES.values(), *read_views(_TABLES).values()]
_COLUMNS = [(relation.full_name, column) for relation in _RELATIONS for column in relation.columns]
_OURS = {"postgresql:schema", "postgresql:partition", "postgresql:default", "postgresql:enforced",
         "references", "rad:archive", "adql:coverage"}  # fmt: skip


def refused(check, columns) -> dict[str, str]:
    """Columns that a check raises at, and what it says."""
    problems = {}
    for name, column in columns:
        try:
            check(column)
        except ValueError as error:
            problems[f"{name}.{column.name}"] = str(error)
    return problems


def as_felis(path: Path) -> dict:
    """A table description without our own words, and with references as Felis writes them."""
    document = {word: value for word, value in read_yaml(path).items() if word not in _OURS}
    document["columns"] = [{w: v for w, v in c.items() if w not in _OURS} for c in document["columns"]]
    for column in document["columns"]:
        if column["datatype"] == "binary":
            column["length"] = 1  # Felis wants one; PostgreSQL's bytea has none
    prefix = f"#{document['name']}."
    document["primaryKey"] = [prefix + name for name in document["primaryKey"]]
    for item in document.get("constraints", []) + document.get("indexes", []):
        if "columns" in item:
            item["columns"] = [prefix + name for name in item["columns"]]
    return document


@pytest.mark.parametrize("schema", ["roman", "ops", "tap_schema"])
def test_the_descriptions_are_valid_felis(schema):
    paths = [folder("schema") / "tables" / f"{t.name}.yaml" for t in _TABLES.values() if t.schema == schema]
    document = {"name": schema, "description": schema, "tables": [as_felis(path) for path in paths]}
    found = Schema.model_validate(
        document, context={"id_generation": True, "check_redundant_datatypes": True}
    )
    assert len(found.tables) == len(paths)


def test_ucds_are_of_the_vocabulary():
    def check(column):
        parse_ucd(column.ucd, check_controlled_vocabulary=True, has_colon=False)

    assert refused(check, [item for item in _COLUMNS if item[1].ucd]) == {}


def test_units_are_vounits():
    assert refused(lambda column: units.Unit(column.unit or "", format="vounit"), _COLUMNS) == {}


_ANGLE, _TIME, _LENGTH = units.deg, units.d, units.m
_PIXEL, _FLUX, _RATE = units.pix, units.nJy, 1 / units.s
_NONE = units.dimensionless_unscaled
#: Units, one of each dimension, that a quantity may have; from the meaning of the words of UCD1+ (IVOA 1.5).
_DIMENSIONS = {
    "arith.factor": None,
    "em.wl": [_LENGTH],
    "em.wl.effective": [_LENGTH],
    "instr.background": [_FLUX, _RATE],
    "instr.det.psf": [_PIXEL, _PIXEL**2, _NONE],
    "phot.flux.density": [_FLUX, "W.m**-2.um**-1"],
    "phot.mag": [units.mag],
    "phys.angArea": [units.sr],
    "phys.angSize": [_ANGLE, _PIXEL],
    "phys.area": [_PIXEL**2],
    "pos.angDistance": [_ANGLE],
    "pos.cartesian.x": [_LENGTH, _PIXEL],
    "pos.cartesian.y": [_LENGTH, _PIXEL],
    "pos.cartesian.z": [_LENGTH, _PIXEL],
    "pos.eq.dec": [_ANGLE],
    "pos.eq.ra": [_ANGLE],
    "pos.parallax.trig": [_ANGLE],
    "pos.pm": [_ANGLE / _TIME],
    "pos.posAng": [_ANGLE],
    "src.ellipticity": [_NONE],
    "time.duration": [_TIME],
    "time.end": [_TIME],
    "time.epoch": [_TIME],
    "time.interval": [_TIME],
    "time.start": [_TIME],
}
#: Words that qualify the one after them (or before: arith.ratio makes any quantity a bare number).
_QUALIFIERS = ("stat.error", "stat.mean", "stat.min", "stat.max", "stat.stdev", "meta.file", "arith.diff")


def dimensions(ucd: str) -> list[units.UnitBase] | None:
    """Units of the quantity that a UCD names, one of each dimension; None where the words do not say."""
    words = ucd.split(";")
    if "arith.ratio" in words:
        return [_NONE]
    if "arith.factor" in words or "arith.zp" in words:
        return None
    quantity = next((word for word in words if word not in _QUALIFIERS), None)
    return _DIMENSIONS.get(quantity)


def test_units_agree_with_ucds():
    def check(column):
        unit, allowed = units.Unit(column.unit or "", format="vounit"), dimensions(column.ucd)
        if allowed is not None and not any(unit.is_equivalent(one) for one in allowed):
            raise ValueError(f"[{column.unit}] is no unit of {column.ucd}")

    numbers = [item for item in _COLUMNS if item[1].ucd and item[1].datatype not in ("timestamp", "text")]
    assert refused(check, numbers) == {}


def test_the_table_of_dimensions_holds_what_is_used():
    used = {word for _, column in _COLUMNS for word in (column.ucd or "").split(";")}
    assert set(_DIMENSIONS) - used == set()


_RAD = Path(rad.resources.__file__).parent / "schemas"


@cache
def archive_datatypes() -> dict[str, set[str]]:
    """Datatypes that RAD gives the columns of the archive."""
    known: dict[str, set[str]] = {}
    for path in _RAD.rglob("*.yaml"):
        collect(read_yaml(path), known)
    return known


def collect(node, known):
    if isinstance(node, dict):
        catalog = node.get("archive_catalog")
        if isinstance(catalog, dict):
            for destination in catalog.get("destination", []):
                known.setdefault(destination, set()).add(catalog["datatype"])
        for value in node.values():
            collect(value, known)
    elif isinstance(node, list):
        for value in node:
            collect(value, known)


#: Types of ours that hold what a type of the archive (SQL Server) can.
_COMPATIBLE = {
    "tinyint": {"short", "int", "long"},
    "smallint": {"short", "int", "long"},
    "int": {"int", "long"},
    "bigint": {"long"},
    "float": {"double"},
    "datetime2": {"timestamp"},
    "nchar": {"boolean", "text"},  # T or F in the archive
    "nvarchar": {"text"},
}


def test_the_archive_knows_the_columns_and_their_types_fit():
    def check(column):
        datatypes = archive_datatypes().get(column.archive, {"nothing"})
        for datatype in datatypes:
            if column.datatype not in _COMPATIBLE.get(re.sub(r"\(.*", "", datatype.lower()), ()):
                raise ValueError(f"{column.datatype} for {column.archive}, which holds {datatype}")

    assert refused(check, [item for item in _COLUMNS if item[1].archive]) == {}


def test_the_generated_files_are_what_the_descriptions_say():
    assert list(stale_files(folder("schema") / "generated")) == []


def test_every_reference_names_a_key_of_the_same_type():
    for name, column in _COLUMNS:
        if column.references:
            target, target_column = column.references.rsplit(".", 1)
            other = _TABLES[target].column(target_column)
            assert _TABLES[target].primary_key == (target_column,), f"{name}.{column.name}"
            assert other.datatype == column.datatype, f"{name}.{column.name}"


def test_every_row_of_a_file_is_of_a_table():
    names = {path.stem for path in (folder("schema") / "rows").glob("*.csv")}
    assert names <= set(metadata().tables)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, r"unknown words \['colour'\]"),
        ({"name": "other"}, "must stand in a file of its own name"),
        (
            {"columns": [{"name": "a", "datatype": "int", "description": "A.", "unit": "m"}]},
            r"a: unknown words \['unit'\]",
        ),
    ],
)
def test_a_word_that_is_not_of_the_vocabulary_is_refused(tmp_path, change, message):
    document = {
        "name": "small",
        "postgresql:schema": "roman",
        "description": "Small.",
        "primaryKey": ["a"],
        "columns": [{"name": "a", "datatype": "int", "nullable": False, "description": "A."}],
    }
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(document | change))
    with pytest.raises(ValueError, match=message):
        read_table(path)
