"""The source of the project, parsed once for all tests of a process."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent


@cache
def files(folder: str) -> tuple[Path, ...]:
    """Python files below a folder, as paths from the root of the project."""
    return tuple(sorted(path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py")))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of the syntax of a file, which is given by its path from the root."""
    return tuple(ast.walk(ast.parse((ROOT / path).read_text())))
