"""Products read back by the libraries that others read them with, before anybody gets them."""

from __future__ import annotations

from pathlib import Path

import asdf
import roman_datamodels
from pyarrow import ArrowException, parquet

from roman_db.archive.product import Product


def fault(path: Path, product: Product, n_row: int | None) -> str | None:
    """Say what is wrong with the file of a product; None if it is what was written.

    Parameters
    ----------
    n_row
        Rows that were written; None for an image.
    """
    try:
        found = _parquet(path) if path.suffix == ".parquet" else _asdf(path, product)
    except (OSError, ValueError, KeyError, ArrowException, asdf.exceptions.AsdfWarning) as error:
        return f"{path.name} cannot be read back: {error}"
    if found == (path.name, n_row):
        return None
    return f"{path.name} was read back as {found[0]} with {found[1]} rows, {n_row} were written"


def _parquet(path: Path) -> tuple[str, int | None]:
    """Name that a Parquet file says it has, and its rows, all of which are read."""
    with parquet.ParquetFile(path, page_checksum_verification=True) as file:
        n_row = sum(batch.num_rows for batch in file.iter_batches())
        return (file.schema_arrow.metadata or {})[b"roman.meta.filename"].decode(), n_row


def _asdf(path: Path, product: Product) -> tuple[str, int | None]:
    """The same of an ASDF file: its blocks are read and their checksums compared."""
    with asdf.open(path, validate_checksums=True, lazy_load=False) as file:
        name = str(file["roman"]["meta"]["filename"])
        n_row = None if product.is_image else len(file["roman"][product.name])
    if product.is_image:
        roman_datamodels.open(path).close()
    return name, n_row
