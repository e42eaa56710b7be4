"""A bounded number of connections for queries from outside; who comes later waits in a row."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
import sqlalchemy as sa
import structlog
from adbc_driver_manager import dbapi

from roman_db import session
from roman_db.asker import Asker, assume
from roman_db.service_failure import Failure, Lost
from roman_db.tap.uploads.temporary import store
from roman_db.tap.uploads.upload import Upload

_log = structlog.get_logger()
_T = TypeVar("_T")
#: Threads beside those of running queries: for cancelling them.
_SPARE_THREADS = 8


@dataclass(frozen=True)
class QueryLimits:
    """What a query may take.

    Parameters
    ----------
    timeout_s
        Seconds.
    memory_mb
        MiB for each sort or join before it goes to disk.
    tier
        Tier whose room on disk it has; None for that of readers.
    """

    timeout_s: float
    memory_mb: int
    tier: str | None = None


class Held:
    """One connection, in the hands of one query at a time.

    Parameters
    ----------
    limits
        Of each statement on it.
    uploads
        Tables that queries on it may read beside the catalog.
    """

    def __init__(self, limits: QueryLimits, uploads: Sequence[Upload] = ()) -> None:
        self.limits = limits
        self._uploads = uploads
        self._connect()
        #: Connections that have had tables before, and may have others; None where none are kept.
        self.spares: Spares | None = None
        #: Whether it must not be used again: its query failed, or was cancelled, which may come late.
        self.is_spoiled = False
        #: Whether it was given the role and the limits of an account, and which, if it has that role.
        self.has_role = False
        self.asker: Asker | None = None
        #: Whether it has answered a query before, so that the server may have gone since.
        self.is_used = False

    def _connect(self) -> None:
        self._stack = ExitStack()
        try:
            prepare = partial(store, uploads=self._uploads) if self._uploads else None
            limits = self.limits
            self.connection: dbapi.Connection = self._stack.enter_context(
                session.arrow_connection(session.Role.READER, limits.timeout_s, limits.memory_mb, prepare)
            )
            self._take_room()
        except Failure:
            self.close()
            raise
        except (dbapi.Error, sa.exc.DBAPIError, OSError) as error:
            self.close()
            _log.error("no connection", error=str(error))
            raise Lost("the database cannot be reached at the moment") from error

    def reconnect(self) -> None:
        """Make a new connection in place of one whose server has gone, in the role that it had."""
        self.close()
        self.is_spoiled = self.is_used = False
        self._connect()
        if self.asker is not None:
            try:
                self.take_on(self.asker)
            except (dbapi.Error, OSError) as error:
                raise Lost("the database cannot be reached at the moment") from error

    def is_taken_on(self, asker: Asker) -> bool:
        """Whether it has the role and the limits of an account; what they are does not change on it."""
        return self.asker == asker and self.is_used

    def take_on(self, asker: Asker) -> None:
        """Have the role and limits of an account; raises what the driver does where the server has gone."""
        if self.is_taken_on(asker):
            return
        self.asker = None
        self.has_role = True
        if assume(self.connection, asker):
            self.asker = asker

    def restore(self, limits: QueryLimits) -> None:
        """Take the role and the limits of an account away again."""
        self.limits, self.asker = limits, None
        try:
            session.restore(self.connection)
            self.has_role = False
        except (dbapi.Error, OSError):
            self.reconnect()

    def with_uploads(self, uploads: Sequence[Upload]) -> Held:
        """Another connection within the same limits that has tables; it is to be given back."""
        if self.spares is None:
            return Held(self.limits, uploads)
        return self.spares.with_uploads(self.limits, uploads)

    def exchange(self, limits: QueryLimits, uploads: Sequence[Upload]) -> None:
        """Have other tables, and limits; raises what the driver raises where the server has gone."""
        self.limits, self._uploads = limits, uploads
        prepare = partial(store, uploads=uploads)
        session.prepare_again(self.connection, prepare, limits.timeout_s, limits.memory_mb)
        self._take_room()

    def _take_room(self) -> None:
        """Have the room on disk of the tier for queries with tables; others have it with their role."""
        if self._uploads and self.limits.tier is not None:
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT ops.take_temporary_room($1)", (self.limits.tier,))
                cursor.fetchone()

    def give_back(self) -> None:
        """Forget the tables, and be kept for those of others, or closed."""
        if self.spares is None or self.is_spoiled or not self.spares.has_room:
            self.close()
            return
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("DISCARD TEMP")
            self.spares.keep(self)
        except (dbapi.Error, OSError):
            self.close()

    def check(self) -> None:
        """Ask the server whether it is there; raises `Lost` where it is not."""
        for _ in range(2):
            try:
                with self.connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    cursor.fetchone()
                return
            except (dbapi.Error, OSError):
                self.reconnect()

    def close(self) -> None:
        """Close the connection, in whatever state it is."""
        with contextlib.suppress(dbapi.Error, OSError):
            self._stack.close()


class Spares:
    """Connections that had tables of queries, and wait for those of others since a new one takes long.

    Parameters
    ----------
    size
        Most that are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._free: list[Held] = []

    @property
    def has_room(self) -> bool:
        """Whether one more may be kept."""
        return len(self._free) < self._size

    def with_uploads(self, limits: QueryLimits, uploads: Sequence[Upload]) -> Held:
        """Connection that has tables: one that is kept, or a new one."""
        while (held := self._one()) is not None:
            try:
                held.exchange(limits, uploads)
                return held
            except Failure:
                held.close()
                raise
            except (dbapi.Error, OSError):
                held.close()
        made = Held(limits, uploads)
        made.spares = self
        return made

    def keep(self, held: Held) -> None:
        """Keep a connection without tables."""
        self._free.append(held)

    def close(self) -> None:
        """Close those that are kept."""
        while (held := self._one()) is not None:
            held.close()

    def _one(self) -> Held | None:
        """One that is kept; threads may ask at the same time."""
        try:
            return self._free.pop()
        except IndexError:
            return None


class Connections:
    """Connections that are made when they are needed and kept for the next query.

    Parameters
    ----------
    size
        Most queries that run at the same time.
    limits
        What each may take.
    """

    def __init__(self, size: int, limits: QueryLimits) -> None:
        self.limits = limits
        self._places = asyncio.Semaphore(size)
        self._threads = anyio.CapacityLimiter(size + _SPARE_THREADS)
        self._free: list[Held] = []
        self._spares = Spares(size)

    @contextlib.asynccontextmanager
    async def lent(self, keeps_role: bool = False) -> AsyncIterator[Held]:
        """Wait for a place, and hold a connection while the context lasts.

        It has the role of readers; for whoever gives it another, it may have that of an account.
        """
        async with self._places:
            with anyio.CancelScope(shield=True):
                held = self._free.pop() if self._free else await self.in_thread(partial(Held, self.limits))
                held.spares = self._spares
                if held.has_role and not keeps_role:
                    await self.in_thread(partial(held.restore, self.limits))
            try:
                yield held
            except BaseException:
                held.is_spoiled = True
                raise
            finally:
                with anyio.CancelScope(shield=True):
                    await self._take_back(held)

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Do work that waits for the database in a thread."""
        return await anyio.to_thread.run_sync(work, limiter=self._threads)

    async def close(self) -> None:
        """Close the connections that nobody holds."""
        while self._free:
            await self.in_thread(self._free.pop().close)
        await self.in_thread(self._spares.close)

    async def _take_back(self, held: Held) -> None:
        if held.is_spoiled:
            await self.in_thread(held.close)
        else:
            held.is_used = True
            held.limits = self.limits  # an account's are no others'
            self._free.append(held)
