"""Work that tests want done in other processes."""

from __future__ import annotations

from types import ModuleType

import pytest

from roman_db.parallel import side_by_side


def in_processes(monkeypatch: pytest.MonkeyPatch, load: ModuleType) -> None:
    """Have a loader work in two processes from now on, however few things there are to do."""
    monkeypatch.setattr(load, "side_by_side", lambda _, *given: side_by_side(2, *given))
