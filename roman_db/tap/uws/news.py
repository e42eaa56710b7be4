"""Word that a job has changed, for those in this process who wait for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import anyio

from roman_db.tap.uws.job import Phase


class News:
    """Who waits for which job. Changes that other services make are found by looking (`compare`)."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[anyio.Event, Phase | None]] = {}

    @property
    def compared(self) -> list[str]:
        """Jobs for another phase of which somebody waits."""
        return [job_id for job_id, waiting in self._waiting.items() if any(waiting.values())]

    def tell(self, job_id: str) -> None:
        """Wake those who wait for a job."""
        for changed in self._waiting.get(job_id, ()):
            changed.set()

    def compare(self, phases: Mapping[str, Phase]) -> None:
        """Wake those who wait for another phase than they know, or whose job is gone.

        Parameters
        ----------
        phases
            Phases of the jobs of `compared` that there are, as they are now.
        """
        for job_id, waiting in self._waiting.items():
            for changed, known in waiting.items():
                if known is not None and phases.get(job_id) is not known:
                    changed.set()

    @contextlib.contextmanager
    def expecting(self, job_id: str, known: Phase | None = None) -> Iterator[anyio.Event]:
        """What is set at the next change of a job.

        Parameters
        ----------
        job_id
            The job.
        known
            Its phase as it was read, to which it is compared now and then; None for word from here alone.
        """
        changed = anyio.Event()
        self._waiting.setdefault(job_id, {})[changed] = known
        try:
            yield changed
        finally:
            del self._waiting[job_id][changed]
            if not self._waiting[job_id]:
                del self._waiting[job_id]
