"""DaCHS (Debian's python3-gavo) beside our TAP service: the same rows in a server of its own, the same work.

It has its own folder, PostgreSQL server and ports, and runs as an account without rights. pgsphere, which it
needs, is made from the script of its extension, less what PostgreSQL 15.20 refuses: operators that are each
other's commutator or negator though they take other types. Where DaCHS is not installed there is no peer.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import requests

from bench import tap_work
from roman_db import session

_FILES = Path(__file__).with_name("dachs")
_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_PGSPHERE = Path("/usr/share/postgresql/15/extension/pg_sphere--1.2.0.sql")
_PYTHON = "/usr/bin/python3"
#: Rows of its streams; rates are compared.
_N_ROW = 500_000
_TABLES = {
    "object": "SELECT object_id, ra, dec FROM roman.object",
    "light_curve": "SELECT object_id, midpoint_mjd_tdb, flux, flux_err FROM roman.light_curve "
    f"WHERE midpoint_mjd_tdb < {tap_work.FIRST_DAY + tap_work.CURVE_DAYS}",
}
_SETTINGS = """\
[general]
rootDir: {folder}/gavo
group: {group}
[web]
bindAddress: 127.0.0.1
serverPort: {port}
serverURL: http://127.0.0.1:{port}
"""


def name() -> str | None:
    """Name and version of the peer; None where it is not installed."""
    asked = ["dpkg-query", "-W", "-f=${Version}", "python3-gavo"]
    if shutil.which("dpkg-query") is None or not (_PGSPHERE.exists() and (_PROGRAMS / "initdb").exists()):
        return None
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return f"DaCHS {done.stdout.partition('+')[0]}" if done.returncode == 0 and done.stdout else None


def measured() -> dict[str, float]:
    """What the peer reaches with the rows of our database, by the work; empty where there is no peer."""
    if name() is None:
        return {}
    with _dachs() as address:
        return {
            "one row": tap_work.one_row(address, 40),
            "curves": tap_work.curves(address, 80),
            "match": tap_work.match(address, tap_work.BY_CIRCLE, 7),
            "job": tap_work.job(address, 3),
            "CSV": tap_work.stream(address, _N_ROW, "csv"),
            "BINARY2": tap_work.stream(address, _N_ROW, "votable/b2"),
        }


class _Runner:
    """Runs programs as an account without rights, in a folder and with little of our environment."""

    def __init__(self, folder: Path) -> None:
        self._account = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.group = grp.getgrgid(self._account.pw_gid).gr_name
        self._folder = folder
        os.chown(folder, self._account.pw_uid, self._account.pw_gid)

    def start(self, *command: str | Path) -> subprocess.Popen:
        """Start a program; what it says goes to a file in the folder."""
        who = {}
        if os.geteuid() == 0:
            who = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": ()}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "LC_ALL": "C.UTF-8"}
        environment |= {"GAVOSETTINGS": str(self._folder / "gavo.rc"), "GAVOCUSTOM": "/none"}
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                list(map(str, command)), cwd=self._folder, env=environment, stdout=log, stderr=log, **who
            )

    def run(self, *command: str | Path) -> None:
        """Run a program to its end.

        Raises
        ------
        RuntimeError
            If it fails; with the end of what it said.
        """
        if self.start(*command).wait(300):
            said = (self._folder / "log").read_text()[-800:]
            raise RuntimeError(f"{command[0]} {command[1]} failed: {said}")


@contextmanager
def _dachs() -> Iterator[str]:
    """Address of TAP of a DaCHS with our rows."""
    with tempfile.TemporaryDirectory(prefix="roman-db-dachs-") as text:
        folder = Path(text)
        runner = _Runner(folder)
        port = _free_port()
        (folder / "gavo.rc").write_text(_SETTINGS.format(folder=folder, group=runner.group, port=port))
        shutil.copy(_FILES / "run.py", folder)
        with _server(runner, folder) as dsn:
            _fill(runner, folder, dsn)
            process = runner.start(_PYTHON, folder / "run.py", "serve", "debug")
            try:
                yield _answering(f"http://127.0.0.1:{port}/tap", process)
            finally:
                process.terminate()
                process.wait(60)


@contextmanager
def _server(runner: _Runner, folder: Path) -> Iterator[str]:
    """PostgreSQL with q3c and pgsphere, as psycopg2 reaches it; open to whoever is on this machine."""
    data, port = folder / "pg", _free_port()
    runner.run(
        _PROGRAMS / "initdb", "-D", data, "-A", "trust", "-U", "owner", "-E", "UTF8", "--locale=C.UTF-8"
    )
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c shared_buffers=512MB"
    runner.run(_PROGRAMS / "pg_ctl", "-D", data, "-w", "-o", options, "start")
    try:
        where = f"host=127.0.0.1 port={port} user=owner dbname="
        _execute(where + "postgres", "CREATE DATABASE gavo")
        _execute(where + "gavo", "CREATE EXTENSION q3c", _pgsphere())
        yield where + "gavo"
    finally:
        runner.run(_PROGRAMS / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def _pgsphere() -> str:
    """Script of the extension as a script, without commutators and negators."""
    script = re.sub(r"^\\echo.*$", "", _PGSPHERE.read_text(), flags=re.MULTILINE)
    script = script.replace("MODULE_PATHNAME", "$libdir/pg_sphere")
    return re.sub(r"CREATE\s+OPERATOR\s+[^C;].*?;", _plain_operator, script, flags=re.DOTALL | re.IGNORECASE)


def _plain_operator(found: re.Match[str]) -> str:
    """CREATE OPERATOR without those that belong to it."""
    bare = re.sub(r"(COMMUTATOR|NEGATOR)\s*=\s*('[^']*'|[^\s,)]+)\s*,?", "", found[0], flags=re.IGNORECASE)
    return re.sub(r",(\s*)\)\s*;", r"\1);", bare)


def _fill(runner: _Runner, folder: Path, dsn: str) -> None:
    """Let DaCHS make its own tables and ours, and copy the rows."""
    runner.run(_PYTHON, folder / "run.py", "init", "-d", dsn)
    resources = folder / "gavo" / "inputs" / "roman"
    resources.mkdir(parents=True)
    shutil.copy(_FILES / "roman.rd", resources / "q.rd")
    (resources / "empty.csv").write_text("object_id,ra,dec,midpoint_mjd_tdb,flux,flux_err\n")
    runner.run(_PYTHON, folder / "run.py", "imp", "roman/q")
    with closing(psycopg2.connect(dsn)) as theirs, session.reading() as ours:
        for table, query in _TABLES.items():
            with tempfile.TemporaryFile() as file:
                ours.connection.cursor().copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", file)
                file.seek(0)
                theirs.cursor().copy_expert(f"COPY roman.{table} FROM STDIN (FORMAT binary)", file)
        theirs.commit()
    _execute(dsn, "CLUSTER roman.light_curve USING light_curve_object_id", "ANALYZE")


def _execute(dsn: str, *statements: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)


def _answering(address: str, process: subprocess.Popen) -> str:
    """Address of a service once it answers."""
    for _ in range(120):
        assert process.poll() is None, "DaCHS has ended"
        try:
            requests.get(f"{address}/availability", timeout=10).raise_for_status()
            return address
        except requests.RequestException:
            time.sleep(0.5)
    raise TimeoutError(f"DaCHS does not answer at {address}")


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])
