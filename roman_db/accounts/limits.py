"""What an account may use: what its tier has, raised by what was granted to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Resource(StrEnum):
    """What is limited, by the name of its column in ``ops.account_tier``."""

    ROWS = "rows"
    SECONDS_SYNC = "seconds_sync"
    SECONDS_ASYNC = "seconds_async"
    CONCURRENT = "concurrent"
    SCRATCH_BYTES = "scratch_bytes"
    UPLOAD_BYTES = "upload_bytes"
    SKY_AREA = "sky_area"
    DAY_ROWS = "day_rows"
    DAY_SECONDS = "day_seconds"
    JOB_BYTES = "job_bytes"
    PENDING_JOBS = "pending_jobs"


#: Resources that come in whole numbers.
_WHOLE = {
    Resource.ROWS,
    Resource.CONCURRENT,
    Resource.SCRATCH_BYTES,
    Resource.UPLOAD_BYTES,
    Resource.DAY_ROWS,
    Resource.JOB_BYTES,
    Resource.PENDING_JOBS,
}


@dataclass(frozen=True)
class Limits:
    """Limits of a tier or of an account.

    Parameters
    ----------
    rows
        Most rows of an answer.
    seconds_sync, seconds_async
        Longest time of a query whose answer is waited for, and of a job, in seconds.
    concurrent
        Most queries at the same time.
    scratch_bytes, upload_bytes
        Most bytes of scratch tables, and of one upload.
    sky_area
        Largest area that one request may process, or an answer tell of, in square degrees.
    day_rows, day_seconds
        Most rows of all answers of a day (UTC), and longest time in seconds for which its queries hold
        places.
    job_bytes
        Most bytes of results of jobs that are kept.
    pending_jobs
        Most jobs that are not started yet.
    """

    rows: int
    seconds_sync: float
    seconds_async: float
    concurrent: int
    scratch_bytes: int
    upload_bytes: int
    sky_area: float
    day_rows: int
    day_seconds: float
    job_bytes: int
    pending_jobs: int


@dataclass(frozen=True)
class Grant:
    """An approved request.

    Parameters
    ----------
    resource
        What is granted.
    amount
        How much, in the unit of its column.
    expires_at
        Until when.
    """

    resource: Resource
    amount: float
    expires_at: datetime


def effective(tier: Limits, grants: Iterable[Grant], now: datetime) -> Limits:
    """Limits that hold now: of each resource the most that the tier or a grant gives; no grant lowers one.

    Parameters
    ----------
    tier
        Limits of the tier.
    grants
        Approved requests, in any order; those that have expired count for nothing.
    now
        With a time zone, as the grants' times.
    """
    raised: dict[str, float] = {}
    for grant in grants:
        if grant.expires_at > now:
            amount = int(grant.amount) if grant.resource in _WHOLE else grant.amount
            name = grant.resource.value
            raised[name] = max(raised.get(name, getattr(tier, name)), amount)
    return dataclasses.replace(tier, **raised)  # type: ignore[arg-type]
