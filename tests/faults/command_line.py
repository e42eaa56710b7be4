"""``roman-db`` as users call it, within this process."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from unittest import mock

from roman_db import cli


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    def lines(self, word: str) -> list[str]:
        """Lines on standard error with a word."""
        return [line for line in self.err.splitlines() if word in line]


def roman_db(*arguments: object) -> Outcome:
    """Run a command."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    words = ["roman-db", *map(str, arguments)]
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", words),
    ):
        code = _exit_code()
    out.seek(0)
    return Outcome(code, out.read(), err.getvalue())


def succeed(*arguments: object) -> Outcome:
    """Run a command that must succeed."""
    outcome = roman_db(*arguments)
    assert outcome.code == 0, outcome
    return outcome


def _exit_code() -> int:
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
