"""What docs/scientist/client.md tells a reader to run does what it says."""

from __future__ import annotations

import contextlib
import io

from tests.docs.pages import ROOT, blocks

_PAGE = ROOT / "docs" / "scientist" / "client.md"
_ADDRESS = "http://127.0.0.1:8080/tap"


def test_the_page_runs(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = io.StringIO()
    names: dict[str, object] = {}
    run = [block for block in blocks(_PAGE) if block.word != "not run"]
    for block in run:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(block.body.replace(_ADDRESS, address), f"{_PAGE}:{block.line}", "exec"), names)
    assert [block.language for block in run] == ["python"] * 8
    n_object = len(names["around"])
    assert f"{n_object * 96} points of {n_object} objects; 0 have none" in said.getvalue()
    assert "line 1, column 8: there is no column objct_id" in said.getvalue().splitlines()[-1]
