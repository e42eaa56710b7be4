"""A worker: takes jobs one by one, and does what workers owe each other beside that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click
import procrastinate
import sqlalchemy as sa
import structlog
from procrastinate import job_context, jobs, signals
from procrastinate.exceptions import ConnectorException, JobAborted
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from roman_db import session
from roman_db.locks import LockHeld
from roman_db.queue import alert, arrival, schedule, storage
from roman_db.queue.execution import AttemptFailed, AttemptLost, attempt
from roman_db.queue.job import QUEUE, TASK
from roman_db.queue.outage import recorded
from roman_db.queue.own_jobs import OwnJobs
from roman_db.settings import settings

log = structlog.get_logger()

#: Each wait is so many times as long as the one before.
_GROWTH = 4
#: Signs of life in the time after which a worker counts as dead.
_SIGNS = 3


@dataclass(frozen=True)
class Pace:
    """How often a worker looks, in seconds.

    Parameters
    ----------
    silent_s
        A worker that gave no sign of life for so long counts as dead.
    poll_s
        Between looks for jobs of which no notice came.
    """

    silent_s: float = 30.0
    poll_s: float = 5.0


class Backoff(BaseRetryStrategy):
    """Tries again as often as a job says, after waits that grow, whatever it failed of.

    At once where its worker was told to stop, and after a while where somebody else has the lock.
    """

    def __init__(self, lock_wait_s: float) -> None:
        self._lock_wait_s = lock_wait_s

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> RetryDecision | None:
        """Say when to try again; None for never."""
        if isinstance(exception, JobAborted):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, LockHeld):
            return RetryDecision(retry_in={"milliseconds": round(1000 * self._lock_wait_s)})
        how: Mapping[str, Any] = job.task_kwargs
        if job.attempts >= how["retries"]:
            return None
        wait = how["backoff_s"] * _GROWTH**job.attempts
        return RetryDecision(retry_in={"milliseconds": round(1000 * wait)})


def work(root: click.Group, pace: Pace, wait: bool = True) -> None:
    """Do jobs until a signal to stop comes, or where not to wait until none is left.

    Where the server is out of reach a worker that is to wait goes on asking, and begins anew when it answers.
    """
    while True:
        try:
            return asyncio.run(_work(root, pace, wait))
        except (ConnectorException, sa.exc.OperationalError) as error:
            if not wait:
                raise
            log.warning("the server is out of reach, and is asked again", error=str(error.__cause__ or error))
        time.sleep(pace.poll_s)


async def _work(root: click.Group, pace: Pace, wait: bool) -> None:
    """Work, and give the jobs of dead workers to others meanwhile."""
    app = _application(root, pace)
    every_s = pace.silent_s / _SIGNS
    await asyncio.to_thread(_chores, pace.silent_s, every_s)
    async with app.open_async():
        chores = asyncio.create_task(_repeat(lambda: _chores(pace.silent_s, every_s), every_s))
        working = asyncio.create_task(
            app.run_worker_async(
                queues=[QUEUE],
                wait=wait,
                concurrency=1,
                fetch_job_polling_interval=pace.poll_s,
                abort_job_polling_interval=pace.poll_s,
                update_heartbeat_interval=every_s,
                stalled_worker_timeout=pace.silent_s,
                shutdown_graceful_timeout=0,
                install_signal_handlers=False,
            )
        )

        def stop() -> None:
            """End the run before its next unit of work, and then the worker."""
            working.cancel()

        try:
            with signals.on_stop(stop):
                await working
        except (asyncio.CancelledError, ConnectorException):
            if not working.cancelling():  # nobody asked it to stop
                raise
        finally:
            chores.cancel()


def _application(root: click.Group, pace: Pace) -> procrastinate.App:
    """Make procrastinate's application with the one task that there is: run a command."""
    address = session.libpq_address(schema="queue")
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=address, min_size=1, max_size=4)
    )
    app.job_manager = own_jobs = OwnJobs(app.connector)

    @app.task(name=TASK, queue=QUEUE, pass_context=True, retry=Backoff(pace.silent_s))
    def command(
        context: job_context.JobContext, words: list[str], retries: int, backoff_s: float
    ) -> str | None:
        """Run the command of a job."""
        number = context.job.id or 0
        try:
            outcome = attempt(root, number, context.job.lock or "", words, context.should_abort)
        except LockHeld:
            _do_not_count(number)
            raise
        except AttemptLost:
            own_jobs.lose(number)
            raise
        if outcome.state == "cancelled":
            if context.abort_reason() is job_context.AbortReason.SHUTDOWN:
                _do_not_count(number)
            raise JobAborted(outcome.message)
        if outcome.state == "failed":
            raise AttemptFailed(outcome.message)
        return outcome.message

    return app


def _do_not_count(job_id: int) -> None:
    """Have a try that nobody can help not count."""
    recorded(lambda connection: storage.do_not_count(connection, job_id))


def _chores(silent_s: float, every_s: float) -> None:
    """Give the jobs of dead workers to others, put into the queue what is due, and raise alerts.

    Watched folders are looked at by one worker every ``every_s`` seconds, however many there are.
    """
    with session.transaction() as connection:
        lost = storage.put_back_lost(connection, silent_s)
        due = schedule.submit_due(connection)
    with session.transaction() as connection:
        due += arrival.submit_arrived(connection, every_s)
    if due:
        log.info("jobs that are due are put into the queue", jobs=due)
    alert.raise_alerts()
    if (url := settings().alert_url) is not None:
        alert.send_alerts(url)
    if lost:
        log.warning("jobs of dead workers are put back", jobs=lost)


async def _repeat(chore: Callable[[], None], every_s: float) -> None:
    """Do something again and again beside the job; that it fails once stops nothing."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await asyncio.to_thread(chore)
        except Exception as error:  # noqa: BLE001 - a server that is away comes back
            log.error("chore failed", error=f"{type(error).__name__}: {error}")
