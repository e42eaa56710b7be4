"""The manifest of a delivery: what it is of, and name, size and checksum of each of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: Names of the manifest, and of the list of the files of which the products were made.
MANIFEST, INPUTS = "manifest.json", "inputs.sha256"
_READ_AT_A_TIME = 1 << 20


@dataclass(frozen=True)
class DeliveredFile:
    """A file of a delivery.

    Parameters
    ----------
    filename, sha256, size_bytes
        Name, SHA-256 checksum and size.
    product
        Product that it is; None for the list of inputs.
    n_row
        Rows; None for what is no table.
    """

    filename: str
    sha256: str
    size_bytes: int
    product: str | None = None
    n_row: int | None = None


def described(path: Path, product: str | None = None, n_row: int | None = None) -> DeliveredFile:
    """File as a manifest names it; all of it is read.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    checksum, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_READ_AT_A_TIME):
            checksum.update(block)
            size += len(block)
    return DeliveredFile(path.name, checksum.hexdigest(), size, product, n_row)


def text_of(delivery: Mapping[str, Any], files: Sequence[DeliveredFile]) -> bytes:
    """Manifest of a delivery as JSON: the same bytes of the same content."""
    listed = [asdict(file) for file in sorted(files, key=lambda file: file.filename)]
    return (json.dumps({**delivery, "files": listed}, indent=1) + "\n").encode()


def sha256_of(content: bytes) -> str:
    """SHA-256 checksum of a text."""
    return hashlib.sha256(content).hexdigest()


def faults(folder: Path, expected: str) -> Iterator[str]:
    """Yield what is wrong with the files of a delivery; nothing if all is as it was made.

    Parameters
    ----------
    expected
        SHA-256 checksum of the manifest.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError as error:
        yield f"{folder / MANIFEST}: {error.strerror}"
        return
    if sha256_of(content) != expected:
        yield f"{folder / MANIFEST} is not the manifest that was written"
        return
    files = json.loads(content)["files"]
    named = {file["filename"] for file in files}
    for file in files:
        if (fault := _fault(folder / file["filename"], file)) is not None:
            yield fault
    for path in sorted(folder.iterdir()):
        if path.name not in (*named, MANIFEST):
            yield f"{path} is not in the manifest"


def _fault(path: Path, file: Mapping[str, Any]) -> str | None:
    """What is wrong with one file."""
    try:
        found = described(path)
    except OSError as error:
        return f"{path}: {error.strerror}"
    if found.size_bytes != file["size_bytes"]:
        return f"{path} has {found.size_bytes} bytes and not {file['size_bytes']}"
    return None if found.sha256 == file["sha256"] else f"{path} has another checksum than in the manifest"
