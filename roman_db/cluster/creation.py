"""Making a cluster: whole or not at all.

It is made beside its place and gets its name when everything in it is there and on disk, so that a cluster
that has its name is a good one, and one that was interrupted is made again from the start.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from pathlib import Path

from roman_db.cluster import configuration
from roman_db.cluster.configuration import ADMINISTRATOR, READER
from roman_db.cluster.diagnosis import explained
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout, make_private_folder
from roman_db.cluster.process import Runner

DATABASE = "roman"

_log = logging.getLogger(__name__)
#: What a new cluster with its first write-ahead log needs, and some room to work.
_LEAST_FREE_MIB = 128
#: PostgreSQL's FirstNormalObjectId: what has a smaller number is made by initdb, says pg_dump.
_FIRST_USER_OID = 16384


def create(layout: Layout, runner: Runner) -> None:
    """Make the cluster ``layout.data`` with the login of readers, and the database ``roman`` with q3c in it.

    Raises
    ------
    ClusterError
        Where there is no room, or PostgreSQL says why it cannot.
    """
    _check_room(layout.home)
    _log.info("making a private PostgreSQL %d in %s", runner.installation.major, layout.home)
    _remove_unfinished(layout.unfinished)
    make_private_folder(layout.unfinished, runner.account)
    _initialise(layout, runner)
    _count_as_users(layout.unfinished, runner)
    _say(runner, layout.unfinished, "postgres", f"CREATE ROLE {READER} LOGIN;")
    _say(runner, layout.unfinished, "postgres", f"CREATE DATABASE {DATABASE};")
    _say(runner, layout.unfinished, DATABASE, "CREATE EXTENSION q3c;")
    _flush(layout.unfinished, runner)
    layout.unfinished.replace(layout.data)


def write_passfile(layout: Layout, password: str) -> None:
    """Write the administrator's password into the home, as libpq reads it."""
    configuration.write_files(layout.home, {layout.passfile.name: f"*:*:*:{ADMINISTRATOR}:{password}\n"})


def password_of(layout: Layout) -> str | None:
    """Read the administrator's password in the home; None where it has none."""
    if not layout.passfile.exists():
        return None
    _, _, password = layout.passfile.read_text().strip().rpartition(f":{ADMINISTRATOR}:")
    return password or None


def _check_room(home: Path) -> None:
    free = shutil.disk_usage(home).free // 1024**2
    if free < _LEAST_FREE_MIB:
        raise ClusterError(
            f"the disk has {free} MiB free, and a new cluster needs {_LEAST_FREE_MIB}",
            home,
            "Free some space, or set ROMAN_DB_HOME to a folder on another disk",
        )


def _remove_unfinished(folder: Path) -> None:
    if folder.exists():
        _log.info("removing %s, which an interrupted command left", folder)
        shutil.rmtree(folder)


def _initialise(layout: Layout, runner: Runner) -> None:
    password = secrets.token_urlsafe(32)
    write_passfile(layout, password)
    # initdb reads the password from a file, and its account cannot read root's.
    handed_over = layout.home / "password"
    configuration.write_files(layout.home, {handed_over.name: password + "\n"})
    try:
        _chown(handed_over, runner)
        done = runner.run(
            "initdb",
            f"--pgdata={layout.unfinished}",
            f"--username={ADMINISTRATOR}",
            f"--pwfile={handed_over}",
            "--auth-local=peer",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "--no-sync",
        )
    finally:
        handed_over.unlink(missing_ok=True)
    if done.returncode != 0:
        raise explained(done.stderr + done.stdout, layout.home, "initdb failed")


def _count_as_users(data: Path, runner: Runner) -> None:
    """Let what is created from now on count as a user's, and not as a part of PostgreSQL that no dump holds.

    A server that others can connect to begins with this number by itself, one of a single process does not.
    """
    done = runner.run("pg_resetwal", "-o", str(_FIRST_USER_OID), "-D", data)
    if done.returncode != 0:
        raise explained(done.stderr, data, "pg_resetwal failed")


def _chown(path: Path, runner: Runner) -> None:
    shutil.chown(path, runner.account.uid, runner.account.gid)


def _say(runner: Runner, data: Path, database: str, statement: str) -> None:
    """Run one statement in a server of one process that nobody else can connect to."""
    done = runner.run(
        "postgres", "--single", "-D", data, "-c", "jit=off", "-F", database, stdin=statement + "\n"
    )
    # A server of one process ends well whatever became of the statement.
    if done.returncode != 0 or any(level in done.stderr for level in ("ERROR:", "FATAL:", "PANIC:")):
        raise explained(done.stderr, data, f"{statement} failed")


def _flush(data: Path, runner: Runner) -> None:
    done = runner.run("initdb", "--sync-only", f"--pgdata={data}")
    if done.returncode != 0:
        raise explained(done.stderr, data, "the new cluster could not be flushed to disk")
