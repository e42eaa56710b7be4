"""Files that services left behind which died between a change of a job and that of its files."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog

from roman_db.tap.uws import storage
from roman_db.tap.uws.files import JobFiles

#: Jobs that are read together; one may have a query of 300,000 characters.
_AT_ONCE = 50
_log = structlog.get_logger()


def remove_leftovers(files: JobFiles, lifetime: timedelta) -> None:
    """Remove files that jobs need no more, and folders of jobs that are gone; what cannot be is logged.

    A folder without a job may be of another database whose services were given the same folder: it goes when
    nothing has changed in it for as long as a job is kept.

    Parameters
    ----------
    files
        All files of jobs.
    lifetime
        Time for which a job is kept at most.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError
        If the database cannot be reached.
    """
    oldest = time.time() - lifetime.total_seconds()
    try:
        folders = list(files.folders().items())
        for first in range(0, len(folders), _AT_ONCE):
            some = dict(folders[first : first + _AT_ONCE])
            jobs = storage.read_all(some)
            for job in jobs:
                files.name_result(job)
                files.tidy(job)
            for job_id in some.keys() - {job.job_id for job in jobs}:
                if some[job_id] < oldest:
                    files.remove(job_id)
    except OSError as error:
        _log.error("files that jobs left cannot be removed", error=str(error))
