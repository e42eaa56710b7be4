"""Uploaded tables in the database: temporary, on the connection of their query."""

from __future__ import annotations

from collections.abc import Iterable

from adbc_driver_manager import dbapi

from roman_db.service_failure import BadRequest
from roman_db.tap.adql.value import quoted_name
from roman_db.tap.uploads.upload import Upload

#: Classes of SQLSTATE that blame what is stored, and what to do about it.
_FAULTS = {
    "22": "it has a value, such as a time, that the database cannot store",
    "54": "a row has more than the database can store: leave columns out, or send them as several tables",
}
#: SQLSTATE of a statement that took too long.
_CANCELLED = "57014"


def store(connection: dbapi.Connection, uploads: Iterable[Upload]) -> None:
    """Make the tables and copy their rows; whoever has the connection later may read them.

    Raises
    ------
    BadRequest
        If the database cannot store what they have, or not in time.
    """
    for upload in uploads:
        try:
            _store(connection, upload)
        except dbapi.Error as error:
            state = error.sqlstate or ""
            if state == _CANCELLED:
                raise BadRequest(f"UPLOAD {upload.name}: it took too long to be stored: send less") from error
            if state[:2] in _FAULTS:
                raise BadRequest(f"UPLOAD {upload.name}: {_FAULTS[state[:2]]}") from error
            raise


def _store(connection: dbapi.Connection, upload: Upload) -> None:
    name = str(upload.table.stored_name)
    columns = ", ".join(f"{quoted_name(column)} {type_}" for column, type_ in upload.definition)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns})")
        if upload.rows.num_rows:
            cursor.adbc_ingest(name, upload.rows, mode="append", temporary=True)
        cursor.execute(f"ANALYZE {name}")
        cursor.execute(f"GRANT SELECT ON {name} TO PUBLIC")
