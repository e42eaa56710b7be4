"""The files of jobs: a folder for each, with its result and the files that came with it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from roman_db.tap.uws.job import ENDED, Job, Phase

#: How the names of files begin that have a result, and what came with a job.
_RESULT, _UPLOAD = "result-", "upload-"


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

    def result(self, job: Job) -> Path:
        """File of the result of a job as it was begun last: two that run the same job do not meet in one."""
        return self._root / job.job_id / f"{_RESULT}{job.n_start}"

    def keep(self, job_id: str, uploads: Mapping[str, bytes], parts: Iterable[str]) -> None:
        """Store files that came with a job, by the names of their parts; of those before, parts are kept."""
        folder = self.make(job_id)
        wanted = {self._upload(job_id, part) for part in parts}
        for path in set(folder.glob(f"{_UPLOAD}*")) - wanted:
            path.unlink(missing_ok=True)
        for part, content in uploads.items():
            self._upload(job_id, part).write_bytes(content)

    def upload_size(self, job_id: str, parts: Iterable[str]) -> int:
        """Bytes of the files of parts that are kept."""
        paths = [self._upload(job_id, part) for part in parts]
        return sum(path.stat().st_size for path in paths if path.is_file())

    def kept(self, job_id: str, parts: Iterable[str]) -> dict[str, bytes]:
        """Files that came with a job, those of the parts that are there."""
        paths = {part: self._upload(job_id, part) for part in parts}
        return {part: path.read_bytes() for part, path in paths.items() if path.is_file()}

    def _upload(self, job_id: str, part: str) -> Path:
        """File of a part, whose name may be anything."""
        return self._root / job_id / f"{_UPLOAD}{hashlib.sha256(part.encode()).hexdigest()[:24]}"

    def tidy(self, job: Job) -> None:
        """Remove what a job has no use for: results of earlier starts, uploads once it has ended.

        The job is as it was read: a start that came later is left alone.
        """
        folder = self._root / job.job_id
        n_over = job.n_start - (job.phase in (Phase.EXECUTING, Phase.COMPLETED))
        for path in folder.glob(f"{_RESULT}*"):
            if int(path.name.removeprefix(_RESULT)) <= n_over:
                path.unlink(missing_ok=True)
        if job.phase in ENDED:
            for path in folder.glob(f"{_UPLOAD}*"):
                path.unlink(missing_ok=True)

    def name_result(self, job: Job) -> None:
        """Give the result of an earlier release, where it had no number, the name of its start."""
        before = self._root / job.job_id / "result"
        if job.phase in ENDED and before.is_file():
            before.rename(self.result(job))

    def folders(self) -> dict[str, float]:
        """Jobs that have a folder, and when a file was last added to it or removed, in seconds of POSIX."""
        if not self._root.is_dir():
            return {}
        return {path.name: path.stat().st_mtime for path in self._root.iterdir() if path.is_dir()}

    def remove(self, job_id: str) -> None:
        """Remove what there is of a job."""
        shutil.rmtree(self._root / job_id, ignore_errors=True)
