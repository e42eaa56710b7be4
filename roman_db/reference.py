"""The reference in ``docs/reference``: commands, settings and tables of the archive, from the code itself.

Run ``python -m roman_db.reference`` in a checkout after a change; the tests check that nothing is stale.
"""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

import click
from pydantic_settings import BaseSettings

from roman_db import cli
from roman_db.client.settings import ClientSettings
from roman_db.schema.archive import archive_reference
from roman_db.schema.model import read_tables
from roman_db.settings import Settings

#: Where the files are written, in a checkout.
DIRECTORY = Path(__file__).parent.parent / "docs" / "reference"

_EXIT_CODES = (
    "Exit codes: 0 done; 1 failed, or some of the input was refused; 2 a wrong option or setting; "
    "3 from `cluster status`: the server does not run; 130 interrupted."
)
_ARCHIVE_TABLES = (
    "Each is a view of the schema `archive`. *Type* is the archive's (Transact-SQL), *required* whether "
    "RAD's schemas of all its products ask for it, *from* the keyword of a product, or the column of the "
    "database. What RAD does not ask for is NULL where a product does not have it."
)
_MADE = "Made from the code by `python -m roman_db.reference`; do not edit."


def reference_files() -> dict[str, str]:
    """Name and content of every generated file."""
    return {
        "cli.md": cli_reference(),
        "settings.md": settings_reference(),
        "archive_tables.md": archive_tables_reference(),
    }


def stale_files(directory: Path) -> Iterator[str]:
    """Names of the files in a directory that do not say what the code says."""
    for name, content in reference_files().items():
        path = directory / name
        if not path.exists() or path.read_text() != content:
            yield name


def cli_reference() -> str:
    """All commands with their arguments and options, as Markdown."""
    for entry in importlib.metadata.entry_points(group="roman_db.commands"):
        entry.load()(cli.root)
    context = click.Context(cli.root, info_name="roman-db")
    sections = [_command(command) for command in _commands(context)]
    intro = f"Every command takes `--help`. {_EXIT_CODES}"
    return "\n\n".join(["# Commands", _MADE, intro, *sections]) + "\n"


def settings_reference() -> str:
    """All settings, as Markdown."""
    intro = "All settings are environment variables, and none has to be set. An empty one counts as unset."
    of_client = "Of `roman_db.client`, [the client](../scientist/client.md), alone:"
    parts = [
        "# Settings",
        _MADE,
        intro,
        _settings_table(Settings),
        of_client,
        _settings_table(ClientSettings),
    ]
    return "\n\n".join(parts) + "\n"


def archive_tables_reference() -> str:
    """The archive's tables with what fills their columns, as Markdown."""
    return (
        "\n\n".join(["# Tables of the archive", _MADE, _ARCHIVE_TABLES, archive_reference(read_tables())])
        + "\n"
    )


def _settings_table(settings: type[BaseSettings]) -> str:
    """Table of the fields of some settings."""
    prefix = settings.model_config["env_prefix"]
    rows = [
        f"| `{prefix}{name.upper()}` | {_cell(field.description or '')} | {_default(field.default)} "
        f"| {_values(field.annotation)} |"
        for name, field in settings.model_fields.items()
    ]
    return "\n".join(["| variable | meaning | default | values |", "|---|---|---|---|", *rows])


def _commands(context: click.Context) -> Iterator[click.Context]:
    """Contexts of a command and of all below it, in order of their names."""
    yield context
    if isinstance(context.command, click.Group):
        for name, command in sorted(context.command.commands.items()):
            yield from _commands(click.Context(command, info_name=name, parent=context))


def _command(context: click.Context) -> str:
    """Section of one command."""
    usage = " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
    parts = [f"## {context.command_path}", f"```\n{usage}\n```", *_paragraphs(context.command.help or "")]
    records = [
        param.get_help_record(context)
        for param in context.command.get_params(context)
        if isinstance(param, click.Option) and "--help" not in param.opts
    ]
    rows = [f"| `{_cell(record[0])}` | {_cell(record[1])} |" for record in records if record is not None]
    if rows:
        parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs of a help text; one that begins with a backspace, as click has it, is shown as it stands."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        is_verbatim = paragraph.startswith("\b")
        yield f"```\n{paragraph.lstrip(chr(8)).strip()}\n```" if is_verbatim else paragraph


def _cell(text: str) -> str:
    """Text that stands in a cell of a table."""
    return text.replace("|", "\\|")


def _default(value: object) -> str:
    """Default of a setting, where it is one value for everybody."""
    return f"`{value}`" if isinstance(value, str | int | float) else ""


def _values(annotation: object) -> str:
    """Values that a setting may have, where they can be listed."""
    if get_origin(annotation) is not Literal:
        return ""
    return ", ".join(f"`{value}`" for value in get_args(annotation))


def main() -> None:
    """Write the generated files."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, content in reference_files().items():
        (DIRECTORY / name).write_text(content)


if __name__ == "__main__":
    main()
