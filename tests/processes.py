"""Work that tests want done in other processes."""

from __future__ import annotations

from types import ModuleType

import pytest

from roman_db.parallel import each_ended, side_by_side


def in_processes(monkeypatch: pytest.MonkeyPatch, load: ModuleType) -> None:
    """Have a loader work in two processes from now on, however few things there are to do."""
    for name, work in (("side_by_side", side_by_side), ("each_ended", each_ended)):
        if hasattr(load, name):
            monkeypatch.setattr(load, name, lambda _, *given, work=work: work(2, *given))
