"""``%%romansql``: ADQL in a cell of a notebook, with the notebook's variables as values."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from roman_db.client.catalog import Catalog, connect


@magics_class
class RomanMagics(Magics):
    """The cell magic."""

    @magic_arguments()
    @argument("name", nargs="?", help="Variable that gets the rows; without one they are shown.")
    @argument(
        "--format",
        choices=("astropy", "pandas"),
        default="astropy",
        help="Kind of table; astropy's has units.",
    )
    @argument("--maxrec", type=int, default=None, help="Most rows.")
    @argument("--job", action="store_true", help="Ask asynchronously, for what takes minutes.")
    @argument("--catalog", default=None, help="Variable with a Catalog; without one connect() is asked.")
    @cell_magic
    def romansql(self, line: str, cell: str) -> Any:
        """Ask the Roman catalog in ADQL; ``{name}`` stands for the value of a variable, written safely.

        A Table or DataFrame in ``{name}`` is uploaded and can be joined.
        """
        given = parse_argstring(self.romansql, line)
        if given.name is not None and not given.name.isidentifier():
            raise UsageError(f"%%romansql: {given.name!r} cannot be the name of a variable")
        variables = self.shell.user_ns
        table = _catalog(given.catalog, variables).query(
            cell, variables, maxrec=given.maxrec, as_job=given.job
        )
        rows = table.to_pandas() if given.format == "pandas" else table
        if given.name is None:
            return rows
        self.shell.push({given.name: rows})
        return None


def register(shell: InteractiveShell) -> None:
    """Add the magic to a shell."""
    shell.register_magics(RomanMagics)


def _catalog(name: str | None, variables: dict[str, Any]) -> Catalog:
    """The catalog that a variable holds, else that of the settings."""
    if name is None:
        return connect()
    found = variables.get(name)
    if not isinstance(found, Catalog):
        raise UsageError(f"%%romansql: --catalog {name} is no Catalog: {name} = connect(…) makes one")
    return found
