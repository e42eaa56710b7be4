"""Word that a job has changed, for those in this process who wait for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import anyio


class News:
    """Who waits for which job. Changes that other services make are not told, so nobody waits for long."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[anyio.Event]] = {}

    def tell(self, job_id: str) -> None:
        """Wake those who wait for a job."""
        for changed in self._waiting.get(job_id, ()):
            changed.set()

    @contextlib.contextmanager
    def expecting(self, job_id: str) -> Iterator[anyio.Event]:
        """What is set at the next change of a job; to be entered before one looks at the job."""
        changed = anyio.Event()
        self._waiting.setdefault(job_id, set()).add(changed)
        try:
            yield changed
        finally:
            self._waiting[job_id].discard(changed)
            if not self._waiting[job_id]:
                del self._waiting[job_id]
