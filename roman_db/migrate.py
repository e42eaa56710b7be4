"""The stored schema: created, moved forward by Alembic, and completed with what SQL files say.

Tables move by versioned migrations. Indexes, functions, views and roles stand in ``schema/postgres`` and are
applied anew after every upgrade, in the same transaction.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from roman_db import session
from roman_db.resources import folder
from roman_db.schema.rows import upsert_reference_rows

_LOCK = 7_466_218


class LaterRelease(RuntimeError):
    """The database was brought forward by a later release than this one."""


class UnfitRows(RuntimeError):
    """The database has rows that cannot be brought forward; somebody has to decide what becomes of them."""


def alembic_config() -> Config:
    """Configuration of Alembic for the migrations of this release."""
    config = Config()
    config.set_main_option("script_location", str(folder("migrations")))
    return config


def upgrade(revision: str = "head") -> None:
    """Create the database if it is missing and bring its schema, views and reference rows up to date."""
    create_database(session.database_url())
    with session.engine().begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        upsert_reference_rows(connection)
        _apply_account_tiers(connection)


def ensure_current() -> None:
    """Upgrade the database if it is missing or behind this release; cheap where it is current.

    Raises
    ------
    LaterRelease
        If the database is ahead of this release.
    OtherDatabase
        If readers are sent to another one.
    """
    scripts = ScriptDirectory.from_config(alembic_config())
    try:
        with session.engine().connect() as connection:
            current = MigrationContext.configure(connection, opts=VERSION_TABLE).get_current_revision()
    except sa.exc.OperationalError as error:
        if not _is_missing_database(error):
            raise
        current = None
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise LaterRelease(
            f"the database is at schema revision {current}, which this release does not know: "
            "install the release that upgraded it"
        )
    if current != scripts.get_current_head():
        upgrade()
    session.check_reader()


#: Where Alembic keeps the revision of the database.
VERSION_TABLE = {"version_table_schema": "ops", "version_table": "alembic_version"}


def before_migrations(connection: sa.Connection) -> None:
    """Make schemas and extensions, and drop the views, which would hold on to the columns of tables.

    Those of data releases as well, whose schemas are called dr and a number.
    """
    run_sql_files(connection, "10_")
    views = connection.execute(
        sa.text(
            "SELECT string_agg(format('%I.%I', schemaname, viewname), ', ') FROM pg_views "
            "WHERE schemaname IN ('roman', 'ops', 'ivoa', 'archive') OR schemaname ~ '^dr[1-9][0-9]*$'"
        )
    ).scalar_one()
    if views is not None:
        connection.exec_driver_sql(f"DROP VIEW {views}")


def after_migrations(connection: sa.Connection) -> None:
    """Make indexes, functions, views with comments, TAP_SCHEMA, roles and views of data releases."""
    for prefix in ("20_", "30_", "40_", "45_", "46_", "48_", "50_", "55_", "56_"):
        run_sql_files(connection, prefix)
    for name in ("archive_views.sql", "view_comments.sql", "tap_schema.sql"):
        _execute_script(connection, (folder("schema") / "generated" / name).read_text())
    for prefix in ("60_", "70_"):
        run_sql_files(connection, prefix)


def _apply_account_tiers(connection: sa.Connection) -> None:
    """Make the roles of tiers as their rows say, which were inserted after the files were run."""
    exists = "SELECT to_regprocedure('ops.apply_account_tiers()') IS NOT NULL"
    if connection.exec_driver_sql(exists).scalar_one():
        connection.exec_driver_sql("SELECT ops.apply_account_tiers()")


def run_sql_files(connection: sa.Connection, prefix: str) -> None:
    """Run the files of ``schema/postgres`` whose names begin so, in order."""
    for path in sorted((folder("schema") / "postgres").glob(f"{prefix}*.sql")):
        _execute_script(connection, path.read_text())


def create_database(url: sa.URL) -> None:
    """Create the database that a URL names, if the server does not have it."""
    engine = session.make_engine(url.set(database="postgres"))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            exists = sa.text("SELECT FROM pg_database WHERE datname = :name")
            if connection.execute(exists, {"name": url.database}).first() is None:
                connection.exec_driver_sql(f'CREATE DATABASE "{url.database}"')
    except (sa.exc.ProgrammingError, sa.exc.IntegrityError) as error:
        if "already exists" not in str(error):  # another upgrade has made it since
            raise
    except sa.exc.OperationalError as error:
        if "postgres" not in str(error):
            raise
    finally:
        engine.dispose()


def _is_missing_database(error: sa.exc.OperationalError) -> bool:
    """Whether the server answered that it has no such database."""
    return "does not exist" in str(error.orig)


def _execute_script(connection: sa.Connection, script: str) -> None:
    """Run a script of many statements as it stands; percent signs in it are no parameters."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(script)
    finally:
        cursor.close()
