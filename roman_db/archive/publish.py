"""Files that appear only when they are whole, and stay when the power fails."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def staged(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside its place for writing and reading; it takes its name when all went well.

    Raises
    ------
    OSError
        If it cannot be written; nothing of it is left then.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the name of a new file on disk, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
