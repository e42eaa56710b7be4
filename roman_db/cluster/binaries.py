"""PostgreSQL's programs: which of the machine's installations a cluster runs on.

An installation counts when it is of major version 15 or newer and has the extension q3c. Looked at are, in
this order, ``ROMAN_DB_PG_BIN`` alone if it is set, else the folders of Debian's packages, the packages
unpacked in the home (see ``setup/postgresql.sh``), Homebrew's and Postgres.app's folders, and the
``pg_config`` of the PATH.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from roman_db.cluster.account import closed
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout

OLDEST_MAJOR = 15
_PROGRAMS = ("postgres", "initdb", "pg_ctl", "pg_resetwal", "pg_config")
_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True)
class Installation:
    """The programs of one PostgreSQL.

    ``libraries`` are the folders of shared libraries that were unpacked with it and that the machine may
    lack.
    """

    bin: Path
    major: int
    has_q3c: bool
    has_lz4: bool
    libraries: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{self.major} in {self.bin}" + ("" if self.has_q3c else " without q3c")

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of its programs: a user's PGDATA, PGPORT or language must not reach them."""
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        if self.libraries:
            environment["LD_LIBRARY_PATH"] = ":".join(map(str, self.libraries))
        return environment


def choose(pg_bin: Path | None, layout: Layout) -> Installation:
    """Return the installation that the home's cluster needs, or the newest one where there is no cluster yet.

    Parameters
    ----------
    pg_bin
        The only folder to look at, or None.
    layout
        The home, for its cluster and its unpacked packages.

    Raises
    ------
    ClusterError
        Where there is none, saying what was found instead. A cluster is never touched by another major
        version.
    """
    needed = cluster_major(layout.data)
    candidates = usable(pg_bin, layout)
    fitting = [one for one in candidates if needed in (None, one.major)]
    if not fitting:
        raise _other_major(layout.data, needed or 0, candidates)
    return max(fitting, key=lambda one: one.major)


def usable(pg_bin: Path | None, layout: Layout) -> list[Installation]:
    """Return the installations that a new cluster can be made with.

    Raises
    ------
    ClusterError
        Where there is none, saying what was found instead.
    """
    found = list(installations(pg_bin, layout.programs))
    good = [one for one in found if one.has_q3c and one.major >= OLDEST_MAJOR]
    if not good:
        raise _none_usable(pg_bin, found)
    return good


def cluster_major(data: Path) -> int | None:
    """Return the major version that made the cluster in ``data``, None where there is no cluster.

    Raises
    ------
    ClusterError
        Where the folder holds something else, or the user may not look into it.
    """
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        if not data.exists() or not any(data.iterdir()):
            return None
        what = "the folder holds files, but no PostgreSQL cluster"
    except (PermissionError, NotADirectoryError) as error:
        # Nothing is wrong with the cluster: the home is somebody else's, or no home at all.
        raise closed(data, error) from error
    except (OSError, ValueError) as error:
        what = f"PG_VERSION cannot be read ({error})"
    raise ClusterError(what, data, "Nothing was changed. Restore it from a copy, or move it away")


def installations(pg_bin: Path | None, unpacked: Path) -> Iterator[Installation]:
    """Yield each installation of the machine, or only that of ``pg_bin`` where it is not None."""
    seen = set()
    for folder in [pg_bin] if pg_bin else _candidates(unpacked):
        if folder.resolve() not in seen and all((folder / program).is_file() for program in _PROGRAMS):
            seen.add(folder.resolve())
            yield from _examined(folder)


def _candidates(unpacked: Path) -> Iterator[Path]:
    for root in (Path("/"), unpacked):
        for pattern in _PATTERNS:
            yield from sorted(root.glob(pattern))
    if on_path := shutil.which("pg_config"):
        yield Path(on_path).resolve().parent


def _examined(folder: Path) -> Iterator[Installation]:
    """Yield the installation in ``folder`` unless its ``pg_config`` does not run."""
    libraries = tuple(_library_folders(folder))
    unknown = Installation(folder, 0, has_q3c=False, has_lz4=False, libraries=libraries)
    report = _pg_config(unknown)
    version = re.match(r"PostgreSQL (\d+)", report.get("VERSION", ""))
    if version:
        extension = Path(report.get("SHAREDIR", "")) / "extension/q3c.control"
        has_lz4 = "with-lz4" in report.get("CONFIGURE", "")
        yield Installation(folder, int(version[1]), extension.is_file(), has_lz4, libraries)


def _library_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders of shared libraries that were unpacked with the programs in ``folder``, if any."""
    unpacked = Path(*folder.parts[:-5])
    if folder.match("usr/lib/postgresql/*/bin") and unpacked != Path("/"):
        for pattern in ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*"):
            yield from sorted(unpacked.glob(pattern))


def _pg_config(installation: Installation) -> dict[str, str]:
    program = installation.bin / "pg_config"
    try:
        done = subprocess.run(
            [program], env=installation.environment, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    pairs = (line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)
    return dict(pairs)


def _none_usable(pg_bin: Path | None, found: list[Installation]) -> ClusterError:
    return ClusterError(
        f"version {OLDEST_MAJOR} or newer with the extension q3c is needed (found: {_listed(found)})",
        pg_bin or "PostgreSQL",
        f"Install it with `make setup` (Debian and Ubuntu: postgresql-{OLDEST_MAJOR} and its q3c package), "
        "or set ROMAN_DB_PG_BIN to the folder of its programs",
    )


def _other_major(data: Path, needed: int, found: list[Installation]) -> ClusterError:
    move = (
        f"dump it with pg_dumpall of PostgreSQL {needed}, move it away, and load the dump into a new cluster"
    )
    install = (
        f"install postgresql-{needed} and postgresql-{needed}-q3c, or " if needed >= OLDEST_MAJOR else ""
    )
    return ClusterError(
        f"the cluster was made by PostgreSQL {needed}; no other version can use it (found: {_listed(found)})",
        data,
        f"Nothing was changed. To use it, {install}{move}",
    )


def _listed(found: list[Installation]) -> str:
    return ", ".join(map(str, found)) or "none"
