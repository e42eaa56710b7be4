"""What stands in front of a query, and what is written when it has ended.

`Admission.admit` says whether and with what limits it may run, `Admission.running` waits for its turn, has it
measured, and writes it to the ledger in whatever way it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import anyio
import anyio.to_thread

from roman_db.accounts.account import Account
from roman_db.accounts.client import client_of, party_for
from roman_db.accounts.day_quota import DayQuota, Used
from roman_db.accounts.fair_queue import FairQueue
from roman_db.accounts.ledger import Ledger
from roman_db.accounts.side_places import SidePlaces
from roman_db.accounts.usage import Entry, Kind, Outcome, used_since, write_entries
from roman_db.service_failure import Forbidden, TooMuch

#: Largest share of the places that one party may hold, a fraction: queries are not interrupted, so some are
#: kept for others even while nobody else asks.
_SHARE = 3, 4
#: Queries that may wait for one account, or team, or address of somebody who did not sign in.
LONGEST_QUEUE = 1000
#: Kinds whose answer somebody waits for.
_WAITED_FOR = (Kind.SYNC, Kind.SERVICE, Kind.PORTAL)


def check_area(account: Account, sky_area: float) -> None:
    """Say whether an account may process an area of the sky, in square degrees.

    Raises
    ------
    TooMuch
        If it is larger than the account may.
    """
    if sky_area > account.limits.sky_area:
        raise TooMuch(
            f"the request processes {sky_area:.4g} deg2, account {account.name!r} may "
            f"{account.limits.sky_area:g}: ask for less, or for exceptional resources"
        )


@dataclass(frozen=True)
class Admitted:
    """A query that may run.

    Parameters
    ----------
    account, kind
        Whose, and how it runs.
    party
        With whom it shares its places.
    rows
        Most rows that it may give.
    seconds
        Longest time that it may take.
    queued_at
        When it was asked.
    """

    account: Account
    kind: Kind
    party: str
    rows: int
    seconds: float
    queued_at: datetime


@dataclass
class Meter:
    """What a query has given so far, and how it ends: what raises has failed, unless it says otherwise.

    Parameters
    ----------
    n_row, n_byte
        Rows and bytes.
    sky_area
        Area of the sky of which they tell, in square degrees; None where that is not known.
    outcome
        How it ends.
    """

    n_row: int = 0
    n_byte: int = 0
    sky_area: float | None = None
    outcome: Outcome = Outcome.DONE


class Admission:
    """Places for queries, shared fairly among accounts; to be used in one event loop.

    Parameters
    ----------
    size
        Queries that run at the same time, of all accounts.
    write
        Writes entries of the ledger; it is called in a thread.
    read_day
        Says what an account or address has used since the day began (`used_since`); it is called in a thread.
    """

    def __init__(
        self,
        size: int,
        write: Callable[[Sequence[Entry]], None] = write_entries,
        read_day: Callable[[Account, str | None, datetime], Used] = used_since,
    ) -> None:
        self.day = DayQuota(read_day)
        self.queue = FairQueue(size, LONGEST_QUEUE)
        self.beside = SidePlaces()
        self._largest = max(1, size * _SHARE[0] // _SHARE[1])
        self._ledger = Ledger(write)

    def admit(
        self, account: Account, kind: Kind, rows: int, client: str | None = None, sky_area: float = 0
    ) -> Admitted:
        """Say whether a query may run, and with what limits.

        Parameters
        ----------
        account
            Who asks.
        kind
            How it is to run.
        rows
            Rows that are asked for; it may get fewer.
        client
            Name of the address of who asks without signing in (`client_name`): each has places of his own.
        sky_area
            Area that it processes, in square degrees, where that is known.

        Raises
        ------
        Forbidden
            If the account is not active, or its renewal has passed.
        TooMuch
            If the area is larger than it may be.
        """
        now, limits = datetime.now(UTC), account.limits
        if account.state != "active":
            raise Forbidden(f"account {account.name!r} is {account.state}")
        if account.is_due(now):
            raise Forbidden(
                f"account {account.name!r} was to be renewed by {account.expires_at:%Y-%m-%d}: "
                "ask the operators to"
            )
        check_area(account, sky_area)
        seconds = limits.seconds_sync if kind in _WAITED_FOR else limits.seconds_async
        return Admitted(account, kind, party_for(account, client), min(rows, limits.rows), seconds, now)

    @contextlib.asynccontextmanager
    async def _place(self, admitted: Admitted) -> AsyncIterator[None]:
        """Wait for the turn of a query, and hold its place while the context lasts.

        Raises
        ------
        TooMany
            If too many wait for the account already, or it has used up its day.
        """
        await self.check_day(admitted)
        most = min(admitted.account.limits.concurrent, self._largest)
        async with self.queue.place(admitted.party, most):
            yield

    async def check_day(self, admitted: Admitted) -> None:
        """Say whether an account may use more today; raises `TooMany` where it may not."""
        if not self.day.is_known(admitted.party):
            await anyio.to_thread.run_sync(partial(self.day.read, admitted.account, admitted.party))
        self.day.check(admitted.account, admitted.party)

    @contextlib.asynccontextmanager
    async def running(self, admitted: Admitted) -> AsyncIterator[Meter]:
        """Wait for the turn of a query, hold its place while the context lasts, and write it to the ledger.

        Raises
        ------
        TooMany
            If too many wait for the account already, or it has used up its day; that is not written.
        """
        meter, began = Meter(), None
        started_at: datetime | None = None
        try:
            async with self._place(admitted):
                began, started_at = time.monotonic(), datetime.now(UTC)
                yield meter
        except (asyncio.CancelledError, GeneratorExit):
            meter.outcome = Outcome.CANCELLED
            raise
        except BaseException:
            if meter.outcome is Outcome.DONE:
                meter.outcome = Outcome.FAILED
            raise
        finally:
            seconds = 0.0 if began is None else time.monotonic() - began
            if began is not None or meter.outcome is Outcome.CANCELLED:
                await self._note(admitted, meter, started_at, seconds)

    async def _note(
        self, admitted: Admitted, meter: Meter, started_at: datetime | None, seconds: float
    ) -> None:
        """Write what a query used, even for somebody who has gone."""
        ended = max(datetime.now(UTC), admitted.queued_at)  # a clock may be set back
        key, queued = admitted.account.account_id, admitted.queued_at
        counts = (seconds, meter.n_row, meter.n_byte)
        entry = Entry(
            key, admitted.kind, meter.outcome, queued, started_at, ended, *counts,
            sky_area=meter.sky_area, client=client_of(admitted.party),
        )  # fmt: skip
        is_written = self.day.add(admitted.party, meter.n_row, seconds)
        with anyio.CancelScope(shield=True):
            await self._ledger.note(entry)
        is_written()
