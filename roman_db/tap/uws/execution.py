"""What is done of one job: its query, from the parameters to the file of the result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
import structlog

from roman_db.service_failure import Failure, TooMuch
from roman_db.tap.connections import Held
from roman_db.tap.prepared import RequestLimits, prepared
from roman_db.tap.sending import Asked, Sending
from roman_db.tap.uploads.request import upload_parts
from roman_db.tap.uws.files import JobFiles
from roman_db.tap.uws.job import Job, Phase

END = sa.func.now()
_log = structlog.get_logger()


class Execution:
    """A job that runs in a thread and may be ended from another.

    Parameters
    ----------
    job
        The job.
    held
        Connection on which its query runs.
    limits
        What it may have.
    files
        Where its result goes, and where files are that came with it.
    """

    def __init__(self, job: Job, held: Held, limits: RequestLimits, files: JobFiles) -> None:
        self._job = job
        self._held = held
        self._limits = limits
        self._files = files
        self._sending: Sending | None = None
        self._instead: dict[str, Any] | None = None
        #: Most bytes of its result; None for any number.
        self.most_bytes: int | None = None
        #: Values of the job's row when it has run.
        self.outcome: dict[str, Any] = {}

    def run(self) -> None:
        """Run it to its end; how that went is in `outcome`."""
        try:
            ended = self._run()
        except Failure as failure:
            ended = _failed(str(failure))
        except OSError as error:
            _log.error("a result could not be stored", job_id=self._job.job_id, error=str(error))
            ended = _failed("the result could not be stored; the operators' log says why")
        except Exception as error:  # noqa: BLE001 - a job must end, and the log must have it
            _log.exception("a job failed", job_id=self._job.job_id, error=str(error))
            ended = _failed("the query could not be run; the operators' log says why")
        self.outcome = ended if self._instead is None or ended["phase"] is Phase.COMPLETED else self._instead

    def cancel(self) -> None:
        """Have the server end the query, from any thread; may be said again."""
        if self._sending is not None:
            self._sending.cancel()

    def to_wait_again(self) -> None:
        """If it is cancelled, it is to be begun anew."""
        self._instead = {"phase": Phase.QUEUED, "start_time": None, "worker": None}

    def is_late(self) -> None:
        """If it is cancelled, that is because it took too long."""
        allowed = self._job.execution_duration
        reason = f"the query took longer than the {allowed} s that it may (EXECUTIONDURATION): ask for less"
        self._instead = {"phase": Phase.ABORTED, "error": reason, "end_time": END}

    def _run(self) -> dict[str, Any]:
        parameters = self._job.parameters
        files = self._files.kept(self._job.job_id, upload_parts(parameters))
        asked = prepared(parameters, files, self._limits)
        if self.most_bytes is not None:
            asked = replace(asked, most_bytes=self.most_bytes)
        held = self._held if asked.request.rows else None
        self._sending = Sending(asked, held, self._job.execution_duration)
        try:
            size = self._write(self._sending)
        finally:
            self._sending.end()
        return _completed(asked, size)

    def _write(self, sending: Sending) -> int:
        """Write the result, and return its bytes."""
        self._files.make(self._job.job_id)
        with self._files.result(self._job).open("wb") as file:
            chunk, is_last = sending.begin()
            while True:
                file.write(chunk)
                self._check_room(file.tell())
                if is_last:
                    break
                chunk, is_last = sending.next_chunk()
            if sending.failure is not None:
                raise sending.failure
            return file.tell()

    def _check_room(self, size: int) -> None:
        """Raise `TooMuch` where a result has more bytes than it may."""
        if self.most_bytes is not None and size > self.most_bytes:
            raise TooMuch(
                f"the result has more than the {self.most_bytes:,} bytes for which you have room: "
                "remove results of earlier jobs, or ask for less"
            )


def _completed(asked: Asked, size: int) -> dict[str, Any]:
    media_type = asked.request.format.content_type
    return {"phase": Phase.COMPLETED, "media_type": media_type, "result_size": size, "end_time": END}


def _failed(reason: str) -> dict[str, Any]:
    return {"phase": Phase.ERROR, "error": reason, "end_time": END}
