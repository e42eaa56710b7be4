"""Source catalogs and segmentation maps: registered files, held against database and RAD."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import roman_datamodels
from asdf.exceptions import ValidationError
from astropy.table import Table
from astropy.time import Time
from pyarrow import parquet
from roman_datamodels import datamodels

from roman_db import session
from roman_db.archive import storage, stored_files
from roman_db.archive.archive_row import meta_values, row_content, type_faults
from roman_db.archive.catalog_columns import Band, as_arrays, band_of, differences, file_columns
from roman_db.archive.export import Written
from roman_db.archive.image_file import copy_registered
from roman_db.archive.publish import staged
from roman_db.archive.refusal import ProductRefused
from roman_db.archive.stored_files import StoredFile
from roman_db.archive.stored_product import StoredProduct

_NO_CHECKSUM = (
    "its checksum was not kept: make it again, with roman-db run static-catalog or image-catalog --redo"
)
_COPIED_AT_A_TIME = 1 << 20


def export_stored(
    product: StoredProduct, set_name: str | None, folder: Path, formats: Sequence[str]
) -> Iterator[Written]:
    """Write the files of a product into a folder, which is made if need be, and give each as it is there.

    Each file is whole or not there, and its row for the archive is stored after it; who is killed in between
    gives the command again.

    Raises
    ------
    ProductRefused
        If there is none, or one is not what was registered, what the database says, or what RAD asks for;
        those before it are written then.
    """
    if unknown := set(formats) - set(product.formats):
        raise ProductRefused(product.name, [f"it is not written as {name}" for name in sorted(unknown)])
    files = stored_files.stored_files(product.name, set_name)
    if not files:
        raise ProductRefused(product.name, [f"there is none of {set_name or 'what was measured'}"])
    for file in files:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            yield from _write(product, file, folder, formats)
        except (OSError, ValueError, ValidationError) as error:
            raise ProductRefused(product.name, [f"{file.path}: {str(error).splitlines()[0]}"]) from error


def _write(
    product: StoredProduct, file: StoredFile, folder: Path, formats: Sequence[str]
) -> Iterator[Written]:
    """Check one file and write it in one or more formats."""
    if file.sha256 is None:
        raise ValueError(_NO_CHECKSUM)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as scratch:
        source = Path(scratch) / file.path.name
        with source.open("wb") as sink:
            copy_registered(file.path, file.sha256, sink)
        if product.is_map:
            yield _published(product, source, folder, _map_meta(source, file), None)
            return
        table = parquet.read_table(source)
        _refuse_differences(product, file, table)
        meta = None if product.is_forced else _meta_of(product, file, table, Path(scratch))
        if "parquet" in formats:
            yield _published(product, source, folder, meta, table.num_rows)
        if "asdf" in formats and meta is not None:
            written = _write_asdf(product, source, meta, Path(scratch) / f"{source.stem}.asdf")
            with roman_datamodels.open(written) as model:
                meta = _meta_of_model(model)
            yield _published(product, written, folder, meta, table.num_rows)


def _published(
    product: StoredProduct, source: Path, folder: Path, meta: Mapping[str, Any] | None, n_row: int | None
) -> Written:
    """Put a file in its place, and store its row for the archive."""
    row = None
    if product.table is not None and meta is not None:
        values = meta_values(product.schema, meta)
        if faults := type_faults(product.schema, product.table, values):
            raise ProductRefused(product.name, faults)
        row = row_content(product.schema, product.table, values)
    with source.open("rb") as stream, staged(folder / source.name) as sink:
        shutil.copyfileobj(stream, sink, _COPIED_AT_A_TIME)
    if product.table is not None and row is not None:
        with session.transaction() as connection:
            storage.register(connection, product.table, {source.name: row})
    return Written(folder / source.name, n_row, row)


def _map_meta(path: Path, file: StoredFile) -> dict[str, Any]:
    """Metadata of a segmentation map, which RAD's schema and the sources of the database must agree with."""
    labels = stored_files.read_sources(file)["label"].to_numpy()
    with roman_datamodels.open(path) as model:
        found = np.unique(np.asarray(model.data))
        if not np.array_equal(found[found > 0], labels):
            raise ValueError(
                f"its {np.count_nonzero(found)} labels are not those of the {labels.size} sources"
            )
        return _meta_of_model(model)


def _meta_of(product: StoredProduct, file: StoredFile, table: pa.Table, scratch: Path) -> dict[str, Any]:
    """Metadata of a catalog in their types, which Parquet has as texts: they are those of its map."""
    segmentation = scratch / file.segmentation_path.name
    with segmentation.open("wb") as sink:
        copy_registered(file.segmentation_path, file.segmentation_sha256, sink)
    with roman_datamodels.open(segmentation) as model:
        meta = _meta_of_model(model)
    own = table.schema.metadata
    for name in ("filename", "file_date"):
        meta[name] = own[f"roman.meta.{name}".encode()].decode()
    return meta | {"model_type": product.model}


def _write_asdf(product: StoredProduct, source: Path, meta: Mapping[str, Any], path: Path) -> Path:
    """Write a catalog as ASDF, out of Parquet; roman_datamodels checks it by RAD's schema."""
    model = getattr(datamodels, product.model)()
    model["meta"] = dict(meta) | {"file_date": Time.now()}
    model["source_catalog"] = Table.read(source, format="parquet")
    model.save(path)
    return path


def _refuse_differences(product: StoredProduct, file: StoredFile, table: pa.Table) -> None:
    """Raise if the file does not say what the database says; of what it does not say, nothing is asked."""
    given = as_arrays(table)
    stored = {} if product.name == "forced_image_source_catalog" else _stored_columns(product, file)
    if found := list(differences(given, stored)):
        raise ProductRefused(product.name, [f"{file.path}: {reason}" for reason in found])


def _stored_columns(product: StoredProduct, file: StoredFile) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of the database under the names of the file."""
    if file.optical_element is not None:
        band = Band("", None, file.aper_radius, "forced_")
        return _photometry(file, file.optical_element, band)
    found = as_arrays(stored_files.read_sources(file))
    for element in stored_files.read_elements(file):
        found |= _photometry(file, element, band_of(element, file.reference_element, file.aper_radius))
    return found


def _photometry(file: StoredFile, element: str, band: Band) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of an optical element under the names of the file."""
    columns = as_arrays(stored_files.read_photometry(file, element))
    labels = columns.pop("label")
    return {"label": labels} | file_columns(columns, band)


def _meta_of_model(model: Any) -> dict[str, Any]:
    """Metadata of an open model as dictionaries and lists."""
    return {str(key): _plain_tree(value) for key, value in model.meta.items()}


def _plain_tree(node: Any) -> Any:
    """Mappings and sequences of a model's tree as dictionaries and lists."""
    if isinstance(node, Mapping):
        return {str(key): _plain_tree(value) for key, value in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_plain_tree(value) for value in node]
    return node
