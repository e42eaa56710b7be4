"""Products read back by the libraries that others use, before anybody gets them; never whole in memory."""

from __future__ import annotations

from pathlib import Path

import asdf
import roman_datamodels
from asdf.util import load_yaml
from pyarrow import ArrowException, parquet

from roman_db.archive.product import Product
from roman_db.delivery.asdf_blocks import check_blocks

#: Values of a Parquet file that are in memory at a time.
_VALUES_AT_A_TIME = 1_000_000


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
    n_row = 0
    with parquet.ParquetFile(path, page_checksum_verification=True) as file:
        for number in range(file.metadata.num_row_groups):  # what several hold at once, pyarrow keeps
            size = _rows_at_a_time(file.metadata.row_group(number))
            n_row += sum(batch.num_rows for batch in file.iter_batches(size, row_groups=[number]))
        return (file.schema_arrow.metadata or {})[b"roman.meta.filename"].decode(), n_row


def _rows_at_a_time(group: parquet.RowGroupMetaData) -> int:
    """Rows that have so many values as may be in memory; those of lists count each."""
    n_value = sum(int(group.column(number).num_values) for number in range(group.num_columns))
    return max(1, _VALUES_AT_A_TIME * int(group.num_rows) // max(1, n_value))


def _asdf(path: Path, product: Product) -> tuple[str, int | None]:
    """The same of an ASDF file: its blocks are read, and what its tree says of the columns."""
    check_blocks(path)
    roman = load_yaml(path)["roman"]
    name = str(roman["meta"]["filename"])
    if product.is_image:
        roman_datamodels.open(path).close()
        return name, None
    lengths = {int(column["data"]["shape"][0]) for column in roman[product.name]["columns"]}
    if len(lengths) != 1:
        raise ValueError(f"its columns have lengths {sorted(lengths)}")
    return name, lengths.pop()
