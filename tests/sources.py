"""What stands in the source of the project, read once for all tests of a process."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass
class Facts:
    """What tests ask of a file; its syntax itself is large, and slows all that runs beside it.

    Parameters
    ----------
    imports
        Full names of the modules that it imports, wherever in it.
    attributes
        Dotted names that it uses, such as ``os.environ``.
    texts
        Its texts.
    codes
        The last text of each call of ``Rejected``.
    lengths
        Lines of each function without its documentation, by its name.
    """

    imports: list[str] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    lengths: dict[str, int] = field(default_factory=dict)


@cache
def files(folder: str) -> tuple[Path, ...]:
    """Python files below a folder, as paths from the root of the project."""
    return tuple(sorted(path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py")))


@cache
def facts(path: Path) -> Facts:
    """What stands in a file, which is given by its path from the root."""
    found = Facts()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        _look(node, found)
    return found


def _look(node: ast.AST, found: Facts) -> None:
    match node:
        case ast.Constant(value=str(text)):
            found.texts.add(text)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            found.attributes.append(f"{name}.{attribute}")
        case ast.Call(func=ast.Name(id="Rejected"), args=[*_, ast.Constant(value=code)]):
            found.codes.add(str(code))
        case ast.Import(names=names):
            found.imports += [alias.name for alias in names]
        case ast.ImportFrom(module=module, level=0):
            found.imports.append(module)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            lines = node.end_lineno - node.lineno + 1
            found.lengths[node.name] = max(lines - _docstring_lines(node), found.lengths.get(node.name, 0))


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first.end_lineno - first.lineno + 1 if is_docstring else 0
