"""Asking a server whether it takes connections, without making one.

A program that connects while the server starts, stops or recovers gets an error; libpq's ``PQping`` tells
that from a server that is up, and psycopg2 does not have it. The messages are those of "Message Formats" in
PostgreSQL's documentation of its frontend/backend protocol 3.0.
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

_PROTOCOL = 3 << 16
#: Not a role: the server asks for a password before it says who exists, and notes nothing in its log.
_PARAMETERS = b"user\0roman_ping\0database\0postgres\0\0"
_AUTHENTICATION, _ERROR = b"R", b"E"
_CANNOT_CONNECT_NOW = b"C57P03\0"
_TIMEOUT_S = 3.0


def takes_connections(socket_file: Path) -> bool:
    """Return whether a server listens on the unix socket ``socket_file`` and takes connections now."""
    startup = struct.pack("!ii", 8 + len(_PARAMETERS), _PROTOCOL) + _PARAMETERS
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_TIMEOUT_S)
        try:
            client.connect(os.fspath(socket_file))
            client.sendall(startup)
            answer = client.recv(4096)
        except OSError:
            return False
    return answer[:1] == _AUTHENTICATION or (answer[:1] == _ERROR and _CANNOT_CONNECT_NOW not in answer)
