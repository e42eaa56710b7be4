"""A job, and what may be done with it in its phases (UWS 1.1, section 2.1.3)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from roman_db.service_failure import BadRequest


class Phase(enum.StrEnum):
    """Where a job is on its way."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"


#: Phases that others follow by themselves.
ACTIVE = (Phase.QUEUED, Phase.EXECUTING)
#: Phases in which a job may be aborted, and those at the end.
UNFINISHED = (Phase.PENDING, *ACTIVE)
ENDED = (Phase.COMPLETED, Phase.ERROR, Phase.ABORTED)


@dataclass(frozen=True)
class Job:
    """A row of ``uws.job``; times are in UTC, and None where they are not known yet.

    Parameters
    ----------
    job_id, run_id
        Its identifier, and what the client calls it.
    account_id
        Whose it is; None for a job of nobody.
    party
        With whom it shares places and room for results; None for jobs of earlier releases.
    execution_duration
        Seconds that its query may take.
    parameters
        What was asked: names and values.
    error
        Why there is no result.
    media_type, result_size
        Format of the result, and its bytes.
    n_start
        How often its query was begun; the number tells one start from another, wherever they are made.
    """

    job_id: str
    account_id: int | None
    party: str | None
    run_id: str | None
    phase: Phase
    creation_time: datetime
    start_time: datetime | None
    end_time: datetime | None
    destruction: datetime
    execution_duration: int
    parameters: list[tuple[str, str]]
    error: str | None
    media_type: str | None
    result_size: int | None
    n_start: int

    @property
    def quote(self) -> datetime | None:
        """When it will have ended at the latest; None where that is not known, as it waits for its turn."""
        if self.phase is not Phase.EXECUTING or self.start_time is None:
            return self.end_time
        return self.start_time + timedelta(seconds=self.execution_duration)


@dataclass(frozen=True)
class JobLimits:
    """Seconds that a query may take, and time after which a job is removed, both at most."""

    execution_duration: int
    lifetime: timedelta

    def allowed_duration(self, text: str) -> int:
        """Seconds that a client asks for, or as many as there may be; 0 asks for the most.

        Raises
        ------
        BadRequest
            If that is no whole number.
        """
        if not (text.isascii() and text.isdigit()):
            raise BadRequest(f"EXECUTIONDURATION must be a whole number of seconds, got {text[:60]!r}")
        return min(int(text[:12]) or self.execution_duration, self.execution_duration)

    def allowed_destruction(self, text: str, now: datetime) -> datetime:
        """Time at which a client wants its job removed, or the last that there may be.

        Raises
        ------
        BadRequest
            If that is no time.
        """
        return min(read_time("DESTRUCTION", text), now + self.lifetime)


def read_time(name: str, text: str) -> datetime:
    """Time in UTC as DALI 1.1, section 3.3.3, has it.

    Raises
    ------
    BadRequest
        If it is none.
    """
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadRequest(f"{name} must be a time such as 2027-02-01T12:00:00Z, got {text[:60]!r}") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
