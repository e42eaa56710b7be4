"""The socket at which the service listens."""

import asyncio
import socket

import click
import pytest

from roman_db.tap.server import _listening


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_small_packets_of_answers_wait_for_no_others(host):
    """Answers begin with a small packet, which a client acknowledges 40 ms later where it waits for more."""

    async def accepted() -> int:
        given = asyncio.get_running_loop().create_future()

        def take(_, writer) -> None:
            one = writer.get_extra_info("socket")
            given.set_result(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with _listening(host, 0) as listening:
            server = await asyncio.start_server(take, sock=listening)
            async with server:
                _, writer = await asyncio.open_connection(*listening.getsockname()[:2])
                writer.close()
                return await given

    assert asyncio.run(accepted()) != 0


def test_a_port_that_is_taken_is_told():
    with _listening("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(click.ClickException, match=f"cannot listen at 127.0.0.1, port {port}"):
            _listening("127.0.0.1", port)
