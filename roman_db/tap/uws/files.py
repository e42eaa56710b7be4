"""The files of jobs: a folder for each, with its result and the files that came with it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
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

    def keep(self, job_id: str, uploads: Mapping[str, bytes]) -> None:
        """Store files that came with a job, by the names of their parts."""
        self.make(job_id)
        for part, content in uploads.items():
            self._upload(job_id, part).write_bytes(content)

    def kept(self, job_id: str, parts: Iterable[str]) -> dict[str, bytes]:
        """Files that came with a job, those of the parts that are there."""
        paths = {part: self._upload(job_id, part) for part in parts}
        return {part: path.read_bytes() for part, path in paths.items() if path.is_file()}

    def _upload(self, job_id: str, part: str) -> Path:
        """File of a part, whose name may be anything."""
        return self._root / job_id / f"upload-{hashlib.sha256(part.encode()).hexdigest()[:24]}"

    def remove(self, job_id: str) -> None:
        """Remove what there is of a job."""
        shutil.rmtree(self._root / job_id, ignore_errors=True)
