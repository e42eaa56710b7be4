"""How fast a client must take an answer whose query holds a place, and send tables that come with one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

#: Bytes that a client must take or send in the seconds of its pace.
BYTES = 2**20


class Pace:
    """Time that a client has left: some seconds at first, and for each byte as much as it may take.

    Only the time counts in which we wait for the client. The time left is never more than that of the
    beginning, so that who was fast is not waited for longer than others.

    Parameters
    ----------
    seconds
        Longest time for each `BYTES`.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = self._left = seconds

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Wait for the client; raises `TimeoutError` when its time is over."""
        began = anyio.current_time()
        with anyio.fail_after(max(0.0, self._left)):
            yield
        self._left -= anyio.current_time() - began

    def moved(self, n_byte: int) -> None:
        """Count bytes that the client took or sent."""
        self._left = min(self._seconds, self._left + n_byte / BYTES * self._seconds)
