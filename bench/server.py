"""A PostgreSQL server of the benchmarks' own, set up as roman-db sets one up, which may be restarted."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from roman_db import migrate, session, settings
from roman_db.cluster import lifecycle
from roman_db.settings import Settings

_DROP_CACHES = Path("/proc/sys/vm/drop_caches")


class BenchServer:
    """A private server in a folder of its own; one of its databases is the one that ``roman_db`` uses."""

    def __init__(self, home: Path) -> None:
        self._settings = Settings(url=None, home=home)
        self._url = sa.make_url(lifecycle.ensure_running(self._settings))

    def use(self, database: str) -> None:
        """Make ``roman_db`` use a database, which is made and upgraded if need be."""
        self._disconnect()
        os.environ["ROMAN_DB_URL"] = self._url.set(database=database).render_as_string(hide_password=False)
        migrate.ensure_current()

    def new_database(self, name: str) -> str:
        """Make an empty database, which ``roman_db`` does not use, and return its address."""
        engine = sa.create_engine(
            self._url.set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self._url.set(database=name).render_as_string(hide_password=False)

    def forget(self) -> str:
        """Restart the server and drop the system's file cache where that is allowed; say what was done."""
        session.disconnect()
        lifecycle.stop(self._settings)
        os.sync()
        try:
            _DROP_CACHES.write_text("3")
            return "server restarted, file cache dropped"
        except OSError:
            return "server restarted"
        finally:
            lifecycle.start(self._settings)

    def stop(self) -> None:
        """Stop the server."""
        self._disconnect()
        lifecycle.stop(self._settings, "immediate")

    def _disconnect(self) -> None:
        session.disconnect()
        settings.settings.cache_clear()


@contextmanager
def bench_server() -> Iterator[BenchServer]:
    """Start a server and remove it, and what ``roman_db`` knows of it, at the end."""
    folder = Path(tempfile.mkdtemp(prefix="roman-db-bench-"))
    folder.chmod(0o711)
    given = os.environ.get("ROMAN_DB_URL", "")
    server = BenchServer(folder / "home")
    try:
        yield server
    finally:
        server.stop()
        os.environ["ROMAN_DB_URL"] = given
        shutil.rmtree(folder)


def seconds(task: Callable[[], object]) -> float:
    """Time that a function takes."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def shortest_seconds(*tasks: Callable[[], object], turns: int = 9) -> list[float]:
    """Shortest time of each function over several turns, after one that is not counted."""
    times = [[seconds(task) for task in tasks] for _ in range(turns + 1)]
    return [min(column) for column in zip(*times[1:], strict=True)]


def copy_out(query: str) -> Callable[[], object]:
    """Function that fetches a result as binary COPY, which costs the client least, and lets go of it."""

    def run() -> None:
        with session.reading() as connection, Path(os.devnull).open("wb") as sink:
            cursor = connection.connection.cursor()
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", sink, 1 << 20)

    return run
