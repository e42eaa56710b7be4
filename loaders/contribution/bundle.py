"""A collection as one file: what people download whole, the same to the last byte whenever it is made."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

from loaders.output_folder import writing

_CHECKSUMS = "SHA256SUMS"


def write_bundle(folder: Path, name: str) -> Path:
    """Write ``<name>.tar`` beside the folder of a collection, with checksums, and return its path.

    Raises
    ------
    Rejected
        Code ``unwritable_folder``.
    """
    target = folder.parent / f"{name}.tar"
    part = target.with_suffix(".part")
    with writing(target):
        (folder / _CHECKSUMS).write_text(_checksums(folder))
        with tarfile.open(part, "w") as bundle:
            for path in sorted(folder.iterdir()):
                bundle.add(path, f"{name}/{path.name}", filter=_without_origin)
        part.replace(target)
    return target


def _checksums(folder: Path) -> str:
    """Checksums as ``sha256sum --check`` takes them."""
    lines = []
    for path in sorted(folder.iterdir()):
        if path.name != _CHECKSUMS:
            with path.open("rb") as stream:
                lines.append(f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {path.name}\n")
    return "".join(lines)


def _without_origin(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who wrote a file, and when."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644
    return entry
