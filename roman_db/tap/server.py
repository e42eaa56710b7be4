"""The process that listens."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import click
import uvicorn

from roman_db import session
from roman_db.settings import settings
from roman_db.tap.application import make_application

#: Seconds that running queries have to end when the server is told to stop.
_GRACE_S = 5
#: Clients that the system keeps waiting for us to take their connection.
_BACKLOG = 2048


def run(host: str, port: int) -> None:
    """Serve until interrupted, and say first where.

    Raises
    ------
    click.ClickException
        If the address cannot be listened at.
    """
    session.reader_engine().connect().close()  # where there is no database, that is said at once
    configuration = uvicorn.Config(
        make_application(),
        http="httptools",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
        headers=[("Server", "roman-db")],
        # A list, since uvicorn looks into the environment where there is none.
        forwarded_allow_ips=(settings().tap_proxies or "").split(","),
    )
    with _listening(host, port) as listening:
        address, number = listening.getsockname()[:2]
        click.echo(f"TAP service at http://{f'[{address}]' if ':' in address else address}:{number}/tap")
        uvicorn.Server(configuration).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    """Socket that listens."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Of a socket without its protocol asyncio does not know that small packets must not wait for others.
        with ExitStack() as until_it_listens:
            listening = until_it_listens.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # What a client does not take that was cut off is forgotten, and its connection with it.
            pace_ms = round(settings().tap_pace_s * 1000)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, pace_ms)
            listening.bind(address)
            listening.listen(_BACKLOG)
            until_it_listens.pop_all()
    except OSError as error:
        raise click.ClickException(
            f"cannot listen at {host}, port {port}: {error.strerror}; --host and --port name others"
        ) from error
    return listening
