"""Pictures as PNG (W3C Recommendation, third edition): grey levels, without a library that draws."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"

#: Bits a sample, colour type (grey), compression, filter and interlace methods.
_HEADER = (8, 0, 0, 0, 0)


def png(levels: npt.NDArray[np.uint8]) -> bytes:
    """Picture of grey levels, shape (ny, nx), its first row at the top."""
    height, width = levels.shape
    unfiltered = np.zeros((height, width + 1), np.uint8)
    unfiltered[:, 1:] = levels
    header = struct.pack(">IIBBBBB", width, height, *_HEADER)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(unfiltered.tobytes(), 6)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
