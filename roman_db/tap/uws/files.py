"""The files of jobs: a folder for each, with its result."""

from __future__ import annotations

import shutil
from pathlib import Path


class JobFiles:
    """Folders of jobs below one that all services share.

    Parameters
    ----------
    root
        That one; made when the first job comes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def make(self, job_id: str) -> Path:
        """Folder of a job, made if it is not there."""
        folder = self._root / job_id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def result(self, job_id: str) -> Path:
        """File of the result of a job."""
        return self._root / job_id / "result"

    def remove(self, job_id: str) -> None:
        """Remove what there is of a job."""
        shutil.rmtree(self._root / job_id, ignore_errors=True)
