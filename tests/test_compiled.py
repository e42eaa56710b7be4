"""Compiled code on disk: what is loaded is what the source says, whatever others left there."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CALLED = """
from roman_db.compiled import compiled

STEP = {step}

@compiled()
def grown(x):
    return x * {factor}
"""

KERNEL = """
from called import STEP, grown
from roman_db.compiled import compiled

@compiled()
def kernel(x):
    return grown(x) + STEP
"""

ASK = """
import kernels
print(*(kernels.kernel(kind(2)) for kind in ({kinds})))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of two modules that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "kernels.py").write_text(KERNEL)
    _call(tmp_path, factor=3, step=5)
    yield tmp_path
    _forget()


def _call(folder: Path, factor: int, step: int) -> None:
    (folder / "called.py").write_text(CALLED.format(factor=factor, step=step))


def _forget() -> None:
    for name in ("kernels", "called"):
        sys.modules.pop(name, None)


def _kernel() -> Any:
    """The kernel as a process finds it that has just begun."""
    _forget()
    importlib.invalidate_caches()
    return importlib.import_module("kernels").kernel


def _loaded(kernel: Any) -> int:
    """How many signatures came from disk."""
    return sum(kernel.stats.cache_hits.values())


def _entries(folder: Path) -> list[Path]:
    return sorted((folder / "__pycache__").glob("kernels.kernel-*"))


def test_what_was_compiled_once_is_loaded(folder: Path) -> None:
    assert _kernel()(2) == 11
    again = _kernel()
    assert (again(2), _loaded(again)) == (11, 1)


@pytest.mark.parametrize(("factor", "step", "answer"), [(4, 5, 13), (3, 6, 12)])
def test_what_is_called_and_imported_is_part_of_the_code(
    folder: Path, factor: int, step: int, answer: int
) -> None:
    """A file beside that of the kernel changes; one file is left, of the code as it is."""
    assert _kernel()(2) == 11
    _call(folder, factor, step)
    changed = _kernel()
    assert (changed(2), _loaded(changed)) == (answer, 0)
    assert len(_entries(folder)) == 1


@pytest.mark.parametrize("damage", [b"", b"\x80\x05broken", b"\x80"])
def test_a_file_cut_short_is_compiled_again(folder: Path, damage: bytes) -> None:
    _kernel()(2)
    (entry,) = _entries(folder)
    entry.write_bytes(damage)
    mended = _kernel()
    assert (mended(2), _loaded(mended)) == (11, 0)
    again = _kernel()
    assert (again(2), _loaded(again)) == (11, 1)


def test_signatures_compiled_at_once_do_not_take_each_others_place(folder: Path) -> None:
    """Processes over what an older release left, each with another signature first."""
    before = _kernel()
    before(2), before(2.0)
    _call(folder, factor=7, step=1)
    running = {kinds: _start(folder, kinds) for kinds in ("int, float", "float, int")}
    answer = {"int, float": "15 15.0", "float, int": "15.0 15"}
    assert {
        kinds: process.communicate(timeout=120)[0].strip() for kinds, process in running.items()
    } == answer
    after = _kernel()
    assert (after(2), after(2.0), _loaded(after)) == (15, 15.0, 2)
    assert len(_entries(folder)) == 2


def _start(folder: Path, kinds: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[1])])
    return subprocess.Popen(
        [sys.executable, "-B", "-c", ASK.format(kinds=kinds)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
