"""Places for work beside queries: what is done before one runs, tables that come with one, and pages.

Each kind has its own, so that none takes the threads and connections on which signing in, the ledger and jobs
depend, and of each a party has no more than some.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import anyio.to_thread

from roman_db.accounts.fair_queue import FairQueue

_T = TypeVar("_T")
#: What may wait for one party.
_LONGEST_QUEUE = 1000


class SideWork(enum.Enum):
    """Kinds of work: places of each, and most of one party."""

    #: Reading and translating a query.
    PREPARING = (4, 2)
    #: Asking the database, on a connection of the queries, what is to be known before one has its place.
    LOOKING = (2, 1)
    #: A request with tables, from its first byte to the end of its answer: they are in memory meanwhile.
    UPLOAD = (12, 4)
    #: A page with what it shows at once.
    PAGE = (4, 3)


class SidePlaces:
    """The places of all kinds; to be used in one event loop."""

    def __init__(self) -> None:
        self._queues = {work: FairQueue(work.value[0], _LONGEST_QUEUE) for work in SideWork}

    def place(self, work: SideWork, party: str) -> AbstractAsyncContextManager[None]:
        """Wait for a place, and hold it while the context lasts.

        Raises
        ------
        TooMany
            If too many wait for the party already.
        """
        return self._queues[work].place(party, work.value[1])

    async def prepared(self, party: str, make: Callable[[], _T]) -> _T:
        """Make something in a thread, once there is a place for preparing; raises as `place`."""
        async with self.place(SideWork.PREPARING, party):
            return await anyio.to_thread.run_sync(make)
