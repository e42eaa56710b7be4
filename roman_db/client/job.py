"""Queries that are asked asynchronously: begun, waited for, fetched and removed."""

from __future__ import annotations

import contextlib
import time

import pyvo
from pyvo.dal.exceptions import DALAccessError

from roman_db.client.binding import BoundQuery
from roman_db.client.failure import ClientError, ServiceFailed

_ENDED = ("COMPLETED", "ERROR", "ABORTED")
#: Seconds between two looks at a job, at first and at last.
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 5.0


def run_job(
    tap: pyvo.dal.TAPService, bound: BoundQuery, maxrec: int | None, timeout: float
) -> pyvo.dal.TAPResults:
    """Run a query as a job, which is removed at the end, also where nobody waits for it any more.

    Raises
    ------
    ServiceFailed
        If it takes longer than ``timeout`` seconds.
    """
    job = tap.submit_job(bound.text, maxrec=maxrec, uploads=bound.uploads or None)
    try:
        job.run()
        _wait(job, timeout)
        job.raise_if_error()
        return job.fetch_result()
    finally:
        with contextlib.suppress(ClientError, DALAccessError):  # it is removed after some days anyway
            job.delete()


def _wait(job: pyvo.dal.AsyncTAPJob, timeout: float) -> None:
    """Wait until a job has ended, looking more and more seldom."""
    end, pause = time.monotonic() + timeout, _FIRST_PAUSE_S
    while job.phase not in _ENDED:
        left = end - time.monotonic()
        if left <= 0:
            raise ServiceFailed(
                f"the job {job.url} did not end within {timeout:g} s and was removed: give a longer timeout, "
                "or look after it yourself (.tap.submit_job)"
            )
        time.sleep(min(pause, left))
        pause = min(1.5 * pause, _LAST_PAUSE_S)
