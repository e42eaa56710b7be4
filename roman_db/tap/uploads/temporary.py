"""Uploaded tables in the database: temporary, on the connection of their query."""

from __future__ import annotations

from collections.abc import Iterable

from adbc_driver_manager import dbapi

from roman_db.tap.adql.value import quoted_name
from roman_db.tap.uploads.upload import Upload


def store(connection: dbapi.Connection, uploads: Iterable[Upload]) -> None:
    """Make the tables and copy their rows; whoever has the connection later may read them."""
    for upload in uploads:
        name = str(upload.table.stored_name)
        columns = ", ".join(f"{quoted_name(column)} {type_}" for column, type_ in upload.definition)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns})")
            if upload.rows.num_rows:
                cursor.adbc_ingest(name, upload.rows, mode="append", temporary=True)
            cursor.execute(f"ANALYZE {name}")
            cursor.execute(f"GRANT SELECT ON {name} TO PUBLIC")
