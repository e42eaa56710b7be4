"""Runs the jobs that wait, so many at a time, and puts the house in order now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.abc
import anyio.to_thread
import sqlalchemy as sa
import structlog

from roman_db.service_failure import Failure
from roman_db.tap.connections import Connections, Held
from roman_db.tap.uws import storage
from roman_db.tap.uws.claims import Claims
from roman_db.tap.uws.execution import END, Execution
from roman_db.tap.uws.files import JobFiles
from roman_db.tap.uws.job import Job, Phase
from roman_db.tap.uws.leftovers import remove_leftovers
from roman_db.tap.uws.news import News

#: Seconds between looks: for jobs that other services were given or left, and for those whose time is over.
_ROUND_S = 15.0
#: Seconds between looks at a job that runs: another service may have been told to end it.
_LOOK_S = 1.0
_PAUSE_S = 0.1
#: Seconds between attempts to store how a job ended.
_AGAIN_S = 1.0
#: Largest share of the places that one party may hold, a fraction: as among queries at once.
_SHARE = 3, 4
_log = structlog.get_logger()
_T = TypeVar("_T")


class Runner:
    """Runs jobs while the application does.

    Parameters
    ----------
    size
        Most jobs that run at the same time.
    connections
        As many, for them alone: who asks at once does not wait for jobs.
    files
        Where results are stored.
    execution_of
        Makes of a job and a connection what is to be done.
    lifetime
        Time after which a job is removed.
    """

    def __init__(
        self,
        size: int,
        connections: Connections,
        files: JobFiles,
        execution_of: Callable[[Job, Held], Execution],
        lifetime: timedelta,
    ) -> None:
        self.news = News()
        self.files = files
        self._size = size
        self._connections = connections
        self._execution_of = execution_of
        self._lifetime = lifetime
        self._claims = Claims(max(1, size * _SHARE[0] // _SHARE[1]))
        self._call = anyio.Event()
        self._is_stopping = False
        self._running: set[Execution] = set()
        #: Jobs whose end is not stored yet.
        self._n_begun = 0

    def start(self, group: anyio.abc.TaskGroup) -> None:
        """Begin to run jobs in tasks of a group."""
        for _ in range(self._size):
            group.start_soon(self._work)
        group.start_soon(self._look_after)
        group.start_soon(self._look_for_news)
        group.start_soon(self._asked, partial(remove_leftovers, self.files, self._lifetime))

    def call(self) -> None:
        """Say that a job waits."""
        self._call.set()
        self._call = anyio.Event()

    async def stop(self) -> None:
        """End what runs, which then waits for the next service."""
        self._is_stopping = True
        while self._n_begun:
            for execution in list(self._running):
                execution.to_wait_again()
                await _in_thread(execution.cancel)
            await anyio.sleep(_PAUSE_S)
        await _in_thread(self._claims.close)
        await self._connections.close()

    async def _work(self) -> None:
        """Run one job after another."""
        while not self._is_stopping:
            called = self._call
            job = await self._asked(self._claims.take)
            if job is not None:
                self._n_begun += 1
                await self._run(job)
                self._n_begun -= 1
                continue
            with anyio.move_on_after(_ROUND_S):
                await called.wait()

    async def _look_after(self) -> None:
        """Put back what dead services left, and remove what is over."""
        while not self._is_stopping:
            for job in await self._asked(self._claims.fail_left) or ():
                await _in_thread(partial(self.files.tidy, job))
                self.news.tell(job.job_id)
            if await self._asked(self._claims.put_back_left):
                self.call()
            for job_id in await self._asked(self._claims.remove_expired) or ():
                await _in_thread(partial(self.files.remove, job_id))
                self.news.tell(job_id)
            await anyio.sleep(_ROUND_S)

    async def _look_for_news(self) -> None:
        """Look at all jobs together for whose change somebody waits, however many wait."""
        while not self._is_stopping:
            await anyio.sleep(_LOOK_S)
            if wanted := self.news.compared:
                phases = await self._asked(partial(storage.phases_of, wanted))
                if phases is not None:
                    self.news.compare(phases)

    async def _run(self, job: Job) -> None:
        """Run a job to its end, whatever comes."""
        self.news.tell(job.job_id)
        try:
            async with self._connections.lent() as held:
                execution = self._execution_of(job, held)
                self._running.add(execution)
                try:
                    await self._executed(job, execution)
                finally:
                    self._running.discard(execution)
                values = execution.outcome
        except Failure as failure:
            values = {"phase": Phase.ERROR, "error": str(failure), "end_time": END}
        # Nobody else ends a job whose service lives; one that stops leaves it to the next.
        while await self._asked(partial(self._end, job, values)) is None and not self._is_stopping:
            await anyio.sleep(_AGAIN_S)
        self.news.tell(job.job_id)

    def _end(self, job: Job, values: Mapping[str, Any]) -> bool:
        """Store how a job ended, unless it did otherwise meanwhile, and remove files that nobody needs."""
        is_stored = self._claims.end(job, values)
        found = storage.read(job.job_id)
        if found is None:
            self.files.remove(job.job_id)
        else:
            self.files.tidy(found)
        return is_stored

    async def _executed(self, job: Job, execution: Execution) -> None:
        """Run a query while somebody looks whether it still may."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, job, execution)
            await self._connections.in_thread(execution.run)
            group.cancel_scope.cancel()

    async def _watch(self, job: Job, execution: Execution) -> None:
        """End a query whose job was aborted, removed or begun elsewhere, or takes too long."""
        end = time.monotonic() + job.execution_duration
        is_wanted: bool | None = True
        while is_wanted is not False and (left := end - time.monotonic()) > 0:
            with self.news.expecting(job.job_id) as changed, anyio.move_on_after(min(_LOOK_S, left)):
                await changed.wait()
            is_wanted = await self._asked(partial(self._claims.holds, job))
        if is_wanted is not False:
            execution.is_late()
        while True:
            # Said between two statements it is not heard, so it is said until the query has ended.
            await self._connections.in_thread(execution.cancel)
            await anyio.sleep(_PAUSE_S)

    async def _asked(self, question: Callable[[], _T]) -> _T | None:
        """Ask the database; None where it cannot be reached, which is logged."""
        try:
            return await _in_thread(question)
        except sa.exc.SQLAlchemyError as error:
            _log.error("jobs cannot be looked at", error=str(error))
            return None


async def _in_thread(work: Callable[[], _T]) -> _T:
    return await anyio.to_thread.run_sync(work)
