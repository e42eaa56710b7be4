"""The plain files below a folder whose paths have a pattern, as they are now."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple


class Seen(NamedTuple):
    """A file as it was seen: path, bytes, and seconds since the epoch at which it was modified."""

    path: str
    size: int
    modified: float


def look(folder: Path, pattern: str) -> list[Seen]:
    """Look for plain files of a pattern of `pathlib.Path.glob` below a folder, in the order of their paths.

    Each file is looked at, since one that is written anew where it is changes nothing in its folder.

    Raises
    ------
    OSError
        If the folder cannot be read, of which the pattern would find nothing.
    """
    os.scandir(folder).close()
    found = []
    for path in folder.glob(pattern):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # taken away since, or a link to nowhere
        if stat.S_ISREG(status.st_mode):
            found.append(Seen(str(path), status.st_size, status.st_mtime))
    return sorted(set(found))
