"""Clusters that a test may break: each its own home, copied from one that was made once."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

import roman_db.settings
from roman_db.cluster import binaries, lifecycle, lock
from roman_db.cluster.binaries import Installation
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout
from roman_db.cluster.postmaster import processes
from roman_db.settings import Settings


@functools.cache
def installation() -> Installation:
    """PostgreSQL's programs: they may be in the home of the user, which no test uses."""
    own = roman_db.settings.settings()
    return max(binaries.usable(own.pg_bin, Layout(own.home)), key=lambda one: one.major)


def settings_of(home: Path, **others: object) -> Settings:
    plain = {"url": None, "home": home, "pg_bin": installation().bin, "pg_port": None, "pg_memory_mb": 256}
    return Settings(**(plain | others))


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder with a short path that the server's account can enter; pytest's own is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="rdb-", dir=_in_memory()))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        for home in {folder, *(cluster.parent for cluster in folder.glob("**/cluster"))}:
            end(home)
        shutil.rmtree(folder)


def _in_memory() -> str | None:
    """A folder in memory, where there is one with room: a cluster is copied for each test."""
    memory = "/dev/shm"
    return memory if Path(memory).is_dir() and shutil.disk_usage(memory).free > 1024**3 else None


def end(home: Path) -> None:
    """Stop the server in a home, and kill what does not stop: a killed server leaves shared memory behind."""
    layout = Layout(home)
    with contextlib.suppress(ClusterError):
        lifecycle.stop(settings_of(home), "immediate")
    for process in processes(layout):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    if layout.server_lock.exists():
        with lock.held(layout.server_lock, timeout_s=10) as descriptor:
            assert descriptor is not None


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as made:
        yield made


@pytest.fixture(scope="session")
def finished_home() -> Iterator[Path]:
    """A home with a cluster that was made and stopped; to be copied, not used."""
    with short_folder() as made:
        settings = settings_of(made / "home")
        lifecycle.start(settings)
        lifecycle.stop(settings)
        with (settings.home / "cluster/postgresql.auto.conf").open("a") as file:
            # In files, or each server that a test kills would leave shared memory behind.
            file.write("dynamic_shared_memory_type = 'mmap'\n")
        yield settings.home


@pytest.fixture
def home(folder: Path, finished_home: Path) -> Path:
    """A home of the test's own, with a stopped cluster."""
    copied = folder / "home"
    subprocess.run(["cp", "-a", finished_home, copied], check=True)
    return copied


@pytest.fixture
def settings(home: Path) -> Settings:
    return settings_of(home)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    return unused_port()


@pytest.fixture
def ask() -> Callable[..., list[tuple[object, ...]]]:
    """Run statements on a server, one transaction each, and return the rows of the last."""

    def run(url: str, *statements: str) -> list[tuple[object, ...]]:
        with contextlib.closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def tmpfs(folder: Path) -> Iterator[Callable[[int], Path]]:
    """Mount a small disk of so many MiB; where that is not allowed the test is skipped."""
    mounted: list[Path] = []

    def mount(size_mib: int) -> Path:
        disk = folder / "disk"
        disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=0755", "tmpfs", str(disk)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"mounting a small disk needs root: {done.stderr.strip()}")
        mounted.append(disk)
        return disk

    yield mount
    for disk in mounted:
        end(disk / "home")
        subprocess.run(["umount", str(disk)], check=True)


@contextlib.contextmanager
def acting_as(uid: int) -> Iterator[None]:
    """Let root act as another user for the block."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
