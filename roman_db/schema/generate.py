"""What is made from the descriptions: DDL, comments on views, rows of TAP_SCHEMA and the data dictionary.

The views that are the tables of the archive are made from RAD.
Run ``python -m roman_db.schema.generate`` after a change; the tests check that nothing is stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.schema import (
    CreateIndex,
    CreateTable,
    ExecutableDDLElement,
    SetColumnComment,
    SetTableComment,
)

from roman_db.resources import folder
from roman_db.schema.adql_words import delimited
from roman_db.schema.archive import archive_views_sql
from roman_db.schema.comments import view_comments_sql
from roman_db.schema.dictionary import data_dictionary
from roman_db.schema.metadata import DIALECT, make_metadata
from roman_db.schema.model import Table, read_tables
from roman_db.schema.tap import tap_schema_sql
from roman_db.schema.view import View, read_views


def table_ddl(tables: dict[str, Table]) -> str:
    """Statements that create the tables with their comments and plain indexes, in an order that works."""
    metadata = make_metadata(tables.values())
    statements: list[ExecutableDDLElement] = []
    for table in metadata.sorted_tables:
        statements.append(CreateTable(table))
        statements += [
            CreateIndex(index) for index in sorted(table.indexes, key=lambda index: str(index.name))
        ]
        statements.append(SetTableComment(table))
        statements += [SetColumnComment(column) for column in table.columns]
    lines = [" ".join(str(s.compile(dialect=DIALECT)).replace("\t", " ").split()) for s in statements]
    return "\n".join(f"{line.replace('%%', '%')};" for line in lines) + "\n"


def generated_files() -> dict[str, str]:
    """Name and content of every generated file."""
    tables = read_tables()
    views = read_views(tables)
    relations: dict[str, Table | View] = {**tables, **views}
    public = {name: one for name, one in relations.items() if one.is_public}
    return {
        "tables.sql": table_ddl(tables),
        "archive_views.sql": archive_views_sql(tables),
        "view_comments.sql": view_comments_sql(views),
        "tap_schema.sql": tap_schema_sql(public, delimited),
        "data_dictionary.md": data_dictionary(relations),
    }


def stale_files(directory: Path) -> Iterator[str]:
    """Names of the generated files that do not say what the descriptions say."""
    for name, content in generated_files().items():
        path = directory / name
        if not path.exists() or path.read_text() != content:
            yield name


def main() -> None:
    """Write the generated files."""
    directory = folder("schema") / "generated"
    for name, content in generated_files().items():
        (directory / name).write_text(content)


if __name__ == "__main__":
    main()
