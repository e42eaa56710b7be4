"""Alembic's entry: run on the connection that `roman_db.migrate` hands over, or on one of our own."""

import sqlalchemy as sa
from alembic import context
from alembic.runtime.migration import MigrationContext

from roman_db import migrate, session
from roman_db.schema.metadata import metadata
from roman_db.schema.model import POSTGRESQL_SCHEMAS


def include_name(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
    """Compare only our schemas; partitions live in a schema of their own."""
    return name in POSTGRESQL_SCHEMAS if kind == "schema" else True


def include_object(item: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """Leave out what ``schema/postgres`` makes: indexes that a table description can't say."""
    return not (kind == "index" and reflected and other is None and _is_made_by_sql(name))


def _is_made_by_sql(index: str | None) -> bool:
    """Whether a file of ``schema/postgres`` makes that index."""
    script = (migrate.folder("schema") / "postgres" / "20_indexes.sql").read_text()
    return any(f"INDEX IF NOT EXISTS {index}{end}" in script for end in (" ", "\n"))


def run(connection: sa.Connection) -> None:
    """Run the command of Alembic on a connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        include_schemas=True,
        include_name=include_name,
        include_object=include_object,
        compare_type=True,
        compare_server_default=True,
        **migrate.VERSION_TABLE,
    )
    with context.begin_transaction():
        migrate.before_migrations(connection)
        context.run_migrations()
        if _is_at_head(context.get_context()):
            migrate.after_migrations(connection)


def _is_at_head(current: MigrationContext) -> bool:
    """Whether the database is at the newest revision, for which the SQL files are written."""
    return set(current.get_current_heads()) == set(context.script.get_heads())


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    migrate.create_database(session.database_url())
    with session.engine().begin() as own:
        run(own)
