"""The jobs in the database: what clients do with ``uws.job``; who runs them is `roman_db.tap.uws.claims`.

Each function is one transaction. A change of phase is made where the row still has a phase from which it may
be made, so that of two that meet, one is lost and nothing is torn.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.schema.metadata import metadata
from roman_db.tap.uws.job import ENDED, UNFINISHED, Job, Phase

JOB = metadata().tables["uws.job"]
COLUMNS = [JOB.c[one.name] for one in fields(Job)]
_ID_BYTES = 16


@dataclass(frozen=True)
class Selection:
    """Which jobs of an account are listed: of phases (none for all), made after a time, the last n."""

    phases: Sequence[Phase] = ()
    after: datetime | None = None
    last: int | None = None


@dataclass(frozen=True)
class Kept:
    """What is kept of the jobs of a party.

    Parameters
    ----------
    n_pending, n_waiting, n_ended
        Jobs that were not started, that wait for their turn, and that have ended.
    n_byte
        Bytes of results, and of files that came with jobs which have not ended.
    """

    n_pending: int
    n_waiting: int
    n_ended: int
    n_byte: int


#: Raises where a party may not have one more job beside those that it has.
Check = Callable[[Kept], None]


def create(job: dict[str, Any], check: Check | None = None) -> str:
    """Store a new job, and return its identifier, which nobody can guess.

    Parameters
    ----------
    job
        Values of its row.
    check
        Asked before; of jobs that one party makes at the same moment each sees those before it. Nothing is
        stored where it raises.
    """
    job_id = secrets.token_urlsafe(_ID_BYTES)
    with session.transaction() as connection:
        if check is not None:
            check(_kept_alone(connection, job["party"]))
        connection.execute(sa.insert(JOB).values(job_id=job_id, **job))
    return job_id


def revise(job: Job, values: dict[str, Any], check: Check) -> bool:
    """Change a job that is PENDING, and say whether it was; the other jobs of its party are checked."""
    with session.transaction() as connection:
        check(_kept_alone(connection, job.party, job.job_id))
        return connection.execute(_change(job.job_id, (Phase.PENDING,), values)).rowcount == 1


def read(job_id: str) -> Job | None:
    """Job of an identifier; None where there is none."""
    return next(iter(read_all([job_id])), None)


def read_all(job_ids: Collection[str]) -> list[Job]:
    """Jobs of identifiers, those that are there."""
    with session.transaction() as connection:
        found = connection.execute(sa.select(*COLUMNS).where(JOB.c.job_id.in_(job_ids)))
        return [job_of(row) for row in found]


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
    with session.transaction() as connection:
        return connection.execute(_change(job_id, phases, values)).rowcount == 1


def abort(job_id: str, reason: str) -> bool:
    """End a job that has not ended, and say whether it had not."""
    return change(job_id, UNFINISHED, phase=Phase.ABORTED, end_time=sa.func.now(), error=reason)


def remove(job_id: str) -> None:
    """Forget a job; whoever runs it sees that and stops."""
    with session.transaction() as connection:
        connection.execute(sa.delete(JOB).where(JOB.c.job_id == job_id))


def stored_bytes(party: str, but: str | None = None) -> int:
    """Bytes of the files of a party's jobs that are kept, those of one job left out."""
    with session.transaction() as connection:
        return _kept(connection, party, but).n_byte


def keep_result(job: Job, party: str, size: int, most: int) -> bool:
    """Note the bytes of a result if there is room for it, and say whether there is.

    Of results of a party that end at the same moment each sees those before it.

    Parameters
    ----------
    job, party
        The job, as it was begun, and with whom it shares the room.
    size, most
        Bytes of the result, and of all files of the party at most.
    """
    start = (JOB.c.job_id == job.job_id, JOB.c.n_start == job.n_start)
    with session.transaction() as connection:
        if _kept_alone(connection, party, job.job_id).n_byte + size > most:
            return False
        connection.execute(sa.update(JOB).where(*start).values(result_size=size))
        return True


def _change(job_id: str, phases: Sequence[Phase], values: Mapping[str, object]) -> sa.Update:
    return sa.update(JOB).where(JOB.c.job_id == job_id, JOB.c.phase.in_(phases)).values(**values)


def _kept_alone(connection: sa.Connection, party: str | None, but: str | None = None) -> Kept:
    """What is kept, once no other transaction counts it, until the end of this one."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"uws.job: {party}"))))
    return _kept(connection, party, but)


def _kept(connection: sa.Connection, party: str | None, but: str | None) -> Kept:
    """What is kept of the jobs of a party, one of them left out; results that are about to be kept count."""
    pending, waiting, ended = (
        sa.func.count().filter(JOB.c.phase.in_(phases))
        for phases in ((Phase.PENDING,), (Phase.QUEUED,), ENDED)
    )
    results, uploads = (
        sa.func.coalesce(sa.func.sum(size).filter(JOB.c.phase.in_(phases)), 0)
        for size, phases in (
            (JOB.c.result_size, (Phase.EXECUTING, Phase.COMPLETED)), (JOB.c.upload_size, UNFINISHED)
        )
    )  # fmt: skip
    of_party = sa.select(pending, waiting, ended, results + uploads).where(JOB.c.party == party)
    if but is not None:
        of_party = of_party.where(JOB.c.job_id != but)
    return Kept(*map(int, connection.execute(of_party).one()))


def job_of(row: sa.Row[Any]) -> Job:
    """Job of a row, which may have further columns."""
    values = {column.name: getattr(row, column.name) for column in COLUMNS}
    pairs = [(name, value) for name, value in values["parameters"]]
    return Job(**values | {"phase": Phase(values["phase"]), "parameters": pairs})
