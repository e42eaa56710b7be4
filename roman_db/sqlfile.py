"""Files of ``queries/``: one statement a file, below a header that says what it is for.

The header is made of comments. Its first sentence is the purpose; then come sections, each a word with a
colon, and ``Parameters:`` with one line a parameter::

    -- Light curve of one object, one row a point.
    -- Question: how bright was this star, and when?
    -- Parameters:
    --   object_id: identifier of the object
    --   from_mjd = 0: first day, MJD TDB
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from roman_db.query.error import QueryError
from roman_db.query.statement import Statement, parse
from roman_db.resources import folder

_SECTION = re.compile(r"(?P<name>[A-Z][a-z]+):\s*(?P<text>.*)")
_PARAMETER = re.compile(r"(?P<name>\w+)(?:\s*=\s*(?P<default>[^:]*?))?\s*:\s+(?P<text>.+)")

_OPERATIONS = re.compile(r"\b(FROM|JOIN)\s+ops\.", re.IGNORECASE)


@dataclass(frozen=True)
class Parameter:
    """A named parameter of a file; without a default it must be given."""

    name: str
    description: str
    default: str | None = None


@dataclass(frozen=True)
class SqlFile:
    """One file of ``queries/``: its name is the file's without suffix, its text is all that it holds."""

    name: str
    purpose: str
    sections: Mapping[str, str]
    parameters: tuple[Parameter, ...]
    statement: Statement
    text: str

    @property
    def reads_operations(self) -> bool:
        """Whether it reads ``ops``, which is open to the reader and not to tiers of accounts."""
        return _OPERATIONS.search(self.text) is not None

    def bind(self, values: Mapping[str, object]) -> str:
        """Text with the parameters replaced; defaults fill what is not given.

        Raises
        ------
        QueryError
            If a parameter without default is missing or one is not known.
        """
        defaults = {p.name: p.default for p in self.parameters if p.default is not None}
        try:
            return self.statement.bind(defaults | dict(values))
        except QueryError as error:
            raise QueryError(f"{self.name}: {error}") from error


def read(path: Path) -> SqlFile:
    """Read one file.

    Raises
    ------
    ValueError
        If the header has no purpose, or names other parameters than the statement has.
    """
    text = path.read_text(encoding="utf-8")
    purpose, sections = _sections(_header(text))
    parameters = tuple(map(_parameter, sections.pop("Parameters", "").splitlines()))
    statement = parse(text)
    described = {parameter.name for parameter in parameters}
    if not purpose or described != set(statement.parameters):
        raise ValueError(
            f"{path}: the header must say the purpose and the parameters {sorted(statement.parameters)}, "
            f"got purpose {purpose!r} and parameters {sorted(described)}"
        )
    return SqlFile(path.stem, purpose, sections, parameters, statement, text)


def read_all(kind: str) -> list[SqlFile]:
    """Files of ``queries/<kind>`` (examples, audits, jobs, exports) in alphabetical order."""
    return [read(path) for path in sorted((folder("queries") / kind).glob("*.sql"))]


def find(kind: str, name: str) -> SqlFile:
    """Return the file of that kind and name.

    Raises
    ------
    QueryError
        If there is none.
    """
    path = folder("queries") / kind / f"{name}.sql"
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in path.parent.glob("*.sql")))
        raise QueryError(f"there is no {name!r} among the {kind}: {known}")
    return read(path)


def run(
    connection: sa.Connection, file: SqlFile, values: Mapping[str, object]
) -> sa.CursorResult[tuple[object, ...]]:
    """Run a file with values for its parameters."""
    return connection.exec_driver_sql(file.bind(values), execution_options={"no_parameters": True})


def _header(text: str) -> list[str]:
    """Lines of the comment at the top without its dashes."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").rstrip())
    return lines


def _sections(lines: list[str]) -> tuple[str, dict[str, str]]:
    """Purpose and sections; the lines of a section are joined, those of the parameters kept apart."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in lines:
        text = line.strip()
        if match := _SECTION.fullmatch(text):
            name, text = match["name"], match["text"]
            found[name] = []
        if text:
            found[name].append(text)
    glue = {key: "\n" if key == "Parameters" else " " for key in found}
    joined = {key: glue[key].join(value) for key, value in found.items()}
    return joined.pop(""), joined


def _parameter(line: str) -> Parameter:
    """One line of the parameters."""
    match = _PARAMETER.fullmatch(line)
    if match is None:
        raise ValueError(
            f"a parameter is written `name: description` or `name = default: description`, got {line!r}"
        )
    return Parameter(match["name"], match["text"], match["default"])
