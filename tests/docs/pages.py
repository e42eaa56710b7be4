"""The pages of the documentation and what is to be run in them.

Fenced blocks are run by their language: ``console`` (lines that begin with ``$`` are commands, the lines
after them their output), ``sql`` (a query) and ``python`` (a program). A comment on the line before changes
that: ``<!-- not run: reason -->``, ``<!-- run instead: command -->`` (of the first), ``<!-- exit code 1 -->``
(of the last) and ``<!-- file: name -->``: the block is written to a file that commands use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(
    r"(?:^<!-- (?P<word>not run|run instead|exit code|file):? (?P<value>[^\n]*) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language, its text, and the comment before it."""

    page: Path
    line: int
    language: str
    body: str
    word: str
    value: str


@dataclass(frozen=True)
class Step:
    """One thing to do, in the place where it is written.

    ``kind`` is ``command`` (``text`` for a shell), ``query``, ``program`` or ``file`` (named ``name``).
    ``output`` is what the page shows; None where it shows nothing.
    """

    place: str
    kind: str
    text: str
    output: str | None = None
    exit_code: int = 0
    name: str = ""


def blocks(page: Path) -> Iterator[Block]:
    """Fenced blocks of a page."""
    text = page.read_text()
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(
            page, line, found["language"], found["body"], found["word"] or "", (found["value"] or "").strip()
        )


def steps(page: Path) -> Iterator[Step]:
    """What is to be run on a page, in order."""
    for block in blocks(page):
        place = f"{page.relative_to(ROOT)}:{block.line}"
        if block.word == "not run":
            continue
        if block.word == "file":
            yield Step(place, "file", block.body, name=block.value)
        elif block.word == "run instead":
            yield replace(next(_commands(block, place)), text=block.value)
        elif block.language == "console":
            yield from _commands(block, place)
        elif block.language in ("sql", "python"):
            yield Step(place, {"sql": "query", "python": "program"}[block.language], block.body)


def _commands(block: Block, place: str) -> Iterator[Step]:
    """Commands of a console block with their output; a command goes on in lines that begin with ``>``."""
    last = int(block.value) if block.word == "exit code" else 0
    found = re.findall(r"^\$ (.*\n(?:> .*\n)*)((?:[^$\n].*\n|\n)*)", block.body, re.MULTILINE)
    for number, (command, output) in enumerate(found, 1):
        text = command.replace("\n> ", "\n").strip()
        yield Step(place, "command", text, output or None, last if number == len(found) else 0)
