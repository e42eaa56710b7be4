"""Private servers with a folder of backups, each in a folder of the test's own."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from roman_db.cluster import lifecycle
from roman_db.settings import Settings
from tests.roman_db.cluster.conftest import ask, finished_home, folder, free_port, settings_of, tmpfs

__all__ = ["ask", "finished_home", "folder", "free_port", "tmpfs"]


@dataclasses.dataclass(frozen=True)
class Server:
    """A private server, and a way to ask it."""

    settings: Settings
    ask_url: Callable[..., list[tuple]]

    def ask(self, *statements: str) -> list[tuple]:
        """Run statements, each in a transaction, and return the rows of the last."""
        return self.ask_url(lifecycle.ensure_running(self.settings), *statements)

    def write(self, first: int, last: int) -> datetime:
        """Commit numbers, and return a moment after that."""
        self.ask("CREATE TABLE IF NOT EXISTS kept (n int)")
        self.ask(f"INSERT INTO kept SELECT generate_series({first}, {last})")
        return self.now()

    def now(self) -> datetime:
        """The server's time, which restores go by."""
        return self.ask("SELECT clock_timestamp()")[0][0].astimezone(UTC)

    def kept(self) -> int:
        """How many numbers there are."""
        return self.ask("SELECT count(*) FROM kept")[0][0]


def copied(finished_home: Path, home: Path) -> None:
    subprocess.run(["cp", "-a", finished_home, home], check=True)


@pytest.fixture
def server(folder, finished_home, ask) -> Server:
    """A server that archives its log."""
    copied(finished_home, folder / "home")
    return Server(settings_of(folder / "home", backup_folder=folder / "backup"), ask)
