"""Which service runs which job: each is begun by one alone, and not lost when that one dies.

A service has one connection that lasts as long as it does, and a job that it runs bears the mark of that
connection's process. A job that is EXECUTING where there is no such process was left by a service that died.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.accounts.statements import statement
from roman_db.tap.uws.job import Job, Phase
from roman_db.tap.uws.storage import JOB, job_of

#: A job that has been left so often is not begun again: it may be what the services die of.
MOST_STARTS = 3
LEFT = "the service stopped while this query ran, each time that it was begun: ask for less"
_PROCESS = sa.table("pg_stat_activity", sa.column("pid"), sa.column("backend_start"), schema="pg_catalog")
#: Mark of a process: a number comes again, its start does not.
_MARK = sa.func.concat(_PROCESS.c.pid, "@", _PROCESS.c.backend_start)

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

    def take(self) -> Job | None:
        """Begin the job whose turn it is; None where none waits that may run."""
        begin = statement("begin_job").bindparams(largest=self._largest)
        rows = self._done(begin, _ONE_AFTER_THE_OTHER)
        return job_of(rows[0]) if rows else None

    def put_back_left(self) -> int:
        """Have jobs of services that died begin again, or fail, and return how many begin again."""
        alive = sa.exists().where(JOB.c.worker == _MARK)
        left = sa.update(JOB).where(JOB.c.phase == Phase.EXECUTING, ~alive)
        failed = {"phase": Phase.ERROR, "error": LEFT, "end_time": sa.func.now()}
        self._done(left.where(JOB.c.n_start >= MOST_STARTS).values(**failed).returning(JOB.c.job_id))
        waiting = {"phase": Phase.QUEUED, "start_time": None, "worker": None}
        return len(
            self._done(left.where(JOB.c.n_start < MOST_STARTS).values(**waiting).returning(JOB.c.job_id))
        )

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
            except sa.exc.OperationalError:
                self._forget()
                return self._executed(statement, before)

    def _executed(self, statement: sa.Executable, before: Iterable[sa.Executable]) -> list[sa.Row[Any]]:
        if self._connection is None:
            self._connection = session.engine().connect()
        with self._connection.begin():
            for one in before:
                self._connection.execute(one)
            return list(self._connection.execute(statement))

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
