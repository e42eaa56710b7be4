"""Places that are shared fairly: who holds few gets the next, however many wait behind somebody else's name.

Max-min fairness (Bertsekas & Gallager 1992, Data Networks, section 6.5.2) over whole places: the next free
one goes to the party that holds the fewest of those that wait and have not reached their own limit; among
equals to the one that got its last place longest ago.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass, field

from roman_db.service_failure import TooMany


@dataclass
class _Party:
    """Who shares: what it holds, who waits, and when it was last served."""

    limit: int
    n_held: int = 0
    served: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class FairQueue:
    """A number of places for parties; to be used in one event loop.

    Parameters
    ----------
    size
        Places in all.
    longest
        Most that may wait for one party.
    """

    def __init__(self, size: int, longest: int) -> None:
        self._n_free = size
        self._longest = longest
        self._parties: dict[Hashable, _Party] = {}
        self._turn = itertools.count(1)

    @contextlib.asynccontextmanager
    async def place(self, party: Hashable, limit: int) -> AsyncIterator[None]:
        """Wait for a place, and hold it while the context lasts.

        Parameters
        ----------
        party
            For whom; all of one party share its limit.
        limit
            Most places that the party may hold, at least 1; the latest that was said counts.

        Raises
        ------
        TooMany
            If too many wait for the party already.
        """
        await self._take(party, limit)
        try:
            yield
        finally:
            self._give_back(party)

    def n_waiting(self, party: Hashable) -> int:
        """Number of those who wait for a party."""
        return len(self._parties[party].waiting) if party in self._parties else 0

    def n_held(self, party: Hashable) -> int:
        """Number of places that a party holds."""
        return self._parties[party].n_held if party in self._parties else 0

    async def _take(self, name: Hashable, limit: int) -> None:
        """Wait until a place is ours."""
        party = self._parties.setdefault(name, _Party(limit))
        party.limit = limit
        if len(party.waiting) >= self._longest:
            raise TooMany(f"{self._longest} queries wait already: ask again when some of them have ended")
        ours: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        party.waiting.append(ours)
        self._serve()
        try:
            await ours
        except asyncio.CancelledError:
            if ours.done() and not ours.cancelled():
                self._give_back(name)  # the place came at the moment at which nobody wanted it any more
            else:
                with contextlib.suppress(ValueError):  # it was passed over as cancelled
                    party.waiting.remove(ours)
                self._forget(name)
            raise

    def _give_back(self, name: Hashable) -> None:
        """Free a place, and give it to the next."""
        self._parties[name].n_held -= 1
        self._n_free += 1
        self._serve()
        self._forget(name)

    def _serve(self) -> None:
        """Give the free places to those whose turn it is."""
        while self._n_free > 0 and (party := self._next()) is not None:
            ours = party.waiting.popleft()
            if ours.cancelled():
                continue
            self._n_free -= 1
            party.n_held += 1
            party.served = next(self._turn)
            ours.set_result(None)

    def _next(self) -> _Party | None:
        """Party whose turn it is; None where nobody waits who may have a place."""
        ready = (p for p in self._parties.values() if p.waiting and p.n_held < p.limit)
        return min(ready, key=lambda p: (p.n_held, p.served), default=None)

    def _forget(self, name: Hashable) -> None:
        """Keep nothing of a party that neither holds nor waits."""
        party = self._parties.get(name)
        if party is not None and not party.n_held and not party.waiting:
            del self._parties[name]
