"""The private server as backups see it: its folder of backups, its programs, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from roman_db import session
from roman_db.cluster import binaries
from roman_db.cluster.account import server_account
from roman_db.cluster.backup_folder import BackupFolder
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout
from roman_db.cluster.process import Runner
from roman_db.settings import Settings


def folder_of(settings: Settings, given: Path | None = None) -> BackupFolder:
    """Return the folder of backups: a given one, or that of the settings.

    Raises
    ------
    ClusterError
        Where there is neither, or it is not there.
    """
    root = given or settings.backup_folder
    if root is None:
        raise ClusterError(
            "not set: the private server archives nothing",
            "ROMAN_DB_BACKUP_FOLDER",
            "Set it to a folder on another disk, and start the server anew (roman-db cluster stop, start)",
        )
    if given is not None and not root.is_dir():
        raise ClusterError("there is no such folder", root, "Name the folder that has base/ and wal/ in it")
    return BackupFolder(root.absolute())


def runner_of(settings: Settings, layout: Layout) -> Runner:
    """Return what runs PostgreSQL's programs for the cluster of a home."""
    installation = binaries.choose(settings.pg_bin, layout)
    return Runner(layout.home, installation, server_account(layout.data), lock=None)


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """A connection of its own to a server, each statement committed at once.

    It is to the database that every server has: ours may be gone or broken, and that be why it is restored.
    """
    engine = session.make_engine(sa.make_url(url).set(drivername="postgresql+psycopg2", database="postgres"))
    try:
        with engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
    finally:
        engine.dispose()
