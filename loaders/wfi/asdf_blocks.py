"""Whether an ASDF file still holds all its binary blocks, told from their headers without reading them.

Layout after the ASDF Standard 1.6, "Low-level file layout": a YAML header that ends in a line ``...``, then
blocks, each with a magic token, the size of its header, and flags, compression, allocated size, used size and
data size in network byte order; then, optionally, a block index.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import BinaryIO

_HEADER_END = re.compile(rb"\r?\n\.\.\.\r?\n")
_SOURCE = re.compile(rb"\bsource: (\d+)")
_BLOCK_MAGIC = b"\xd3BLK"
_INDEX_MAGIC = b"#ASDF BLOCK INDEX"
_STREAMED = 1
_CHUNK = 1 << 16


def missing_end(path: Path) -> str | None:
    """Say what is missing at the end of an ASDF file.

    Parameters
    ----------
    path
        File that begins as ASDF does.

    Returns
    -------
    str or None
        None for a complete file; otherwise what is cut off.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        header = _read_header(stream)
        if header is None:
            return f"the header does not end within the {size} bytes of the file"
        wanted = 1 + max((int(number) for number in _SOURCE.findall(header)), default=-1)
        stream.seek(_first_block(stream, len(header)))
        return _walk(stream, size, wanted)


def _read_header(stream: BinaryIO) -> bytes | None:
    """Bytes up to and including the line that ends the YAML header; None if there is none."""
    header = b""
    while chunk := stream.read(_CHUNK):
        header += chunk
        if found := _HEADER_END.search(header, max(0, len(header) - len(chunk) - 8)):
            return header[: found.end()]
    return None


def _first_block(stream: BinaryIO, start: int) -> int:
    """Offset of the first block: the header may be padded."""
    stream.seek(start)
    found = stream.read(_CHUNK).find(_BLOCK_MAGIC)
    return start + max(found, 0)


def _walk(stream: BinaryIO, size: int, wanted: int) -> str | None:
    """Step from block to block to the end of the file."""
    count = 0
    while (magic := stream.read(4)) == _BLOCK_MAGIC:
        fields = stream.read(50)
        if len(fields) < 50:
            return f"the header of block {count} is cut off"
        header_size, flags, allocated = struct.unpack(">HI4xQ", fields[:18])
        end = stream.tell() - 48 + header_size + allocated
        count += 1
        if flags & _STREAMED:
            break
        if end > size:
            return f"block {count - 1} should end at byte {end}, the file has {size}"
        stream.seek(end)
    if count < wanted:
        return f"{wanted} blocks are referred to, {count} are there"
    return None if _ends_well(magic, stream) else "the block index at the end is cut off"


def _ends_well(magic: bytes, stream: BinaryIO) -> bool:
    """Whether nothing or a whole block index follows the last block."""
    if magic in (b"", _BLOCK_MAGIC):
        return True
    rest = magic + stream.read(_CHUNK)
    return rest.startswith(_INDEX_MAGIC) and rest.rstrip().endswith(b"...")
