"""Files of source catalogs, and what the database says of them: for stored products this file asks it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from roman_db import session, sqlfile
from roman_db.query.statement import parse
from roman_db.query.stream import Request, open_result

_QUERIES = "exports/stored"


@dataclass(frozen=True)
class StoredFile:
    """A file of a source catalog.

    Parameters
    ----------
    source_catalog_id, set_name
        The catalog, and the set of mosaics or exposure that it is of.
    aper_radius
        Radii of its apertures, arcsec.
    reference_element
        That to whose PSF others were matched; None in a catalog of one band.
    optical_element
        Of what was forced on a mosaic, its optical element.
    path, sha256
        The file and its checksum; None where that was not kept.
    segmentation_path, segmentation_sha256
        Segmentation map of the catalog.
    """

    source_catalog_id: int
    set_name: str
    aper_radius: tuple[float, ...]
    reference_element: str | None
    segmentation_path: Path
    segmentation_sha256: str
    optical_element: str | None
    path: Path
    sha256: str | None


def stored_files(product: str, set_name: str | None) -> list[StoredFile]:
    """Files of current catalogs that are a product, by their paths; of one set, or of all."""
    file = sqlfile.find(_QUERIES, "files")
    with session.reading() as connection:
        rows = sqlfile.run(connection, file, {"product": product, "set_name": set_name}).mappings().all()
    return [
        StoredFile(
            **row
            | {
                "aper_radius": tuple(row["aper_radius"]),
                "path": Path(row["path"]),
                "segmentation_path": Path(row["segmentation_path"]),
            }
        )
        for row in (dict(row) for row in rows)
    ]


def read_sources(file: StoredFile) -> pa.Table:
    """Sources of the catalog of a file, by label."""
    return _read("sources", {"source_catalog_id": file.source_catalog_id})


def read_photometry(file: StoredFile, optical_element: str) -> pa.Table:
    """Photometry of these sources in an optical element, by label."""
    return _read(
        "photometry", {"source_catalog_id": file.source_catalog_id, "optical_element": optical_element}
    )


def read_elements(file: StoredFile) -> list[str]:
    """Optical elements in which the sources of the catalog of a file were measured."""
    found = _read("elements", {"source_catalog_id": file.source_catalog_id})
    return [str(name) for name in found["optical_element"].to_pylist()]


def _read(name: str, values: dict[str, object]) -> pa.Table:
    """Rows of a query, with the types of the database."""
    file = sqlfile.find(_QUERIES, name)
    with open_result(Request(parse(file.bind(values)))) as result:
        return pa.Table.from_batches(result.batches, schema=result.schema)
