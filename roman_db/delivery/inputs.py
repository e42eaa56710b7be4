"""What deliveries are made of: files of images that came, and notifications of those that are to come."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa

from roman_db.delivery.announcement import Notification
from roman_db.delivery.span import Span
from roman_db.delivery.storage import Row, rows_of, statement
from roman_db.schema.metadata import table

#: The trigger that notes what is received shares it (``56_deliveries.sql``).
_NOBODY_STORES = "SELECT pg_advisory_xact_lock(hashtext('ops.received_day'))"
_INPUTS_AT_A_TIME = 10_000


def keep_from_storing(connection: sa.Connection) -> None:
    """Wait until exposures that are being stored are, and keep others from it until the transaction ends."""
    connection.exec_driver_sql(_NOBODY_STORES)


def record_inputs(connection: sa.Connection, delivery_id: int) -> int:
    """Record of which files a delivery is made, and return how many they are."""
    return int(connection.execute(statement("delivery_input"), {"delivery_id": delivery_id}).rowcount)


def read_inputs(connection: sa.Connection, delivery_id: int) -> Iterator[tuple[str, str]]:
    """Go through checksum and name of the files of which a delivery is made, by name."""
    inputs, files = table("ops.delivery_input"), table("ops.input_file")
    query = sa.select(files.c.sha256, files.c.filename).join(inputs, inputs.c.file_id == files.c.file_id)
    mine = query.where(inputs.c.delivery_id == delivery_id).order_by(files.c.filename, files.c.file_id)
    for one in connection.execute(mine.execution_options(yield_per=_INPUTS_AT_A_TIME)):
        yield one.sha256, one.filename


def read_cover(connection: sa.Connection, span: Span) -> Row:
    """Describe of what products are made that hold the season so far: its days, and how many files.

    Returns
    -------
    Row
        ``start_mjd`` and ``end_mjd`` (the first day after), ``n_input``, and as ``inputs_sha256`` the SHA-256
        checksum of the list of these files in the form of ``inputs.sha256``.
    """
    values = {"survey": span.survey, "season": span.season}
    files = connection.execute(
        statement("delivery_season_input"), values, execution_options={"yield_per": _INPUTS_AT_A_TIME}
    )
    checksum, n_input = hashlib.sha256(), 0
    days: set[int] = set()
    for one in files:
        checksum.update(line(one.sha256, one.filename))
        days |= {one.first_mjd, one.last_mjd}
        n_input += 1
    cover = {"start_mjd": min(days, default=None), "end_mjd": max(days) + 1 if days else None}
    return cover | {"n_input": n_input, "inputs_sha256": checksum.hexdigest()}


def line(sha256: str, filename: str) -> bytes:
    """Line of a list of files, as sha256sum reads it."""
    return f"{sha256}  {filename}\n".encode()


def announce(connection: sa.Connection, notification: Notification, sha256: str) -> bool:
    """Record a notification; False where it was recorded before."""
    rows, files = table("ops.data_notification"), table("ops.notified_file")
    said = notification.model_dump(include={"sender", "observed_until", "on_ground_at", "at_soc_at"})
    row = said | {"n_file": len(notification.files), "sha256": sha256}
    insert = sa.dialects.postgresql.insert(rows).values(row).on_conflict_do_nothing(index_elements=["sha256"])
    number = connection.execute(insert.returning(rows.c.data_notification_id)).scalar_one_or_none()
    if number is None:
        return False
    named = [file.model_dump() | {"data_notification_id": number} for file in notification.files]
    connection.execute(files.insert(), named)
    return True


def read_announced(connection: sa.Connection, state: str | None) -> list[Row]:
    """Read which announced files we have; of one state, or all that are not loaded."""
    query = """
        SELECT * FROM ops.input_arrival
        WHERE CASE WHEN CAST(:state AS text) IS NULL THEN state <> 'loaded' ELSE state = :state END
        ORDER BY received_at, filename
    """
    return rows_of(connection, sa.text(query), {"state": state})
