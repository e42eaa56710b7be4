"""A private PostgreSQL for the whole test run, started by the first to need it, shared by xdist's workers."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest
import sqlalchemy as sa
from astropy.utils import iers
from hypothesis import settings as hypothesis_settings

from roman_db.cluster import binaries, lifecycle
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout
from roman_db.settings import Settings, settings

_PREFIX = "roman-db-test-"
#: File system in memory, and the bytes that must be free for a server to have its files there.
_MEMORY, _ENOUGH = Path("/dev/shm"), 4 * 2**30
_HOME = pytest.StashKey[Path]()
# The data of a test run need not outlive the machine; processes may still be killed at any moment.
_HASTE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
#: Objects, and rounds, after which garbage is looked for: memory is there, and time is not.
_GARBAGE = 20_000, 20, 50
_count = itertools.count()
# `make test` says the same of the same code each time, however slow the machine is; `make test-all` looks for
# new examples.
hypothesis_settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis_settings.register_profile("long", max_examples=100_000)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the home of the cluster: the controller for all its workers."""
    given = getattr(config, "workerinput", {}).get("cluster_home")
    if given is None:
        _remove_homes_of_dead_runs()
    # Tests must not go to the network when the installed tables of Earth rotation have grown old.
    iers.conf.auto_download = False
    iers.conf.auto_max_age = None
    config.stash[_HOME] = Path(given or _folder_of_homes() / f"{_PREFIX}{os.getpid()}")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage of imports and items: they stay, and need not be walked through later either."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*_GARBAGE)
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Tell an xdist worker the controller's choice."""
    node.workerinput["cluster_home"] = str(node.config.stash[_HOME])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the cluster once all workers are done, and remove it."""
    if not hasattr(session.config, "workerinput"):
        _remove(session.config.stash[_HOME])


@pytest.fixture(scope="session")
def cluster_url(pytestconfig: pytest.Config) -> str:
    """URL of the run's server, as its administrator (a superuser)."""
    url = lifecycle.ensure_running(_settings(pytestconfig.stash[_HOME]))
    _execute(url, *(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in _HASTE.items()))
    _execute(url, "SELECT pg_reload_conf()")
    return url


@pytest.fixture
def empty_database(cluster_url: str) -> Iterator[str]:
    """URL of a new database with nothing in it; q3c is there to be created. It is dropped after the test."""
    name = f"test_{os.getpid()}_{next(_count)}"
    _execute(cluster_url, f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
    yield sa.make_url(cluster_url).set(database=name).render_as_string(hide_password=False)
    _execute(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")


def _settings(home: Path) -> Settings:
    own = settings()
    programs = max(binaries.usable(own.pg_bin, Layout(own.home)), key=lambda one: one.major)
    return Settings(url=None, home=home, pg_bin=programs.bin, pg_port=None, pg_memory_mb=2048)


def _execute(url: str, *statements: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def _folder_of_homes() -> Path:
    """Memory, where there is enough of it: each database that a test gets is copied file by file."""
    if not os.access(_MEMORY, os.W_OK):
        return Path(tempfile.gettempdir())
    free = min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available)
    return _MEMORY if free >= _ENOUGH else Path(tempfile.gettempdir())


def _remove_homes_of_dead_runs() -> None:
    folders = (_MEMORY, Path(tempfile.gettempdir()))
    for home in [home for folder in folders for home in folder.glob(f"{_PREFIX}[0-9]*")]:
        if home.stat().st_uid == os.geteuid() and not psutil.pid_exists(int(home.name.removeprefix(_PREFIX))):
            # One that a container of its own still runs is not ours to remove.
            with contextlib.suppress(ClusterError):
                _remove(home)


def _remove(home: Path) -> None:
    if home.exists():
        lifecycle.stop(_settings(home), "immediate")
        shutil.rmtree(home)


#: Kills of whole runs: minutes long, for `make test-all`.
_HEAVY_FOLDERS = ("faults",)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow folders as heavy."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in _HEAVY_FOLDERS:
            item.add_marker(pytest.mark.heavy)
