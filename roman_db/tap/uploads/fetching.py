"""Tables that a query names by address (TAP 1.1, section 2.7.6): fetched from the public network alone.

TAP 1.1 has whoever takes tables take them from addresses too (``upload-http``). An address is a wish of a
stranger, so none leads to this machine or its neighbours: a name is looked up once, all its addresses must be
public, and the connection goes to the one that was looked at; so does each redirection.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

from roman_db.service_failure import BadRequest, Failure
from roman_db.tap.uploads.packing import PACKED, PLAIN

#: Ports that are asked, by scheme that of who names none first.
_PORTS = {"http": (80, 8080), "https": (443, 8443)}
_MOST_REDIRECTIONS = 3
#: Seconds of one fetch, and of one wait in it.
_WHOLE_S, _WAIT_S = 60.0, 10.0
_BLOCK = 2**18
#: IPv4 inside of IPv6 (RFC 6052, 3056, 4380), by which a gateway could lead back to us.
_TRANSLATED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
#: Fetches at a time: those of slow addresses hold threads that answer others.
_places = threading.BoundedSemaphore(8)


class Busy(Failure):
    """So much is being fetched that no more can be."""

    status = 503


def is_public(host: str, port: int) -> bool:
    """Whether an address in numbers is of the public network, and a port one that is asked."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address) and any(address in one for one in _TRANSLATED):
        return False
    is_asked = any(port in ports for ports in _PORTS.values())
    return address.is_global and not address.is_multicast and is_asked


def fetch(url: str, size: int, allowed: Callable[[str, int], bool] = is_public) -> bytes:
    """Fetch what is at an address.

    Parameters
    ----------
    url
        Address, http or https.
    size
        Most bytes.
    allowed
        Whether an address in numbers and a port may be asked.

    Raises
    ------
    BadRequest
        If it is no address that is asked, or does not give so many bytes in time.
    Busy
        If too much is being fetched already.
    """
    if not _places.acquire(timeout=1):
        raise Busy("too many tables are being fetched: ask again, or send the table along")
    deadline = _Deadline(_WHOLE_S)
    try:
        content = _fetched(url, size, allowed, deadline)
        if deadline.is_over:
            raise TimeoutError
        return content
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = f"it takes longer than {_WHOLE_S:g} s"
        raise _refused(url, late if deadline.is_over else "it does not answer as it should") from error
    finally:
        deadline.close()
        _places.release()


class _Deadline:
    """Ends a connection when its time is over, whatever is waited for on it: a head may come byte by byte."""

    def __init__(self, seconds: float) -> None:
        self._alone = threading.Lock()
        self._link: socket.socket | None = None
        #: Whether the time is over.
        self.is_over = False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, link: socket.socket) -> None:
        """Have a connection ended in place of the one before; raises `TimeoutError` where it is too late."""
        with self._alone:
            self._forget()
            if self.is_over:
                raise TimeoutError
            self._link = link.dup()  # TLS takes the socket over

    def close(self) -> None:
        """Watch no more."""
        self._timer.cancel()
        with self._alone:
            self._forget()

    def _end(self) -> None:
        with self._alone:
            self.is_over = True
            if self._link is not None:
                with contextlib.suppress(OSError):
                    self._link.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


def _fetched(url: str, size: int, allowed: Callable[[str, int], bool], deadline: _Deadline) -> bytes:
    """Content of an address, or of those to which it leads."""
    for _ in range(_MOST_REDIRECTIONS + 1):
        parts = urlsplit(url)
        with contextlib.closing(_connected(url, parts, allowed, deadline)) as connection:
            target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
            connection.request("GET", target, headers={"Accept-Encoding": "identity"})
            answer = connection.getresponse()
            if answer.status in (301, 302, 303, 307, 308):
                url = urljoin(url, answer.headers.get("location", ""))
                continue
            if answer.status != 200:
                raise _refused(url, f"it answers {answer.status}")
            return _content(url, answer, size)
    raise _refused(url, f"it leads on more than {_MOST_REDIRECTIONS} times")


def _connected(
    url: str, parts: SplitResult, allowed: Callable[[str, int], bool], deadline: _Deadline
) -> http.client.HTTPConnection:
    """Connection to the host of an address, by the number that was looked at."""
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise _refused(url, "it must be http:// or https:// and a host, without a name or password")
    port = parts.port or _PORTS[parts.scheme][0]
    found = {str(one[4][0]) for one in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)}
    if not all(allowed(one.partition("%")[0], port) for one in found):
        raise _refused(url, "only public addresses on the usual ports are asked")
    connection = http.client.HTTPConnection(parts.netloc.rpartition("@")[2], timeout=_WAIT_S)
    plain = socket.create_connection((min(found), port), _WAIT_S)
    connection.sock = plain
    deadline.watch(plain)
    if parts.scheme == "https":
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)
    return connection


def _content(url: str, answer: http.client.HTTPResponse, size: int) -> bytes:
    """Bytes of an answer while they are not too many; packed by gzip where they come so."""
    if answer.headers.get("content-encoding", "").lower() not in (*PLAIN, *PACKED):
        raise _refused(url, "it answers in a compression that was not asked for, and is not gzip")
    blocks, n_byte = [], 0
    while block := answer.read1(_BLOCK):
        blocks.append(block)
        n_byte += len(block)
        if n_byte > size:
            raise _refused(url, f"it has more than {size} bytes")
    return b"".join(blocks)


def _refused(url: str, reason: str) -> BadRequest:
    return BadRequest(f"UPLOAD: {url[:100]!r} cannot be fetched: {reason}")
