"""A newcomer's machine: a database of its own, a working directory, and the commands on the path."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from roman_db import cli
from tests.docs.pages import ROOT, Step

#: What stands in quotes, and what only a shell understands: outside of them, and anywhere.
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_SHELL_OUTSIDE, _SHELL_ANYWHERE = re.compile(r"[|<>;&*~]"), re.compile(r"[$`]")
#: Identifiers of objects: those on the pages are of other data.
_OBJECT_ID = re.compile(r"\b\d{19}\b")


@dataclass(frozen=True)
class Outcome:
    """What a step did: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass
class World:
    """Runs the steps of pages in a directory."""

    directory: Path
    object_id: str = ""

    def run(self, step: Step) -> Outcome:
        """Do one step."""
        if step.kind == "file":
            (self.directory / step.name).write_text(step.text)
            return Outcome(0, "", "")
        if step.kind == "program":
            return _process([sys.executable, "-c", step.text])
        if step.kind == "query":
            return _roman_db(["query", self._with_our_object(step.text)])
        return self._command(self._with_our_object(step.text))

    def _command(self, text: str) -> Outcome:
        """Run a command: one of ours in this process, which has all imported, any other in a shell."""
        needs_shell = _SHELL_OUTSIDE.search(_QUOTED.sub("", text)) or _SHELL_ANYWHERE.search(text)
        if text.startswith("roman-db ") and not needs_shell:
            return _roman_db(shlex.split(text)[1:])
        return _process(["bash", "-euo", "pipefail", "-c", text])

    def _with_our_object(self, text: str) -> str:
        """Text with an object of this database in place of one that a page names."""
        if _OBJECT_ID.search(text) and not self.object_id:
            query = "SELECT object_id FROM roman.light_curve_summary ORDER BY n_point DESC, object_id LIMIT 1"
            words = _roman_db(["query", query, "--format", "csv"]).out.split()
            # There is none where an earlier step failed, and it is that step which is to be told of.
            self.object_id = words[1] if len(words) > 1 else ""
        return _OBJECT_ID.sub(self.object_id, text) if self.object_id else text


def _roman_db(words: list[str]) -> Outcome:
    """Run ``roman-db`` within this process."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["roman-db", *words]),
    ):
        code = _exit_code()
    out.seek(0)
    return Outcome(code, out.read(), err.getvalue())


def _exit_code() -> int:
    """Run the command line as the interpreter would: what is raised becomes a traceback and a code."""
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:  # noqa: BLE001 - as the interpreter does at the top
        traceback.print_exc()
        return 1
    return 0


def _process(words: list[str]) -> Outcome:
    """Run another program, with ours on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, check=False, env=environment, capture_output=True, text=True, timeout=300)
    return Outcome(done.returncode, done.stdout, done.stderr)
