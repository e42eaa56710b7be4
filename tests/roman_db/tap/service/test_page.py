"""What docs/scientist/tap.md tells a reader to run does what it says, against a small survey."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Step, steps

_PAGE = ROOT / "docs" / "scientist" / "tap.md"
#: Address that the page names.
_SHOWN = "http://127.0.0.1:8080/tap"
_STEPS = list(steps(_PAGE))


@pytest.mark.parametrize("step", _STEPS, ids=[one.place for one in _STEPS])
def test_a_reader_can_do_what_the_page_says(address, step, tmp_path):
    if step.text.startswith("stilts") and shutil.which("stilts") is None:
        pytest.skip("stilts is not installed")
    done = _done(step, address, tmp_path)
    assert done.returncode == step.exit_code, done.stdout + done.stderr
    assert done.stdout or any(tmp_path.iterdir())
    if step.exit_code:
        assert "line 1, column 8: there is no column objct_id" in done.stdout


def _done(step: Step, address: str, directory: Path) -> subprocess.CompletedProcess:
    """Run a command or a program of the page in a directory."""
    text = step.text.replace(_SHOWN, address)
    command = [sys.executable, "-c", text] if step.kind == "program" else ["bash", "-euc", text]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=directory, env=environment, check=False, capture_output=True, text=True, timeout=100
    )
