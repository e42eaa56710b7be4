"""Schemas of RAD as they are installed: which of their keywords the archive keeps, in which of its columns.

Those of the Science Support Center hold metadata alone, and rad does not register them with asdf, which knows
the others.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import asdf
from asdf.resource import DirectoryResourceMapping

_PREFIX = "asdf://stsci.edu/datamodels/roman/schemas"
_MSOS, _GDPS = "SSC/MSOS/wfi_microlensing", "SSC/GDPS/wfi_spec"

#: Tables of the archive that are filled here, and the schemas of the products of which each has one row.
ARCHIVE_TABLES: dict[str, tuple[str, ...]] = {
    "WFIMSOSCatalog": tuple(
        f"{_MSOS}_{name}_catalog_level_4-1.0.0"
        for name in ("object_fiducial", "object_periodic", "light_curve", "variability", "event")
    ),
    "WFIMSOSReferenceFrame": (f"{_MSOS}_reference_frame_level_3-1.0.0",),
    "WFIMSOSDQA": tuple(
        f"{_MSOS}_dqa_{name}-1.0.0" for name in ("photometry_level_3", "photometry_level_4", "events_level_4")
    ),
    "WFIMSOSDetectionEfficiencyCatalog": (f"{_MSOS}_detection_efficiency_catalog_level_4-1.0.0",),
    "WFISpec": tuple(
        f"{_GDPS}_{name}_level_4-1.0.0" for name in ("decontam_2d", "individual_1d", "combined_1d", "dqa_2d")
    ),
    "WFISpecCatalog": tuple(f"{_GDPS}_{name}_level_4-1.0.0" for name in ("catalog", "catalog_dqa")),
    "WFISpecLocation": (f"{_GDPS}_location_table_level_4-1.0.0",),
    "WFIExposure": ("wfi_image-2.2.0",),
    "SourceCatalog": (
        "image_source_catalog-2.2.0", "mosaic_source_catalog-2.2.0", "multiband_source_catalog-2.2.0",
    ),
    "SegmentationMap": (
        "segmentation_map-2.2.0", "mosaic_segmentation_map-2.1.0", "multiband_segmentation_map-2.1.0",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Keyword:
    """A keyword that the archive keeps.

    Parameters
    ----------
    name
        Name in the product, with dots where it lies deeper: season, meta.exposure.start_time.
    datatype
        Type of the archive's column, as nvarchar(50).
    destination
        Columns of the archive, as WFIMSOSCatalog.season.
    is_required
        Whether the schema asks for it, and for all that it lies in.
    title
        What it is, in the words of the schema.
    """

    name: str
    datatype: str
    destination: tuple[str, ...]
    is_required: bool
    title: str

    def column(self, table: str) -> str | None:
        """Column of a table of the archive that it goes to; None if it goes to none."""
        columns = (place.partition(".") for place in self.destination)
        return next((column for name, _, column in columns if name == table), None)


@dataclass(frozen=True)
class ArchiveColumn:
    """A column of a table of the archive.

    Parameters
    ----------
    name, datatype, title
        As the first keyword has them that goes there.
    is_required
        Whether every schema of the table's products asks for a keyword of it.
    """

    name: str
    datatype: str
    title: str
    is_required: bool


@cache
def load(schema: str) -> dict[str, Any]:
    """Read a schema, such as ``SSC/MSOS/…-1.0.0`` or ``wfi_image-2.2.0``, its references resolved."""
    folder = importlib.resources.files("rad") / "resources" / "schemas" / "SSC"
    with asdf.config_context() as config:
        config.add_resource_mapping(DirectoryResourceMapping(folder, f"{_PREFIX}/SSC", recursive=True))
        return dict(asdf.schema.load_schema(f"{_PREFIX}/{schema}", resolve_references=True))


@cache
def keywords(schema: str) -> tuple[Keyword, ...]:
    """Keywords of a schema that the archive keeps, in its order."""
    return tuple(_keywords(load(schema), "", True))


@cache
def archive_columns(table: str) -> tuple[ArchiveColumn, ...]:
    """Columns of a table of the archive, in the order of the schemas of its products.

    Raises
    ------
    ValueError
        If two keywords of a column differ in their type.
    """
    found: dict[str, ArchiveColumn] = {}
    required = [set[str]() for _ in ARCHIVE_TABLES[table]]
    for asked, schema in zip(required, ARCHIVE_TABLES[table], strict=True):
        for keyword in keywords(schema):
            if (name := keyword.column(table)) is None:
                continue
            column = found.setdefault(name, ArchiveColumn(name, keyword.datatype, keyword.title, False))
            if column.datatype != keyword.datatype:
                raise ValueError(f"{table}.{name} is {column.datatype} and {keyword.datatype} in {schema}")
            if keyword.is_required:
                asked.add(name)
    always = set.intersection(*required)
    return tuple(
        ArchiveColumn(one.name, one.datatype, one.title, one.name in always) for one in found.values()
    )


def _keywords(node: Mapping[str, Any], prefix: str, is_required: bool) -> Iterator[Keyword]:
    """Archived keywords below a node of a schema."""
    parts = list(_parts(node))
    required = {name for part in parts for name in part.get("required", ())}
    for part in parts:
        for name, described in part.get("properties", {}).items():
            path, asked = f"{prefix}{name}", is_required and name in required
            for piece in _parts(described):
                if archived := piece.get("archive_catalog"):
                    title = " ".join(str(piece.get("title", name)).split())
                    yield Keyword(path, archived["datatype"], tuple(archived["destination"]), asked, title)
            yield from _keywords(described, f"{path}.", asked)


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a schema is made of, and itself."""
    for part in schema.get("allOf", ()):
        yield from _parts(part)
    yield schema
