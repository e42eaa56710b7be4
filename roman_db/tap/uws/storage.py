"""The jobs in the database: what clients do with ``uws.job``; who runs them is `roman_db.tap.uws.claims`.

Each function is one transaction. A change of phase is made where the row still has a phase from which it may
be made, so that of two that meet, one is lost and nothing is torn.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.schema.metadata import metadata
from roman_db.tap.uws.job import UNFINISHED, Job, Phase

JOB = metadata().tables["uws.job"]
COLUMNS = [JOB.c[one.name] for one in fields(Job)]
_ID_BYTES = 16


@dataclass(frozen=True)
class Selection:
    """Which jobs of an account are listed: of phases (none for all), made after a time, the last n."""

    phases: Sequence[Phase] = ()
    after: datetime | None = None
    last: int | None = None


def create(job: dict[str, Any], most_pending: int | None = None) -> str | None:
    """Store a new job, and return its identifier, which nobody can guess.

    Parameters
    ----------
    job
        Values of its row.
    most_pending
        Most jobs of its party that may be PENDING, this one among them; None where it is to run at once.
        Where there are as many already nothing is stored, and None returned.
    """
    job_id = secrets.token_urlsafe(_ID_BYTES)
    with session.transaction() as connection:
        if most_pending is not None:
            mine = (JOB.c.party == job["party"], JOB.c.phase == Phase.PENDING)
            pending = sa.select(sa.func.count()).where(*mine)
            connection.execute(_alone(job["party"]))
            if int(connection.execute(pending).scalar_one()) >= most_pending:
                return None
        connection.execute(sa.insert(JOB).values(job_id=job_id, **job))
    return job_id


def read(job_id: str) -> Job | None:
    """Job of an identifier; None where there is none."""
    with session.transaction() as connection:
        row = connection.execute(sa.select(*COLUMNS).where(JOB.c.job_id == job_id)).one_or_none()
    return None if row is None else job_of(row)


def is_executing(job_id: str) -> bool:
    """Whether a job is there and runs."""
    statement = sa.select(JOB.c.job_id).where(JOB.c.job_id == job_id, JOB.c.phase == Phase.EXECUTING)
    with session.transaction() as connection:
        return connection.execute(statement).first() is not None


def phases_of(job_ids: Sequence[str]) -> dict[str, Phase]:
    """Phases of those of some jobs that there are, by their identifiers."""
    statement = sa.select(JOB.c.job_id, JOB.c.phase).where(JOB.c.job_id.in_(job_ids))
    with session.transaction() as connection:
        return {row.job_id: Phase(row.phase) for row in connection.execute(statement)}


def listed(account_id: int, wanted: Selection) -> list[Job]:
    """Jobs of an account, the newest first."""
    query = sa.select(*COLUMNS).where(JOB.c.account_id == account_id)
    if wanted.phases:
        query = query.where(JOB.c.phase.in_(wanted.phases))
    if wanted.after is not None:
        query = query.where(JOB.c.creation_time > wanted.after)
    query = query.order_by(JOB.c.creation_time.desc(), JOB.c.job_id).limit(wanted.last)
    with session.transaction() as connection:
        return [job_of(row) for row in connection.execute(query)]


def change(job_id: str, phases: Sequence[Phase], **values: object) -> bool:
    """Change a job that is in one of the phases, and say whether it was."""
    statement = sa.update(JOB).where(JOB.c.job_id == job_id, JOB.c.phase.in_(phases)).values(**values)
    with session.transaction() as connection:
        return connection.execute(statement).rowcount == 1


def abort(job_id: str, reason: str) -> bool:
    """End a job that has not ended, and say whether it had not."""
    return change(job_id, UNFINISHED, phase=Phase.ABORTED, end_time=sa.func.now(), error=reason)


def remove(job_id: str) -> None:
    """Forget a job; whoever runs it sees that and stops."""
    with session.transaction() as connection:
        connection.execute(sa.delete(JOB).where(JOB.c.job_id == job_id))


def n_waiting(party: str) -> int:
    """Number of jobs of a party that wait for their turn."""
    count = sa.select(sa.func.count()).where(JOB.c.party == party, JOB.c.phase == Phase.QUEUED)
    with session.transaction() as connection:
        return int(connection.execute(count).scalar_one())


def stored_bytes(party: str) -> int:
    """Bytes of the results of a party that are kept."""
    with session.transaction() as connection:
        return int(connection.execute(_bytes_of(party)).scalar_one())


def keep_result(job_id: str, party: str, size: int, most: int) -> bool:
    """Note the bytes of a result if there is room for it, and say whether there is.

    Of results of a party that end at the same moment each sees those before it.

    Parameters
    ----------
    job_id, party
        Of which job, and with whom it shares the room.
    size, most
        Bytes of the result, and of all results of the party at most.
    """
    with session.transaction() as connection:
        connection.execute(_alone(party))
        if int(connection.execute(_bytes_of(party)).scalar_one()) + size > most:
            return False
        connection.execute(sa.update(JOB).where(JOB.c.job_id == job_id).values(result_size=size))
        return True


def _alone(party: str) -> sa.Select[Any]:
    """Wait until no other transaction counts the jobs of a party, until the end of this one."""
    return sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"uws.job: {party}")))


def _bytes_of(party: str) -> sa.Select[Any]:
    """Query for the bytes of the results of a party, those that are about to be complete among them."""
    total = sa.func.coalesce(sa.func.sum(JOB.c.result_size), 0)
    return sa.select(total).where(JOB.c.party == party, JOB.c.phase.in_((Phase.EXECUTING, Phase.COMPLETED)))


def job_of(row: sa.Row[Any]) -> Job:
    """Job of a row, which may have further columns."""
    values = {column.name: getattr(row, column.name) for column in COLUMNS}
    pairs = [(name, value) for name, value in values["parameters"]]
    return Job(**values | {"phase": Phase(values["phase"]), "parameters": pairs})
