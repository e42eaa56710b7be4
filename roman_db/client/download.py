"""Light curves of many objects into a folder, with progress; an interrupted download goes on where it was."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet
from tqdm import tqdm

from roman_db.client.light_curves import Wanted, fetched
from roman_db.client.session import ServiceSession

if TYPE_CHECKING:
    from pyarrow.dataset import FileSystemDataset


@dataclass(frozen=True)
class Downloaded:
    """What a download brought: all objects that were asked for have points or are among those without.

    Parameters
    ----------
    paths
        Parquet files, each with whole light curves, in order of ``object_id``.
    n_object
        Objects that were asked for.
    n_point
        Points in the files.
    without_points
        Shape (n,): objects that have none, or do not exist.
    """

    paths: tuple[Path, ...]
    n_object: int
    n_point: int
    without_points: NDArray[np.int64]

    def dataset(self) -> FileSystemDataset:
        """The files as one set of rows, which need not fit into memory."""
        from pyarrow.dataset import dataset  # it imports pandas

        return dataset([str(path) for path in self.paths], format="parquet")


@dataclass(frozen=True)
class Source:
    """Where light curves come from: who asks, and the address of the service of time series."""

    session: ServiceSession
    url: str


def download(source: Source, wanted: Wanted, folder: Path, size: int, progress: bool) -> Downloaded:
    """Download light curves, ``size`` objects a request; files that are there are not asked for again."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for part in with_bar(wanted, size, progress):
        path = folder / _name(part, source.url)
        if not path.exists():
            _write(path, [content for _, content in fetched(source.session, source.url, part)])
        paths.append(path)
    has_points: set[int] = set()
    n_point = 0
    for path in paths:
        column = parquet.read_table(path, columns=["object_id"])["object_id"]
        n_point += len(column)
        has_points |= set(column.unique().to_pylist())
    missing = [one for one in wanted.object_ids.tolist() if one not in has_points]
    return Downloaded(tuple(paths), wanted.object_ids.size, n_point, np.array(missing, dtype=np.int64))


def rows_of_all(source: Source, wanted: Wanted, size: int, progress: bool) -> pa.Table:
    """Points of many objects in memory."""
    tables = [
        parquet.read_table(io.BytesIO(content))
        for part in with_bar(wanted, size, progress)
        for _, content in fetched(source.session, source.url, part)
    ]
    return pa.concat_tables([one.replace_schema_metadata(None) for one in tables])


def with_bar(wanted: Wanted, size: int, progress: bool) -> Iterator[Wanted]:
    """Yield parts, and show on standard error how many objects are done."""
    parts = list(wanted.parts(size))
    with tqdm(total=wanted.object_ids.size, unit="object", disable=not progress, mininterval=0.5) as bar:
        for part in parts:
            yield part
            bar.update(part.object_ids.size)


def _name(part: Wanted, url: str) -> str:
    """Name of a file that says by its mark what was asked for where: another question has another file."""
    asked = json.dumps([url, part.parameters()], sort_keys=True)
    return f"light_curves_{part.object_ids[0]:019d}_{hashlib.sha256(asked.encode()).hexdigest()[:12]}.parquet"


def _write(path: Path, contents: list[bytes]) -> None:
    """Write a file whole or not at all."""
    draft = path.with_suffix(f".{os.getpid()}.part")
    try:
        if len(contents) == 1:
            draft.write_bytes(contents[0])
        else:
            parquet.write_table(
                pa.concat_tables([parquet.read_table(io.BytesIO(one)) for one in contents]),
                draft,
                compression="zstd",
            )
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
