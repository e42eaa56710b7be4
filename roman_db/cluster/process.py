"""Running PostgreSQL's programs as the server's account."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roman_db.cluster.account import Account
from roman_db.cluster.binaries import Installation
from roman_db.cluster.error import ClusterError


@dataclass(frozen=True)
class Runner:
    """Runs one installation's programs as one account, in the folder ``home``.

    ``lock`` is the file descriptor of the server lock, which every program and what it starts inherits; None
    where the program starts nothing that stays.
    """

    home: Path
    installation: Installation
    account: Account
    lock: int | None

    def run(
        self, program: str, *arguments: str | Path, timeout_s: float | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run ``program`` to its end and return what it said, whatever its exit code.

        Raises
        ------
        ClusterError
            Where it cannot be run, or not by this account, or it does not end in time.
        """
        command = [self.installation.bin / program, *arguments]
        try:
            return subprocess.run(
                command,
                input=stdin,
                env=self.installation.environment,
                cwd=self.home,
                pass_fds=[] if self.lock is None else [self.lock],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
                **self._identity(),
            )
        except OSError as error:
            raise ClusterError(
                f"user {self.account.name} cannot run it ({error.strerror})",
                command[0],
                "Make the program and the folders above it readable, or install PostgreSQL anew",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise ClusterError(
                f"it did not end within {error.timeout:.0f} s",
                _line(command),
                "Look at the load of the machine",
            ) from error

    def _identity(self) -> dict[str, Any]:
        account = self.account
        if account.is_current:
            return {}
        return {"user": account.uid, "group": account.gid, "extra_groups": sorted(account.groups)}


def _line(command: Sequence[str | Path]) -> str:
    return " ".join(map(str, command))
