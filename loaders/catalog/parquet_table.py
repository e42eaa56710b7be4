"""Catalogs in Parquet, read by row groups.

Parquet has no units of its own. They are looked for where astronomers put them: in the metadata of the
fields (``unit``, ``ucd``), in astropy's header (``table_meta_yaml``), and in a VOTable without data (the
VOParquet convention, ``IVOA.VOTable-Parquet.content``).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from astropy.io.votable import parse_single_table

from loaders.catalog.table import CatalogFile, Column, ColumnInfo, stated

_ASTROPY_HEADER = b"table_meta_yaml"
_VOTABLE_HEADER = b"IVOA.VOTable-Parquet.content"


class ParquetTable:
    """A Parquet file as a catalog.

    Parameters
    ----------
    path
        File.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with pq.ParquetFile(path) as file:
            schema, n_row = file.schema_arrow, file.metadata.num_rows
        headers = _headers(schema)
        columns = {field.name: _column(field, headers) for field in schema if _is_plain(field.type)}
        self._file = CatalogFile(path, "parquet", n_row, columns)

    @property
    def file(self) -> CatalogFile:
        """Header of the catalog."""
        return self._file

    def chunks(self, names: Sequence[str], chunk_rows: int) -> Iterator[dict[str, Column]]:
        """Read columns batch by batch: memory holds a row group at a time."""
        with pq.ParquetFile(self._path) as file:
            for batch in file.iter_batches(batch_size=chunk_rows, columns=list(names)):
                yield {name: values_of(batch.column(name)) for name in names}


def _is_plain(kind: pa.DataType) -> bool:
    """Whether a column has one number or text a row."""
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_number = pa.types.is_integer(value) or pa.types.is_floating(value) or pa.types.is_decimal(value)
    return bool(_is_text(kind) or is_number or pa.types.is_boolean(value))


def _is_text(kind: pa.DataType) -> bool:
    """Whether a column has text."""
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def _headers(schema: pa.Schema) -> dict[str, ColumnInfo]:
    """Units and UCDs from the headers that describe all columns."""
    metadata = schema.metadata or {}
    found: dict[str, ColumnInfo] = {}
    if _ASTROPY_HEADER in metadata:
        header = yaml.load(metadata[_ASTROPY_HEADER], Loader=_HeaderLoader) or {}
        for entry in header.get("datatype", []):
            ucd = (entry.get("meta") or {}).get("ucd")
            found[entry["name"]] = ColumnInfo(entry["name"], stated(entry.get("unit")), stated(ucd))
    if _VOTABLE_HEADER in metadata:
        for field in parse_single_table(io.BytesIO(metadata[_VOTABLE_HEADER])).fields:
            found[field.name] = ColumnInfo(field.name, stated(field.unit), stated(field.ucd))
    return found


class _HeaderLoader(yaml.SafeLoader):
    """YAML loader that takes astropy's tagged units for text and other tagged values for what they hold."""


def _untag(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        values = {str(key): value for key, value in loader.construct_mapping(node, deep=True).items()}
        return values.get("unit", values)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]  # the only kind left


_HeaderLoader.add_multi_constructor("!", _untag)


def _column(field: pa.Field, headers: dict[str, ColumnInfo]) -> ColumnInfo:
    """Describe a column: its own metadata before those of the table."""
    own = {key.decode().lower(): value.decode() for key, value in (field.metadata or {}).items()}
    header = headers.get(field.name, ColumnInfo(field.name))
    unit = stated(own.get("unit") or own.get("units")) or header.unit
    return ColumnInfo(field.name, unit, stated(own.get("ucd")) or header.ucd, _is_text(field.type))


def values_of(array: pa.Array) -> Column:
    """Values of a column; nulls become masked, so that integers stay integers."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    if array.null_count == 0:
        return np.asarray(array.to_numpy(zero_copy_only=False))
    mask = array.is_null().to_numpy(zero_copy_only=False)
    filled = array.fill_null("" if _is_text(array.type) else pa.scalar(0).cast(array.type))
    return np.ma.MaskedArray(filled.to_numpy(zero_copy_only=False), mask=mask)
