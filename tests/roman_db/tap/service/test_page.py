"""What docs/scientist/tap.md tells a reader to run does what it says, against a small survey."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import traceback
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Step, steps

_PAGE = ROOT / "docs" / "scientist" / "tap.md"
#: Address that the page names.
_SHOWN = "http://127.0.0.1:8080/tap"


def test_a_reader_can_do_what_the_page_says(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = list(steps(_PAGE))
    printed = {step.text: _printed(step, address, tmp_path) for step in done if _can_be_done(step)}
    assert len(printed) > 5
    assert "line 1, column 8: there is no column objct_id" in printed[done[-1].text]


def _can_be_done(step: Step) -> bool:
    return not step.text.startswith("stilts") or shutil.which("stilts") is not None


def _printed(step: Step, address: str, directory: Path) -> str:
    """Run a command or a program of the page in a directory, and give what it prints."""
    text = step.text.replace(_SHOWN, address)
    if step.kind == "program":
        return _program(text, step.place)
    done = subprocess.run(
        ["bash", "-euc", text], cwd=directory, check=False, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == step.exit_code, f"{step.place}: {done.stdout}{done.stderr}"
    return done.stdout


def _program(text: str, place: str) -> str:
    """Run a program within this process, which has all imported."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(text, place, "exec"), {"__name__": "__main__"})
        except Exception:  # noqa: BLE001 - whatever a program of the page raises
            pytest.fail(f"{place}: {traceback.format_exc()}")
    assert out.getvalue(), f"{place} prints nothing"
    return out.getvalue()
