"""Which service runs which job: each is begun by one alone, and not lost when that one dies.

A service has one connection that lasts as long as it does, and a job that it runs bears the mark of that
connection's process. A job that is EXECUTING where there is no such process was left by a service that died.
"""

from __future__ import annotations

import threading
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.tap.uws.job import Job, Phase
from roman_db.tap.uws.storage import COLUMNS, JOB, job_of

#: A job that has been left so often is not begun again: it may be what the services die of.
MOST_STARTS = 3
LEFT = "the service stopped while this query ran, each time that it was begun: ask for less"
_PROCESS = sa.table("pg_stat_activity", sa.column("pid"), sa.column("backend_start"), schema="pg_catalog")
#: Mark of a process: a number comes again, its start does not.
_MARK = sa.func.concat(_PROCESS.c.pid, "@", _PROCESS.c.backend_start)


class Claims:
    """The connection of this service, on which jobs are taken; may be used from any thread."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self._connection: sa.Connection | None = None

    def take(self) -> Job | None:
        """Begin the job that has waited longest; None where none waits."""
        longest = (
            sa.select(JOB.c.job_id)
            .where(JOB.c.phase == Phase.QUEUED)
            .order_by(JOB.c.creation_time)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        ours = sa.select(_MARK).where(_PROCESS.c.pid == sa.func.pg_backend_pid()).scalar_subquery()
        begun = {"phase": Phase.EXECUTING, "start_time": sa.func.now(), "n_start": JOB.c.n_start + 1}
        statement = sa.update(JOB).where(JOB.c.job_id == longest).values(worker=ours, **begun)
        rows = self._done(statement.returning(*COLUMNS))
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

    def _done(self, statement: sa.Executable) -> list[sa.Row[Any]]:
        """Rows of a statement in a transaction of its own; a connection that was lost is made anew."""
        with self._alone:
            try:
                return self._executed(statement)
            except sa.exc.OperationalError:
                self._forget()
                return self._executed(statement)

    def _executed(self, statement: sa.Executable) -> list[sa.Row[Any]]:
        if self._connection is None:
            self._connection = session.engine().connect()
        with self._connection.begin():
            return list(self._connection.execute(statement))

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
