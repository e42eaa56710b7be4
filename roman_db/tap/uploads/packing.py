"""What comes packed by gzip (RFC 1952), unpacked as long as it does not grow beyond what is allowed."""

from __future__ import annotations

import zlib

from roman_db.service_failure import BadRequest

_GZIP = b"\x1f\x8b\x08"
#: Bits of the window of zlib, and 16 for the header and sum of gzip.
_WINDOW = 15 + 16
#: Names of gzip in headers (RFC 9110, section 8.4.1.3), and of nothing.
PACKED, PLAIN = ("gzip", "x-gzip"), ("", "identity")


class Unpacker:
    """Unpacks what comes in pieces; there may be several members one after another.

    Parameters
    ----------
    name
        What is unpacked, for errors.
    size
        Most bytes that it may have.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = self._left = size
        self._member: zlib._Decompress | None = None

    def feed(self, packed: bytes) -> bytes:
        """What a piece unpacks to.

        Raises
        ------
        BadRequest
            If it is not packed by gzip, or more than may be.
        """
        parts = []
        while packed:
            if self._member is None:
                packed = packed.lstrip(b"\0")  # to whole blocks of a tape
                self._member = zlib.decompressobj(_WINDOW) if packed else None
                continue
            try:
                parts.append(self._member.decompress(packed, self._left + 1))
            except zlib.error as error:
                raise BadRequest(f"{self._name}: it is packed by gzip, and damaged") from error
            self._left -= len(parts[-1])
            if self._left < 0:
                raise BadRequest(f"{self._name}: it has more than {self._size} bytes when it is unpacked")
            packed = self._member.unused_data
            if self._member.eof:
                self._member = None
        return b"".join(parts)

    def end(self) -> None:
        """Say that nothing more comes.

        Raises
        ------
        BadRequest
            If the end is missing.
        """
        if self._member is not None:
            raise BadRequest(f"{self._name}: it is packed by gzip, and its end is missing")


def unpacked(name: str, content: bytes, size: int) -> bytes:
    """A file as it was before it was packed; one that is not packed as it stands.

    Parameters
    ----------
    name
        What it is, for errors.
    content
        The file.
    size
        Most bytes that it may have, unpacked.

    Raises
    ------
    BadRequest
        If it is damaged, or has more.
    """
    if not content.startswith(_GZIP):
        return content
    unpacker = Unpacker(name, size)
    found = unpacker.feed(content)
    unpacker.end()
    return found
