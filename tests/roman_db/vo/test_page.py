"""What the page of the services tells a reader to run does run, on the services of the test."""

from __future__ import annotations

import contextlib
import io
import subprocess

import pytest

from tests.docs.pages import ROOT, blocks
from tests.roman_db.spectra import N_PIXEL

_PAGE = ROOT / "docs" / "scientist" / "vo_services.md"
_ADDRESS = "http://127.0.0.1:8080"


@pytest.mark.usefixtures("spectra")
def test_the_page_runs(address, tmp_path):
    said = io.StringIO()
    names: dict[str, object] = {}
    kinds = []
    for block in blocks(_PAGE):
        if block.word == "not run":
            continue
        text = block.body.replace(_ADDRESS, address)
        kinds.append(block.language)
        if block.language == "python":
            with contextlib.redirect_stdout(said):
                exec(compile(text, f"{_PAGE}:{block.line}", "exec"), names)  # our own page
        else:
            command = text.removeprefix("$ ")
            subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True, timeout=60)
    assert kinds == ["python"] * 5 + ["console", "python", "python", "python"]
    lines = said.getvalue().splitlines()
    n_object = len(names["found"])
    assert lines[0].startswith(f"{n_object} objects; the first is ")
    assert f"{n_object * 108} points of {n_object} objects" in lines
    assert len((tmp_path / "curves.csv").read_text().splitlines()) == n_object * 108 + 1
    assert len(names["spectra"]) == 1
    assert len(names["flux"]) == N_PIXEL
    assert 0 < float(lines[-1]) < 1e-4
