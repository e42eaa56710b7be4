"""The files of tables and indexes read whole by PostgreSQL's own ``pg_amcheck``, page checksums included."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from roman_db import session
from roman_db.cluster import binaries
from roman_db.cluster.layout import Layout
from roman_db.settings import Settings

_PROGRAM = "pg_amcheck"
#: Its exit code where it has found something, and all else went well.
_FOUND = 2
_MOST_LINES = 20
#: Where libpq looks for what an address says; the program takes no address.
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "requirepeer": "PGREQUIREPEER",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "passfile": "PGPASSFILE",
}


def program(settings: Settings) -> tuple[Path, dict[str, str]] | None:
    """Return ``pg_amcheck`` and the environment that it needs; None where it is not installed."""
    if settings.url is not None:
        found = shutil.which(_PROGRAM)
        return None if found is None else (Path(found), {"LC_ALL": "C"})
    installation = binaries.choose(settings.pg_bin, Layout(settings.home))
    path = installation.bin / _PROGRAM
    return (path, installation.environment) if path.is_file() else None


def faults(path: Path, environment: dict[str, str]) -> list[str]:
    """Check all tables and B-tree indexes of the database, and return what is wrong, the first lines of it.

    The account of the database must be a superuser, for the extension amcheck, which it
    makes where it is missing.
    """
    url = session.database_url()
    account = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    chosen = {key: value for key, value in (account | dict(url.query)).items() if value is not None}
    address = {_VARIABLES[key]: str(value) for key, value in chosen.items() if key in _VARIABLES}
    words = [str(path), "--install-missing", "--no-password", "--jobs=2", str(url.database)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment | address)
    if done.returncode == 0:
        return []
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    verdict = "files are damaged" if done.returncode == _FOUND else "the files could not all be checked"
    return [f"{_PROGRAM}: {verdict}", *said[:_MOST_LINES]]
