"""Where a collection goes: a folder, or any address that fsspec knows (``s3://bucket/folder``)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from roman_db.archive.publish import sync_folder
from roman_db.query.error import QueryError

Item = TypeVar("Item")
Result = TypeVar("Result")
#: Requests that are sent side by side, and those whose answers are kept until it is their turn.
_AT_ONCE, _IN_HAND = 16, 128


class Place:
    """A folder or a prefix of an object store; paths are relative to it.

    A file begins to exist when it is whole: in a folder by its name, in an object store by the nature of it.
    """

    def __init__(self, url: str) -> None:
        try:
            self._fs, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise QueryError(f"{url}: {error}") from error
        self.url = str(self._fs.unstrip_protocol(self._root))

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return isinstance(self._fs, LocalFileSystem)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Folder of this machine for drafts; in a folder one within it, so that they need only be renamed."""
        if not self.is_local:
            with tempfile.TemporaryDirectory(prefix="roman-db-hats-") as name:
                yield Path(name)
            return
        folder = Path(self._root) / ".export"
        # What a process that was killed has left.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, file: Path, path: str) -> None:
        """Move a file of this machine to its place."""
        target = self._path(path)
        if not self.is_local:
            self._fs.put_file(str(file), target)
            file.unlink()
            return
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
        file.replace(target)
        sync_folder(Path(target).parent)

    def take(self, source: str, path: str) -> None:
        """Have a file under another name, too: a link in a folder, a copy by the store itself elsewhere."""
        origin, target = self._path(source), self._path(path)
        if not self.is_local:
            self._fs.cp_file(origin, target)
            return
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).unlink(missing_ok=True)
        Path(target).hardlink_to(origin)

    def write(self, path: str, data: bytes, scratch: Path) -> None:
        """Write a small file."""
        draft = scratch / "draft"
        draft.write_bytes(data)
        self.put(draft, path)

    def read(self, path: str) -> bytes | None:
        """Content of a small file; None if there is none."""
        try:
            return cast(bytes, self._fs.cat_file(self._path(path)))
        except FileNotFoundError:
            return None

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Open a file for reading."""
        with self._fs.open(self._path(path), "rb") as stream:
            yield cast(BinaryIO, stream)

    def sizes(self, path: str) -> dict[str, int]:
        """Files below a folder with their sizes, by their paths from there."""
        self._fs.invalidate_cache()
        top = self._path(path).rstrip("/") + "/"
        found = self._fs.find(top, detail=True)
        return {name.removeprefix(top): int(one["size"]) for name, one in found.items()}

    def folders(self) -> list[str]:
        """Names of the folders in it."""
        self._fs.invalidate_cache()
        try:
            entries = self._fs.ls(self._root, detail=True)
        except FileNotFoundError:
            return []
        return [
            entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in entries if entry["type"] == "directory"
        ]

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files."""
        for path in paths:
            self._fs.rm_file(self._path(path))

    def remove_folder(self, path: str) -> None:
        """Remove a folder with all that is in it."""
        self._fs.rm(self._path(path), recursive=True)

    def _path(self, path: str) -> str:
        """Path as the file system has it."""
        return f"{self._root}/{path}"


def side_by_side(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """What a function gives for each of some things, in their order; a store answers many at once."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for first in range(0, len(items), _IN_HAND):
            yield from pool.map(function, items[first : first + _IN_HAND])
