"""Audits: rules that the stored data must obey. Each is a query; any row that it returns is a failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from roman_db import session, sqlfile
from roman_db.query.error import QueryError, explained
from roman_db.sqlfile import SqlFile

#: Rows of a failed audit that are kept.
MOST_ROWS = 20


@dataclass(frozen=True)
class AuditResult:
    """What an audit found: nothing, or rows of which the first are kept.

    Parameters
    ----------
    name, rule
        The audit, and what its rows are.
    columns, rows
        Names of the columns, and rows up to `MOST_ROWS`.
    n_row
        Number of rows; one more than are kept stands for any larger number.
    """

    name: str
    rule: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    n_row: int

    @property
    def passed(self) -> bool:
        """Whether the rule holds."""
        return self.n_row == 0


def chosen(names: Sequence[str]) -> list[SqlFile]:
    """Return the audits of those names, all for none.

    Raises
    ------
    QueryError
        If there is no such audit.
    """
    return [sqlfile.find("audits", name) for name in names] if names else sqlfile.read_all("audits")


def run_audits(files: Sequence[SqlFile], from_mjd: int) -> Iterator[AuditResult]:
    """Run audits one by one, each on a state of the database of its own.

    Parameters
    ----------
    from_mjd
        First day (MJD TDB) that those look at which read light curves.

    Raises
    ------
    QueryError
        If the server can't run one.
    """
    for file in files:
        has_days = any(parameter.name == "from_mjd" for parameter in file.parameters)
        yield _run(file, {"from_mjd": from_mjd} if has_days else {})


def _run(file: SqlFile, values: dict[str, object]) -> AuditResult:
    """Run one audit."""
    try:
        with session.reading() as connection:
            found = sqlfile.run(connection, file, values)
            rows = tuple(tuple(row) for row in found.fetchmany(MOST_ROWS + 1))
            return AuditResult(file.name, file.purpose, tuple(found.keys()), rows[:MOST_ROWS], len(rows))
    except sa.exc.ProgrammingError as error:
        raise QueryError(f"audit {file.name}: {explained(str(error.orig))}") from error
