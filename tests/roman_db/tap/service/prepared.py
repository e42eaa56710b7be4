"""Services out of a process that has imported all they need: a new interpreter takes seconds for that."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psutil

from tests.sources import ROOT


@contextmanager
def prepared(environment: dict[str, str]) -> Iterator[str]:
    """Address of a service in a process of its own with an environment, while the context lasts."""
    with tempfile.TemporaryDirectory() as folder:
        pipe = Path(folder) / "said"
        os.mkfifo(pipe)
        source = _source()
        request = {"environment": environment, "folder": str(Path.cwd()), "said": str(pipe)}
        source.stdin.write(f"{json.dumps(request)}\n")
        source.stdin.flush()
        process = psutil.Process(int(source.stdout.readline()))
        with pipe.open() as said:
            try:
                yield said.readline().split()[-1]
            finally:
                with suppress(psutil.NoSuchProcess):  # it ended by itself, and said why
                    process.terminate()
                    process.wait(30)


@cache
def _source() -> subprocess.Popen:
    """The process that forks services; it ends with this one, which held its standard input open."""
    command = [sys.executable, "-c", f"from {__name__} import fork_services; fork_services()"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def fork_services() -> None:
    """Fork a service for every line of standard input, and print its number."""
    from roman_db.tap.heap import share_arenas  # noqa: PLC0415  # this is for the process that forks
    from roman_db.tap.without_pandas import keep_out_pandas  # noqa: PLC0415

    share_arenas()
    keep_out_pandas()
    import roman_db.tap.server  # noqa: F401, PLC0415  # after what must be done before

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            _become_service(**json.loads(line))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def _become_service(environment: dict[str, str], folder: str, said: str) -> None:
    """Serve in this process, as in one that was started so; it ends with that."""
    from roman_db.tap.commands import serve  # noqa: PLC0415

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(said, os.O_WRONLY), 1)
    serve(["--port", "0"])
