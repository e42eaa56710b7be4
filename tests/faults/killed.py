"""``roman-db`` in processes of its own, some of which are killed in the middle of their work."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from roman_db import cli, copy_binary, session
from roman_db.cluster.layout import Layout
from roman_db.settings import settings

#: What the commands need is imported once, in the process from which all others are forked.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.killed", "tests.faults.preloaded"])

#: Code of a process that was killed.
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Kill:
    """Whom to kill, and before which step: a statement, a commit, or the next part of a COPY."""

    victim: str
    step: int


@dataclass(frozen=True)
class Outcome:
    """How a process ended, what it wrote, and how many steps it took."""

    code: int
    text: str
    n_step: int


class Started:
    """A command that runs in a process of its own."""

    def __init__(self, arguments: Sequence[object], kill: Kill | None = None, **environment: str) -> None:
        ours = {name: value for name, value in os.environ.items() if name.startswith("ROMAN_DB_")}
        self._folder = Path(tempfile.mkdtemp(prefix="killed-"))
        words = [str(word) for word in arguments]
        self.process = CONTEXT.Process(target=_run, args=(words, {**ours, **environment}, kill, self._folder))
        self.process.start()

    def outcome(self) -> Outcome:
        """Wait for the end, once, and remove what the process wrote."""
        try:
            self.process.join(240)
            steps = self._folder / "steps"
            text = (self._folder / "text").read_text()
            return Outcome(self.process.exitcode, text, int(steps.read_text()) if steps.exists() else 0)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def run(arguments: Sequence[object], kill: Kill | None = None, **environment: str) -> Outcome:
    """Run a command to its end, which may be violent."""
    return Started(arguments, kill, **environment).outcome()


def run_all(commands: Sequence[Sequence[object]], **environment: str) -> list[Outcome]:
    """Run commands at once."""
    started = [Started(command, **environment) for command in commands]
    return [one.outcome() for one in started]


def _run(arguments: list[str], environment: dict[str, str], kill: Kill | None, folder: Path) -> None:
    """Be ``roman-db``."""
    for name in [name for name in os.environ if name.startswith("ROMAN_DB_")]:
        del os.environ[name]
    os.environ.update(environment)
    steps = _count_steps(kill)
    sys.argv = ["roman-db", *arguments]
    with (
        (folder / "text").open("w") as text,
        contextlib.redirect_stdout(text),
        contextlib.redirect_stderr(text),
    ):
        try:
            cli.main()
        finally:
            (folder / "steps").write_text(str(len(steps)))


def _count_steps(kill: Kill | None) -> list[None]:
    """Watch what is done to the database, and kill before the chosen step."""
    steps: list[None] = []

    def step(*_: Any) -> None:
        steps.append(None)
        if kill is not None and len(steps) == kill.step:
            _VICTIMS[kill.victim]()

    sa.event.listen(sa.Engine, "before_cursor_execute", step)
    sa.event.listen(sa.Engine, "commit", step)
    read = copy_binary.ChunkReader.read

    def counted_read(reader: Any, size: int = -1) -> Any:
        step()
        return read(reader, size)

    copy_binary.ChunkReader.read = counted_read  # type: ignore[method-assign]
    return steps


def _kill_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_server() -> None:
    """The first process of the private server; the others find out by themselves."""
    pid_file = Layout(settings().home).data / "postmaster.pid"
    psutil.Process(int(pid_file.read_text().splitlines()[0])).kill()


def _kill_backend() -> None:
    """The server's process of our connection, as the kernel would where memory is short."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    with contextlib.closing(session.engine().raw_connection().driver_connection) as connection:
        cursor = connection.cursor()
        cursor.execute(f"{query} AND application_name = 'roman-db' AND pid <> pg_backend_pid()")
        for (pid,) in cursor.fetchall():
            psutil.Process(pid).kill()


_VICTIMS: dict[str, Callable[[], None]] = {
    "loader": _kill_process,
    "server": _kill_server,
    "backend": _kill_backend,
}
