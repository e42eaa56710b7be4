"""What a worker says of itself and of its jobs, over outages of the server and of the network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from procrastinate import utils
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

log = structlog.get_logger()

_PAUSE_S = 1.0


class OwnJobs(JobManager):
    """Procrastinate's, which goes on giving signs of life, and says nothing of jobs that others were given.

    Its worker does not notice that the signs of life ended, if they end with an error.
    """

    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self._lost: set[int | None] = set()

    def lose(self, job_id: int) -> None:
        """Leave to others what becomes of a job that was given to them."""
        self._lost.add(job_id)

    async def finish_job(self, job: Job, *how: Any, **named: Any) -> None:
        """Set a job to its final state."""
        await self._say_of(job, super().finish_job, *how, **named)

    async def retry_job(self, job: Job, retry_at: datetime | None = None, *how: Any, **named: Any) -> None:
        """Have a job tried again after the wait that is meant, whatever the clock of this host says."""
        now = utils.utcnow()
        wait = (retry_at or now) - now
        await self._say_of(job, self._retry_after, wait, *how, **named)

    async def _retry_after(self, job: Job, wait: timedelta, *how: Any, **named: Any) -> None:
        """Have a job tried again after a wait, reckoned by the clock of the server."""
        row = await self.connector.execute_query_one_async("SELECT now() AS now")
        await super().retry_job(job, row["now"] + wait, *how, **named)

    async def update_heartbeat(self, worker_id: int) -> None:
        """Give a sign of life."""
        await _outlasting(super().update_heartbeat, worker_id)

    async def listen_for_jobs(self, **how: Any) -> None:
        """Be told of jobs."""
        await _outlasting(super().listen_for_jobs, **how)

    async def _say_of(self, job: Job, say: Callable[..., Awaitable[None]], *how: Any, **named: Any) -> None:
        """Say something of a job, unless it is lost; it may come back to us later."""
        if job.id in self._lost:
            self._lost.remove(job.id)
        else:
            await _outlasting(say, job, *how, **named)


async def _outlasting(say: Callable[..., Awaitable[None]], *what: Any, **named: Any) -> None:
    """Say something, again and again while the server is out of reach."""
    while True:
        try:
            return await say(*what, **named)
        except ConnectorException as error:
            if not isinstance(error.__cause__, psycopg.OperationalError):
                raise
            log.warning("the server is out of reach, and is asked again", error=str(error.__cause__))
        await asyncio.sleep(_PAUSE_S)
