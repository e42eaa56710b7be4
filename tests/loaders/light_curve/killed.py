"""Processes that are killed in the middle of their work, for real."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import psutil
import sqlalchemy as sa

from roman_db import session

SPAWN = multiprocessing.get_context("spawn")


def kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_my_backend() -> None:
    """Kill the server process of the transaction that runs, as the kernel would where memory is short."""
    with session.engine().connect() as connection:
        query = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for pid in connection.execute(sa.text(query + " AND state <> 'idle'")).scalars():
            psutil.Process(pid).kill()


def in_process(task: Callable[..., None], *arguments: Any) -> int:
    """Run a function of a module in a process of its own and return its exit code."""
    process = SPAWN.Process(target=task, args=arguments)
    process.start()
    process.join(120)
    return process.exitcode
