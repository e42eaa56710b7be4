"""Parquet files of partitions, on a disk or in an object store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import fs, parquet

from loaders.rejection import Rejected

_CHUNK_BYTES = 1 << 22
#: Rows of a group are those of so many values: each object of a season has thousands.
_VALUES_A_GROUP = 8_000_000
_TROUBLE = "Check the address, its permissions and the room there, then run it again"


@dataclass(frozen=True)
class Written:
    """A file that was written and read again: its checksum, and its size in bytes."""

    sha256: str
    size_bytes: int


def address(base: str, survey: str, season: int, name: str) -> str:
    """Return where the file of a partition is, below a folder or the URL of an object store."""
    root = base.rstrip("/") if "://" in base else str(Path(base).absolute())
    return f"{root}/{survey}_season_{season}/{name}.parquet"


def write(url: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Written:
    """Write a file, in the place of what an interrupted run left there, and return what stands there then.

    Raises
    ------
    Rejected
        Code ``archive_unreachable`` if it cannot be written.
    """
    lists = [field.name for field in schema if pa.types.is_list(field.type)]
    reals = [
        f"{name}.list.element" for name in lists if pa.types.is_float32(schema.field(name).type.value_type)
    ]
    with _reachable(url) as (system, path):
        system.create_dir(path.rsplit("/", 1)[0], recursive=True)
        with (
            system.open_output_stream(path) as sink,
            parquet.ParquetWriter(
                sink, schema, compression="zstd", use_dictionary=False, use_byte_stream_split=reals
            ) as writer,
        ):
            for batch in batches:
                writer.write_batch(batch, row_group_size=_rows_a_group(batch))
    return fingerprint(url)


def fingerprint(url: str) -> Written:
    """Read a file whole and return its checksum and size.

    Raises
    ------
    Rejected
        Code ``archive_unreachable`` if it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with _reachable(url) as (system, path), system.open_input_stream(path) as source:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return Written(digest.hexdigest(), size)


def check(url: str, sha256: str) -> None:
    """Check that a file is what was written.

    Raises
    ------
    Rejected
        Code ``archive_damaged`` if it is not, ``archive_unreachable`` if it cannot be read.
    """
    found = fingerprint(url)
    if found.sha256 != sha256:
        what = f"has the SHA-256 {found.sha256}, and {sha256} was written"
        raise Rejected(url, what, "Bring the file back from a copy, then run it again", "archive_damaged")


@contextmanager
def rows(url: str) -> Iterator[pa.RecordBatchReader]:
    """Open a file and give its rows, group by group.

    Raises
    ------
    Rejected
        Code ``archive_unreachable`` if it cannot be read.
    """
    with _reachable(url) as (system, path), system.open_input_file(path) as source:
        file = parquet.ParquetFile(source)
        groups = (
            batch
            for group in range(file.num_row_groups)
            for batch in file.iter_batches(row_groups=[group], batch_size=file.metadata.num_rows or 1)
        )
        yield pa.RecordBatchReader.from_batches(file.schema_arrow, groups)


@contextmanager
def _reachable(url: str) -> Iterator[tuple[fs.FileSystem, str]]:
    """File system of an address and the path in it; what it refuses is told with the address."""
    try:
        yield fs.FileSystem.from_uri(url) if "://" in url else (fs.LocalFileSystem(), url)
    except (OSError, pa.ArrowException) as error:
        raise Rejected(url, f"cannot be used ({error})", _TROUBLE, "archive_unreachable") from error


def _rows_a_group(batch: pa.RecordBatch) -> int:
    """Rows with about as many values as fit in memory."""
    n_value = sum(len(column.flatten()) for column in batch.columns if pa.types.is_list(column.type))
    return int(max(1, _VALUES_A_GROUP * max(batch.num_rows, 1) // max(n_value, 1)))
