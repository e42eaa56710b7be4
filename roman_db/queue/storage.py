"""Jobs as rows: submitted, listed, tried again, cancelled, and given to others when a worker died.

The tables are procrastinate's, in the schema ``queue``; what is changed in them is changed by its functions,
which tell workers, so that all of this can be part of any transaction of ours.
"""

from __future__ import annotations

import json
import os
import socket
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from roman_db import sqlfile
from roman_db.queue.job import QUEUE, TASK, Job
from roman_db.schema.metadata import table

Row = dict[str, Any]


class NoSuchJob(LookupError):
    """There is no job with that number, or not in a state in which that can be done."""


def submit(connection: sa.Connection, job: Job, at: datetime | None = None) -> int:
    """Put a job into the queue, to be begun at a time or as soon as may be, and return its number."""
    how = {"words": list(job.words), "retries": job.retries, "backoff_s": job.backoff_s}
    values = {
        "queue": QUEUE,
        "task": TASK,
        "priority": job.priority,
        "lock": job.lock_name,
        "arguments": json.dumps(how),
        "at": at,
    }
    return int(connection.execute(_statement("submit_job"), values).scalar_one())


def list_jobs(connection: sa.Connection, state: str | None, most: int) -> list[Row]:
    """Read jobs, the latest first; of one state, or of all."""
    query = sa.text(
        "SELECT * FROM ops.queue_job WHERE CAST(:state AS text) IS NULL OR state = :state "
        "ORDER BY job_id DESC LIMIT :most"
    )
    return [dict(row._mapping) for row in connection.execute(query, {"state": state, "most": most})]


def find(connection: sa.Connection, job_id: int) -> Row:
    """Read one job.

    Raises
    ------
    NoSuchJob
        If there is none of that number.
    """
    query = sa.text("SELECT * FROM ops.queue_job WHERE job_id = :job_id")
    row = connection.execute(query, {"job_id": job_id}).one_or_none()
    if row is None:
        raise NoSuchJob(f"there is no job {job_id}: roman-db jobs list shows those that there are")
    return dict(row._mapping)


def attempts(connection: sa.Connection, job_id: int) -> list[Row]:
    """Read what became of the attempts at a job, in order."""
    rows = table("ops.job_attempt")
    query = sa.select(rows).where(rows.c.job_id == job_id).order_by(rows.c.job_attempt_id)
    return [dict(row._mapping) for row in connection.execute(query)]


def retry(connection: sa.Connection, job_id: int) -> None:
    """Have a job that ended without success done again, with as many tries as a new one.

    Raises
    ------
    NoSuchJob
        If it has not ended, or succeeded.
    """
    state = find(connection, job_id)["state"]
    if connection.execute(_statement("retry_job"), {"job_id": job_id}).first() is None:
        raise NoSuchJob(f"job {job_id} is {state}: only one that failed or was cancelled is done again")


def cancel(connection: sa.Connection, job_id: int) -> str:
    """Cancel a job: one that runs stops before its next unit of work. Return in which state it was.

    Raises
    ------
    NoSuchJob
        If it has ended.
    """
    state = str(find(connection, job_id)["state"])
    done = sa.text("SELECT queue.procrastinate_cancel_job_v1(:job_id, true, false)")
    if connection.execute(done, {"job_id": job_id}).scalar_one() is None:
        raise NoSuchJob(f"job {job_id} is {state} already: nothing is left to cancel")
    return state


def put_back_lost(connection: sa.Connection, silent_s: float) -> list[int]:
    """Have the jobs of workers that gave no sign of life for so long done by others; return their numbers.

    One whose workers died more often than it may fail has failed: it may be what they die of.
    """
    rows = connection.execute(_statement("put_back_jobs"), {"silent_s": silent_s}).all()
    return [int(row.job_id) for row in rows]


def do_not_count(connection: sa.Connection, job_id: int) -> None:
    """Have the try that is about to end not be one of those that a job has; procrastinate counts each."""
    less = sa.text("UPDATE queue.procrastinate_jobs SET attempts = attempts - 1 WHERE id = :job_id")
    connection.execute(less, {"job_id": job_id})


def begin_attempt(connection: sa.Connection, job_id: int) -> int:
    """Insert the row of an attempt of this process, and return its number."""
    rows = table("ops.job_attempt")
    row = {"job_id": job_id, "host": socket.gethostname(), "pid": os.getpid()}
    return int(connection.execute(rows.insert().returning(rows.c.job_attempt_id), row).scalar_one())


def end_attempt(
    connection: sa.Connection, attempt: int, state: str, message: str | None, load_run_id: int | None
) -> bool:
    """Close the row of an attempt, and say whether it was there to close: one given up as lost stays so."""
    rows = table("ops.job_attempt")
    closed = {"state": state, "message": message, "last_load_run_id": load_run_id}
    mine = rows.c.job_attempt_id == attempt, rows.c.state != "lost"
    ended = rows.update().where(*mine).values(closed | {"finished_at": sa.func.now()})
    return bool(connection.execute(ended).rowcount)


def _statement(name: str) -> sa.TextClause:
    """Statement of a file of ``queries/jobs``."""
    return sa.text(sqlfile.find("jobs", name).text)
