"""Which code this is: the release, and the commit where it is known."""

from __future__ import annotations

import importlib.metadata
import subprocess
from functools import cache
from pathlib import Path

#: Written when a package is built from a clone (hatch_build.py), which is not there any more when it is used.
COMMIT_FILE = Path(__file__).parent / "resources" / "commit.txt"
_SOURCE_TREE = Path(__file__).parent.parent
_PATIENCE_S = 10


@cache
def code_version() -> str:
    """Version of this software, such as ``0.1.0+g4a435f8b2c1d``, with ``.dirty`` where files differ from it.

    The release alone where neither the package nor a clone around it says what the commit is.
    """
    release = importlib.metadata.version("roman-db")
    commit = _built_commit() or described_commit(_SOURCE_TREE)
    return release if commit is None else f"{release}+{commit}"


def described_commit(tree: Path) -> str | None:
    """Commit of a source tree as git describes it; None without git, or where the tree is no clone."""
    # A tree inside of somebody else's repository would be described by that.
    if not (tree / ".git").exists():
        return None
    command = ["git", "--no-optional-locks", "-c", "safe.directory=*", "-C", str(tree)]
    command += ["describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=.dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    described = done.stdout.strip()
    return f"g{described}" if described else None


def _built_commit() -> str | None:
    """Commit that the package was built from, if it says so."""
    try:
        return COMMIT_FILE.read_text().strip() or None
    except OSError:
        return None
