"""What each party has used of a day's rows and time, and until when it gets no more.

A day is one of UTC. What is stored of accounts and of addresses of those who do not sign in is read now and
then, so that several services count together, also when they are started anew; in between, what this process
has seen counts. What ended while it was read, and may not have been stored yet, counts until the next reading
rather once too often than never.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from roman_db.accounts.account import Account
from roman_db.accounts.client import client_of
from roman_db.service_failure import TooMany

#: Seconds for which what was read of the ledger is kept.
_KEPT_S = 60.0


@dataclass(frozen=True)
class Used:
    """Rows that were given, and seconds for which places were held, of a day."""

    n_row: int = 0
    seconds: float = 0.0

    def __add__(self, other: Used) -> Used:
        return Used(self.n_row + other.n_row, self.seconds + other.seconds)

    def __sub__(self, other: Used) -> Used:
        return Used(self.n_row - other.n_row, self.seconds - other.seconds)


@dataclass
class _Count:
    """What a party has used today.

    Parameters
    ----------
    stored
        What the ledger said when it was read.
    read_at
        When that was (monotonic, s).
    seen, written
        What this process has seen, and what it knows to be in the ledger of that.
    written_before
        `written` when the reading began: `stored` has at least this.
    """

    stored: Used = Used()
    read_at: float = -_KEPT_S
    seen: Used = Used()
    written: Used = Used()
    written_before: Used = Used()

    @property
    def used(self) -> Used:
        """Sum of what is stored and what may not be."""
        return self.stored + (self.seen - self.written_before)


class DayQuota:
    """The day of all parties; may be used from any thread.

    Parameters
    ----------
    read
        Says what an account, or its team where that shares, or the address of that name (None for none), has
        used since a day began; it may ask a database.
    now
        Says the time, in UTC.
    """

    def __init__(
        self,
        read: Callable[[Account, str | None, datetime], Used],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._read = read
        self._now = now
        self._alone = threading.Lock()
        self._of: dict[str, _Count] = {}
        self._midnight = _midnight(now())

    def is_known(self, party: str) -> bool:
        """Whether what a party has used need not be read again."""
        with self._alone:
            return time.monotonic() - self._count(party).read_at < _KEPT_S

    def read(self, account: Account, party: str) -> None:
        """Read what an account, or the address that a party is, has used today."""
        with self._alone:
            count, midnight = self._count(party), self._midnight
            before = count.written
        stored = self._read(account, client_of(party), midnight)
        with self._alone:
            count.stored, count.written_before, count.read_at = stored, before, time.monotonic()

    def add(self, party: str, n_row: int, seconds: float) -> Callable[[], None]:
        """Count what a party has used, and return what is to be called when the ledger has it."""
        used = Used(n_row, seconds)
        with self._alone:
            count = self._count(party)
            count.seen += used

        def is_written() -> None:
            """Note that who reads the ledger from now on finds it there."""
            with self._alone:
                count.written += used

        return is_written

    def used(self, party: str) -> Used:
        """What a party has used today, as far as that is known."""
        with self._alone:
            return self._count(party).used

    def check(self, account: Account, party: str) -> None:
        """Say whether a party may use more today.

        Raises
        ------
        TooMany
            If it has used up its rows or its time; with the figures, and until when.
        """
        used, limits = self.used(party), account.limits
        for has, may, what in (
            (used.n_row, limits.day_rows, "rows"),
            (used.seconds, limits.day_seconds, "seconds"),
        ):
            if has >= may:
                tomorrow = self._midnight + timedelta(days=1)
                whose = "your address" if account.is_anonymous else f"account {account.name!r}"
                raise TooMany(
                    f"{whose} has used {has:,.0f} of the {may:,.0f} {what} of a day: ask again from "
                    f"{tomorrow:%Y-%m-%dT%H:%M:%SZ} on, or ask for exceptional resources",
                    (tomorrow - self._now()).total_seconds(),
                )

    def _count(self, party: str) -> _Count:
        """Count of a party for today; those of another day are forgotten."""
        midnight = _midnight(self._now())
        if midnight != self._midnight:
            self._midnight, self._of = midnight, {}
        return self._of.setdefault(party, _Count())


def _midnight(now: datetime) -> datetime:
    """Beginning of the day of a time."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
