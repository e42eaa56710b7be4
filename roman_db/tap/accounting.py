"""Queries on account: each waits for its turn, runs in the role of its tier, and is written to the ledger."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TypeVar

import anyio
from adbc_driver_manager import dbapi
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Message, Receive, Scope, Send

from roman_db import session
from roman_db.accounts.admission import Admission, Admitted
from roman_db.accounts.authentication import client_of_request, current_querier
from roman_db.accounts.reading import asker_of
from roman_db.accounts.usage import Kind, Outcome
from roman_db.asker import Asker, take_room
from roman_db.service_failure import Cancelled, Failure, Lost
from roman_db.tap.connections import Connections, Held, QueryLimits
from roman_db.tap.failure_document import failure_response
from roman_db.tap.parameters import Limits
from roman_db.tap.prepared import RequestLimits
from roman_db.tap.response import QueryResponse
from roman_db.tap.scratch_catalog import PREFIX
from roman_db.tap.sending import Asked

_T = TypeVar("_T")
#: Where the statuses of HTTP for errors begin.
ERRORS_FROM = 400


async def admit(request: Request, kind: Kind = Kind.SYNC) -> Admitted:
    """Say as whose a request runs, and within what limits.

    Parameters
    ----------
    request
        Who asks: nobody, unless it has a token.
    kind
        How it is to run.

    Raises
    ------
    NotSignedIn
        If there are credentials that do not sign in.
    Forbidden
        If the account may not ask, or its token is not for queries.
    """
    state = request.app.state
    admission: Admission = state.admission
    account = await current_querier(request)
    return admission.admit(account, kind, state.settings.tap_max_rows, client_of_request(request))


def limits_of(service: RequestLimits, admitted: Admitted) -> RequestLimits:
    """Limits of a request: the smaller of what the service and what the account allows."""
    rows = Limits(service.rows.default, min(service.rows.largest, admitted.rows))
    size = min(service.uploads.size, admitted.account.limits.upload_bytes)
    return RequestLimits(rows, replace(service.uploads, size=size), admitted.account, service.address)


class ScratchHeld(Held):
    """A connection in the role that reads the scratch tables of an account.

    Parameters
    ----------
    limits
        Of each statement on it.
    role
        The role, which is that of the account's own schema.
    """

    def __init__(self, limits: QueryLimits, role: str) -> None:
        self._role = role
        super().__init__(limits)

    def _connect(self) -> None:
        self._stack = ExitStack()
        try:
            self.connection = self._stack.enter_context(
                session.arrow_connection(session.Role.OWNER, self.limits.timeout_s, self.limits.memory_mb)
            )
            with self.connection.cursor() as cursor:
                if self.limits.tier is not None:
                    take_room(cursor, self.limits.tier)
                cursor.execute(f'SET ROLE "{self._role}"')
        except (dbapi.Error, SQLAlchemyError, OSError) as error:
            self.close()
            raise Lost("the database cannot be reached at the moment") from error


def give_role(held: Held, asker: Asker) -> None:
    """Give a connection the role and limits of an account; where its server has gone, a new one.

    One that has them is not asked whether the server is there: the first query on it finds that out.

    Raises
    ------
    Lost
        If the server is not there.
    """
    try:
        held.take_on(asker)
    except (dbapi.Error, OSError):
        held.reconnect()
        try:
            held.take_on(asker)
        except (dbapi.Error, OSError) as error:
            raise Lost("the database cannot be reached at the moment") from error


class RoleConnections:
    """Stands for `Connections`: those that it lends have the role and limits of an account.

    Parameters
    ----------
    readers
        Those of the service, which have the role of readers.
    admitted
        Whose they are to be.
    """

    def __init__(self, readers: Connections, admitted: Admitted) -> None:
        self.readers = readers
        seconds = min(admitted.seconds, readers.limits.timeout_s)
        #: As whom they read.
        self.asker = asker_of(admitted.account, seconds, readers.limits.memory_mb)
        #: The smaller of what the service and what the account allows.
        self.limits = QueryLimits(seconds, self.asker.memory_mb, admitted.account.tier)

    @contextlib.asynccontextmanager
    async def lent(self) -> AsyncIterator[Held]:
        """Wait for a connection, and hold it in the role of the account.

        Raises
        ------
        Lost
            If there is none.
        """
        async with self.readers.lent(keeps_role=True) as held:
            if not held.is_taken_on(self.asker):
                with anyio.CancelScope(shield=True):
                    await self.in_thread(partial(give_role, held, self.asker))
            held.limits = self.limits
            yield held

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Do work that waits for the database in a thread."""
        return await self.readers.in_thread(work)


class AccountConnections:
    """Stands for `Connections` in the answer to one query, which is admitted, limited and measured.

    Parameters
    ----------
    connections
        Where it runs.
    admission
        Who says whose turn it is.
    admitted
        The query.
    reads_scratch
        Whether it reads scratch tables.
    given
        Says how many rows it has given, and of which area of the sky (deg2) they tell, None if unknown.
    """

    def __init__(
        self,
        connections: Connections,
        admission: Admission,
        admitted: Admitted,
        reads_scratch: bool,
        given: Callable[[], tuple[int, float | None]],
    ) -> None:
        self._reads_scratch = reads_scratch
        self._given = given
        self._connections = RoleConnections(connections, admitted)
        self._admission = admission
        self._admitted = admitted
        self.limits = self._connections.limits
        #: Bytes that were sent, and whether they are those of an error.
        self.n_byte = 0
        self.is_error = False

    @contextlib.asynccontextmanager
    async def lent(self) -> AsyncIterator[Held]:
        """Wait for a place among all accounts, and hold a connection in the role of the account.

        Raises
        ------
        TooMany
            If too many wait for the account already.
        Lost
            If there is no connection.
        """
        async with self._admission.running(self._admitted) as meter, self._held() as held:
            try:
                yield held
            except Cancelled:
                meter.outcome = Outcome.CANCELLED
                raise
            finally:
                meter.n_byte = self.n_byte
                meter.n_row, meter.sky_area = self._given()
                if self.is_error:
                    meter.outcome = Outcome.FAILED

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Do work that waits for the database in a thread."""
        return await self._connections.in_thread(work)

    @contextlib.asynccontextmanager
    async def _held(self) -> AsyncIterator[Held]:
        """Hold a connection that is lent; for scratch tables one of the account's own, closed again."""
        if not self._reads_scratch:
            async with self._connections.lent() as held:
                yield held
            return
        with anyio.CancelScope(shield=True):
            own = await self.in_thread(
                partial(ScratchHeld, self.limits, self._admitted.account.scratch_schema)
            )
        try:
            yield own
        finally:
            with anyio.CancelScope(shield=True):
                await self.in_thread(own.close)


class AccountedResponse(QueryResponse):
    """The answer to a query of an account.

    Parameters
    ----------
    asked
        What is asked.
    request
        Who asks.
    admitted
        Within what limits.
    """

    def __init__(self, asked: Asked, request: Request, admitted: Admitted) -> None:
        state = request.app.state
        reads_scratch = any(name.lower().startswith(PREFIX) for name in asked.translation.tables)
        self._measured = AccountConnections(
            state.connections, state.admission, admitted, reads_scratch, self._given_so_far
        )
        self._query = asked.request.query
        pace_s = state.settings.tap_pace_s
        super().__init__(asked, self._measured, pace_s)  # type: ignore[arg-type]  # what it uses is there

    def _given_so_far(self) -> tuple[int, float | None]:
        return (0, None) if self._sending is None else (self._sending.n_row, self._sending.sky_area)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what fails before there is an answer is told as an error."""
        has_begun = False

        async def measured(message: Message) -> None:
            """Pass a part of the answer on, counting its bytes."""
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._measured.is_error = message["status"] >= ERRORS_FROM
            else:
                self._measured.n_byte += len(message.get("body", b""))
            await send(message)

        try:
            await super().__call__(scope, receive, measured)
        except Failure as failure:
            if has_begun:
                raise
            await failure_response(Request(scope), failure, self._query)(scope, receive, measured)
