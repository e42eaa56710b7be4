"""Blocks of an ASDF file against their checksums, a piece at a time.

The asdf library compares checksums of blocks that it holds in memory alone. A block has a header (ASDF
standard 1.6, "Block header"): four bytes, its length, flags, compression, bytes that are allocated and used,
the length of the data and the MD5 checksum of what is used; zeros where there is none.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import BinaryIO

_MAGIC, _INDEX = b"\xd3BLK", b"#ASD"
_LENGTH = struct.Struct(">H")
_HEADER = struct.Struct(">I4sQQQ16s")
_TREE_ENDS = b"..."
_READ_AT_A_TIME = 1 << 20


def check_blocks(path: Path) -> int:
    """Read all blocks of a file, and return how many they are.

    Raises
    ------
    ValueError
        If one is not whole, or has another checksum than its header says.
    OSError
        If the file cannot be read.
    """
    n_block = 0
    with path.open("rb") as stream:
        _skip_tree(stream)
        while (magic := stream.read(len(_MAGIC))) == _MAGIC:
            _check_block(stream, n_block)
            n_block += 1
    if magic not in (b"", _INDEX):
        raise ValueError(f"after block {n_block} is neither a block nor the end")
    return n_block


def _skip_tree(stream: BinaryIO) -> None:
    """Go to the first block: behind the line that ends the tree."""
    for line in stream:
        if line.rstrip(b"\r\n") == _TREE_ENDS:
            return
    raise ValueError("its tree has no end")


def _check_block(stream: BinaryIO, number: int) -> None:
    """Read a block from behind its first four bytes to its end."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size, number))
    header = _exactly(stream, max(length, _HEADER.size), number)
    _, _, allocated, used, _, said = _HEADER.unpack(header[: _HEADER.size])
    if length < _HEADER.size or used > allocated:
        raise ValueError(f"the header of block {number} is none")
    checksum = hashlib.md5(usedforsecurity=False)
    for start in range(0, used, _READ_AT_A_TIME):
        checksum.update(_exactly(stream, min(_READ_AT_A_TIME, used - start), number))
    if any(said) and said != checksum.digest():
        raise ValueError(f"block {number} has another checksum than its header says")
    stream.seek(allocated - used, 1)


def _exactly(stream: BinaryIO, size: int, number: int) -> bytes:
    """Read so many bytes."""
    found = stream.read(size)
    if len(found) != size:
        raise ValueError(f"block {number} ends too early")
    return found
