"""The plain files below a folder whose paths have a pattern, as they are now."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_ANY_FOLDERS = "**"
_TWICE = (_ANY_FOLDERS, _ANY_FOLDERS)


class Seen(NamedTuple):
    """A file as it was seen: path, bytes, and seconds since the epoch at which it was modified."""

    path: str
    size: int
    modified: float


def look(folder: Path, pattern: str) -> list[Seen]:
    """Look for plain files of a pattern below a folder, in the order of their paths.

    The pattern is that of `pathlib.Path.glob`, which takes twice as long. Each file is looked at, since
    a file that is written anew where it is changes nothing in its folder.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    once = [part for part, before in zip(parts, ["", *parts], strict=False) if (part, before) != _TWICE]
    found = {}
    for entry in _entries(str(folder), once):
        try:
            status = entry.stat()
        except FileNotFoundError:
            continue  # taken away since, or a link to nowhere
        if stat.S_ISREG(status.st_mode):
            found[entry.path] = Seen(entry.path, status.st_size, status.st_mtime)
    return [found[path] for path in sorted(found)]


def _entries(folder: str, parts: Sequence[str]) -> list[os.DirEntry[str]]:
    """What is below a folder and has the parts of a pattern; links to folders are no folders of ``**``."""
    with os.scandir(folder) as scanned:
        entries = list(scanned)
    if parts[0] != _ANY_FOLDERS:
        return _matching(entries, parts)
    folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    below = [found for entry in folders for found in _below(entry, parts)]
    return _matching(entries, parts[1:] or ["*"]) + below


def _matching(entries: Sequence[os.DirEntry[str]], parts: Sequence[str]) -> list[os.DirEntry[str]]:
    """Those of the first part of a pattern, or what is below them that has the other parts."""
    name = re.compile(fnmatch.translate(parts[0])).match
    named = [entry for entry in entries if name(entry.name)]
    if len(parts) == 1:
        return named
    return [found for entry in named if entry.is_dir() for found in _below(entry, parts[1:])]


def _below(entry: os.DirEntry[str], parts: Sequence[str]) -> list[os.DirEntry[str]]:
    """As `_entries`; a folder that was taken away since, or is closed to us, has nothing."""
    try:
        return _entries(entry.path, parts)
    except (FileNotFoundError, PermissionError):
        return []
