"""Which service runs which job: each is begun by one alone, and not lost when that one dies.

A service has one connection that lasts as long as it does, and a job that it runs bears the mark of that
connection's process. A job that is EXECUTING where there is no such process was left by a service that died.
Where the connection alone was lost, the jobs get the mark of the next one before anything else. Should
another service have been quicker, the job has begun once more there, and how it ends here is not stored.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.accounts.statements import statement
from roman_db.tap.uws.job import Job, Phase
from roman_db.tap.uws.storage import COLUMNS, JOB, job_of

#: A job that has been left so often is not begun again: it may be what the services die of.
MOST_STARTS = 3
LEFT = "the service stopped while this query ran, each time that it was begun: ask for less"
_PROCESS = sa.table("pg_stat_activity", sa.column("pid"), sa.column("backend_start"), schema="pg_catalog")
#: Mark of a process: a number comes again, its start does not.
_MARK = sa.func.concat(_PROCESS.c.pid, "@", _PROCESS.c.backend_start)

#: What is raised where a connection is lost.
_LOST = (sa.exc.OperationalError, sa.exc.InterfaceError)
#: Two services that look whose turn it is at the same time would both see a place that is free.
_ONE_AFTER_THE_OTHER = sa.text("SELECT pg_advisory_xact_lock(hashtext('uws.job: begin'))")


class Claims:
    """The connection of this service, on which jobs are taken; may be used from any thread.

    Parameters
    ----------
    largest
        Most jobs of one account, or team or address, that this service runs at the same time.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._alone = threading.Lock()
        self._connection: sa.Connection | None = None
        #: Mark that the jobs bear which were begun here.
        self._mark: str | None = None

    def take(self) -> Job | None:
        """Begin the job whose turn it is; None where none waits that may run."""
        begin = statement("begin_job").bindparams(largest=self._largest)
        rows = self._done(begin, _ONE_AFTER_THE_OTHER)
        return job_of(rows[0]) if rows else None

    def holds(self, job: Job) -> bool:
        """Whether a job runs as it was begun here: it was not ended, nor begun elsewhere."""
        return bool(self._done(sa.select(JOB.c.job_id).where(*_of_start(job))))

    def end(self, job: Job, values: Mapping[str, object]) -> bool:
        """Store how a job ended that was begun here, and say whether it still ran; may be said again."""
        ended = sa.update(JOB).where(*_of_start(job)).values(**values)
        return bool(self._done(ended.returning(JOB.c.job_id)))

    def fail_left(self) -> list[Job]:
        """Have jobs fail that services left so often that they are not begun again, and return them."""
        failed = {"phase": Phase.ERROR, "error": LEFT, "end_time": sa.func.now()}
        left = _left().where(JOB.c.n_start >= MOST_STARTS).values(**failed)
        return [job_of(row) for row in self._done(left.returning(*COLUMNS))]

    def put_back_left(self) -> int:
        """Have other jobs of services that died begin again, and return how many."""
        waiting = {"phase": Phase.QUEUED, "start_time": None, "worker": None}
        left = _left().where(JOB.c.n_start < MOST_STARTS).values(**waiting)
        return len(self._done(left.returning(JOB.c.job_id)))

    def remove_expired(self) -> list[str]:
        """Forget the jobs whose time is over, and return their identifiers."""
        statement = sa.delete(JOB).where(JOB.c.destruction < sa.func.now()).returning(JOB.c.job_id)
        return [row.job_id for row in self._done(statement)]

    def close(self) -> None:
        """Let go of the connection."""
        with self._alone:
            self._forget()

    def _done(self, statement: sa.Executable, *before: sa.Executable) -> list[sa.Row[Any]]:
        """Rows of the statement in a transaction of its own; a connection that was lost is made anew."""
        with self._alone:
            try:
                return self._executed(statement, before)
            except _LOST:
                return self._executed(statement, before)

    def _executed(self, statement: sa.Executable, before: Iterable[sa.Executable]) -> list[sa.Row[Any]]:
        if self._connection is None:
            self._connection = self._marked()
        try:
            with self._connection.begin():
                for one in before:
                    self._connection.execute(one)
                return list(self._connection.execute(statement))
        except _LOST:
            self._forget()
            raise

    def _marked(self) -> sa.Connection:
        """A new connection, whose mark the jobs bear that were begun on the one before."""
        connection = session.engine().connect()
        own = sa.select(_MARK).where(_PROCESS.c.pid == sa.func.pg_backend_pid())
        begun = sa.update(JOB).where(JOB.c.phase == Phase.EXECUTING, JOB.c.worker == self._mark)
        try:
            with connection.begin():
                mark = connection.execute(own).scalar_one()
                if self._mark is not None:
                    connection.execute(begun.values(worker=mark))
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        self._mark = mark
        return connection

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def _of_start(job: Job) -> tuple[sa.ColumnElement[bool], ...]:
    """Conditions under which a row is of a job that still runs as it was begun."""
    return JOB.c.job_id == job.job_id, JOB.c.phase == Phase.EXECUTING, JOB.c.n_start == job.n_start


def _left() -> sa.Update:
    """Change of jobs whose service has died."""
    alive = sa.exists().where(JOB.c.worker == _MARK)
    return sa.update(JOB).where(JOB.c.phase == Phase.EXECUTING, ~alive)
