"""The folder that the archive reads: deliveries appear in it whole or not at all.

::

    gbtds_s01_daily_61480_v2/   files and manifest.json of a version; it never changes
    gbtds_s01_daily_61480       link to the newest version
    notices/<delivery>.json     that it is there: the data-availability notification
    answers/<delivery>.json     what the archive says of it
    .staging/                   what is not published yet
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from roman_db.archive.publish import staged, sync_folder


@dataclass(frozen=True)
class Outbox:
    """Places in the folder.

    Parameters
    ----------
    root
        The folder; all of it is of one file system.
    """

    root: Path

    def staging(self, name: str) -> Path:
        """Where a delivery is made."""
        return self.root / ".staging" / name

    def published(self, name: str) -> Path:
        """Where the archive finds it."""
        return self.root / name

    @property
    def answers(self) -> Path:
        """Where the archive puts its answers."""
        return self.root / "answers"

    def drop(self, name: str) -> None:
        """Remove what was made of a delivery that is given up, first from where the archive reads.

        Raises
        ------
        OSError
            If the archive would still find it.
        """
        if self.published(name).exists():
            shutil.rmtree(self.staging(name), ignore_errors=True)
            self.published(name).rename(self.staging(name))
            sync_folder(self.root)
        shutil.rmtree(self.staging(name), ignore_errors=True)

    def publish(self, name: str) -> None:
        """Let the archive see a delivery, in one step; again does nothing.

        Raises
        ------
        OSError
            If it cannot be moved.
        """
        if not self.published(name).exists():
            sync_folder(self.staging(name))
            self.staging(name).rename(self.published(name))
            sync_folder(self.root)

    def point(self, series: str, name: str) -> None:
        """Let the link of a series lead to a version."""
        part = self.root / f".{series}.{os.getpid()}"
        part.unlink(missing_ok=True)
        part.symlink_to(name)
        part.replace(self.root / series)
        sync_folder(self.root)

    def notify(self, name: str, notice: Mapping[str, object]) -> None:
        """Tell the archive that a delivery is there, and where it is to answer."""
        self.answers.mkdir(exist_ok=True)
        path = self.root / "notices" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        with staged(path) as stream:
            stream.write((json.dumps(notice, indent=1) + "\n").encode())
