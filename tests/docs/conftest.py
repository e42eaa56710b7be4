"""The machine of a newcomer."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from roman_db.cluster import lifecycle
from roman_db.settings import settings
from tests.docs.pages import ROOT
from tests.docs.world import World
from tests.roman_db.conftest import forget


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Empty directory to work in, and a home of its own in which commands make their server."""
    programs = str(settings().pg_bin or "")
    with tempfile.TemporaryDirectory(prefix="roman-db-docs-") as home:
        Path(home).chmod(0o755)  # root's server runs as another user
        for name in [name for name in os.environ if name.startswith("ROMAN_DB_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("ROMAN_DB_HOME", f"{home}/roman-db")
        monkeypatch.setenv("ROMAN_DB_PG_BIN", programs)
        monkeypatch.setenv("ROMAN_DB_PG_MEMORY_MB", "1024")
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.chdir(tmp_path)
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
        forget()
        yield World(tmp_path)
        forget()
        lifecycle.stop(settings(), "immediate")
        forget()
