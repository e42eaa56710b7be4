"""Light curves of many objects, several requests at a time, with progress; what breaks off goes on later."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet
from tqdm import tqdm

from roman_db.client.failure import BadQuery
from roman_db.client.light_curves import Wanted, fetched
from roman_db.client.session import ServiceSession

if TYPE_CHECKING:
    from pyarrow.dataset import FileSystemDataset

_T = TypeVar("_T")
#: Most requests at the same time: more wait at the service anyway, and an account of most tiers has fewer.
_MOST_AT_ONCE = 16


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


@dataclass(frozen=True)
class Pace:
    """How light curves are asked for.

    Parameters
    ----------
    size
        Objects a request.
    at_once
        Requests at the same time.
    progress
        Whether a bar says how many objects are done.

    Raises
    ------
    BadQuery
        If there are to be no requests at the same time, or more than any account has.
    """

    size: int
    at_once: int = 1
    progress: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.at_once <= _MOST_AT_ONCE:
            raise BadQuery(f"requests_at_once must be 1 to {_MOST_AT_ONCE}, got {self.at_once}")


def download(source: Source, wanted: Wanted, folder: Path, pace: Pace) -> Downloaded:
    """Download light curves; files that are there are not asked for again."""
    folder.mkdir(parents=True, exist_ok=True)

    def fetch(session: ServiceSession, part: Wanted) -> Path:
        path = folder / _name(part, source.url)
        if not path.exists():
            _write(path, [content for _, content in fetched(session, source.url, part)])
        return path

    paths = list(done_in_order(source, wanted, pace, fetch))
    has_points: set[int] = set()
    n_point = 0
    for path in paths:
        column = parquet.read_table(path, columns=["object_id"])["object_id"]
        n_point += len(column)
        has_points |= set(column.unique().to_pylist())
    missing = [one for one in wanted.object_ids.tolist() if one not in has_points]
    return Downloaded(tuple(paths), wanted.object_ids.size, n_point, np.array(missing, dtype=np.int64))


def rows_of_all(source: Source, wanted: Wanted, pace: Pace) -> pa.Table:
    """Points of many objects in memory."""

    def fetch(session: ServiceSession, part: Wanted) -> list[pa.Table]:
        return [parquet.read_table(io.BytesIO(content)) for _, content in fetched(session, source.url, part)]

    tables = [table for part in done_in_order(source, wanted, pace, fetch) for table in part]
    return pa.concat_tables([one.replace_schema_metadata(None) for one in tables])


def done_in_order(
    source: Source, wanted: Wanted, pace: Pace, work: Callable[[ServiceSession, Wanted], _T]
) -> Iterator[_T]:
    """Yield what is made of each part, in their order, and show on standard error how many objects are done.

    Where one fails, those that have begun are brought to their end, no more are begun, and the first that
    failed is told.
    """
    parts = list(wanted.parts(pace.size))
    bar = tqdm(total=wanted.object_ids.size, unit="object", disable=not pace.progress, mininterval=0.5)
    sessions: SimpleQueue[ServiceSession] = SimpleQueue()

    has_failed = threading.Event()

    def done(part: Wanted) -> _T:
        """Work on a part with a session that nobody else has, unless another part has failed."""
        if has_failed.is_set():
            raise CancelledError
        session = sessions.get()
        try:
            return work(session, part)
        except BaseException:
            has_failed.set()
            raise
        finally:
            sessions.put(session)

    running: deque[tuple[Wanted, Future[_T]]] = deque()
    with bar, ExitStack() as stack:
        sessions.put(source.session)
        for _ in range(1, min(pace.at_once, len(parts))):
            sessions.put(stack.enter_context(source.session.another()))
        pool = stack.enter_context(ThreadPoolExecutor(pace.at_once, "download"))
        stack.callback(pool.shutdown, cancel_futures=True)
        for part in parts:
            if len(running) == 2 * pace.at_once:
                yield _next(running, bar)
            running.append((part, pool.submit(done, part)))
        while running:
            yield _next(running, bar)


def _next(running: deque[tuple[Wanted, Future[_T]]], bar: Any) -> _T:
    """What is made of the part that began first."""
    part, future = running.popleft()
    found = future.result()
    bar.update(part.object_ids.size)
    return found


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
