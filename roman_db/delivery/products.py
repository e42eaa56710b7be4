"""Files of deliveries as rows: staged until a delivery is published, then valid, or dropped with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from roman_db.archive.product import find
from roman_db.archive.storage import register
from roman_db.delivery.answer import FileAnswer
from roman_db.delivery.manifest import DeliveredFile
from roman_db.delivery.refusal import DeliveryError
from roman_db.delivery.span import Part
from roman_db.schema.metadata import table


def add(
    connection: sa.Connection,
    delivery_id: int,
    made: Part,
    file: DeliveredFile,
    archive_row: dict[str, object] | None,
) -> None:
    """Insert the row of a file of a delivery, which is no product before that is published."""
    found: dict[str, object] = {"state": "staged", "filename": file.filename, "sha256": file.sha256}
    found |= {"n_row": file.n_row, "size_bytes": file.size_bytes, "archive_row": archive_row}
    _insert(connection, delivery_id, made, found)


def refuse(connection: sa.Connection, delivery_id: int, made: Part, reasons: str) -> None:
    """Insert the row of a product that a delivery does not have, since it would not be valid."""
    _insert(connection, delivery_id, made, {"state": "refused", "problem": reasons})


def publish(connection: sa.Connection, delivery_id: int) -> None:
    """Say that the files of a delivery are products, and let the tables of the archive have their rows.

    RAD's names of files know no days: of files of one name that which was made last is current, whatever was
    published last, and its row is that of the archive.
    """
    products = table("ops.product")
    staged = products.update().where(*_mine(delivery_id, "staged")).values(state="valid")
    names = connection.execute(staged.returning(products.c.filename)).scalars().all()
    _supersede_earlier(connection, names)
    current = sa.select(products.c.product, products.c.filename, products.c.archive_row).where(
        *_mine(delivery_id, "valid"), products.c.superseded_at.is_(None)
    )
    rows: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in connection.execute(current):
        rows[find(one.product).table][one.filename] = one.archive_row
    for name, content in rows.items():
        register(connection, name, content)


def without_archive_row(connection: sa.Connection, delivery_id: int) -> list[str]:
    """Names of files of a delivery that is not published of which the archive would have no row."""
    products = table("ops.product")
    rowless = sa.select(products.c.filename).where(
        *_mine(delivery_id, "staged"), products.c.archive_row.is_(None)
    )
    return list(connection.execute(rowless.order_by(products.c.product_id)).scalars())


def drop(connection: sa.Connection, delivery_id: int) -> None:
    """Say that the files of a delivery that was not published are gone."""
    products = table("ops.product")
    gone = products.update().where(*_mine(delivery_id, "staged"))
    connection.execute(gone.values(state="dropped", archive_row=sa.null()))


def supersede(connection: sa.Connection, delivery_id: int) -> None:
    """Say that the files of a delivery have later versions."""
    products = table("ops.product")
    current = products.update().where(*_mine(delivery_id, "valid"), products.c.superseded_at.is_(None))
    connection.execute(current.values(superseded_at=sa.func.now()))


def read(connection: sa.Connection, delivery_id: int) -> list[dict[str, Any]]:
    """Read the files of a delivery with what the archive said of each."""
    files, products = table("ops.delivery_file"), table("ops.product")
    answered = (files.c.is_accepted, files.c.archive_identifier, files.c.message)
    query = sa.select(products, *answered).join(files, files.c.product_id == products.c.product_id)
    mine = query.where(files.c.delivery_id == delivery_id).order_by(products.c.product_id)
    return [dict(row) for row in connection.execute(mine).mappings()]


def record_answer(connection: sa.Connection, delivery_id: int, answer: FileAnswer) -> None:
    """Say what the archive answered of one file.

    Raises
    ------
    DeliveryError
        If it is not of this delivery.
    """
    files, products = table("ops.delivery_file"), table("ops.product")
    of = sa.select(products.c.product_id).where(products.c.filename == answer.filename)
    said = {"is_accepted": answer.accepted, "archive_identifier": answer.archive_identifier}
    mine = files.update().where(files.c.delivery_id == delivery_id, files.c.product_id.in_(of))
    if not connection.execute(mine.values(said | {"message": answer.message})).rowcount:
        raise DeliveryError(
            f"the archive answers of {answer.filename}, which is not a product of this delivery"
        )


def forget_answers(connection: sa.Connection, delivery_id: int) -> None:
    """Forget what the archive answered of the files of a delivery, since it answers anew."""
    files = table("ops.delivery_file")
    unknown = dict.fromkeys(("is_accepted", "archive_identifier", "message"), sa.null())
    connection.execute(files.update().where(files.c.delivery_id == delivery_id).values(unknown))


def _supersede_earlier(connection: sa.Connection, names: Sequence[str]) -> None:
    """Say of files that they have later versions, where later ones of the same name are products, too."""
    products = table("ops.product")
    later = products.alias()
    is_replaced = sa.exists().where(
        later.c.filename == products.c.filename,
        later.c.state == "valid",
        later.c.product_id > products.c.product_id,
    )
    current = products.c.filename.in_(names), products.c.state == "valid", products.c.superseded_at.is_(None)
    connection.execute(products.update().where(*current, is_replaced).values(superseded_at=sa.func.now()))


def _insert(connection: sa.Connection, delivery_id: int, made: Part, found: dict[str, object]) -> None:
    """Insert a row of a delivery, of the run that makes it."""
    deliveries, products = table("ops.delivery"), table("ops.product")
    run = sa.select(deliveries.c.load_run_id).where(deliveries.c.delivery_id == delivery_id)
    scope = made.label.removeprefix(made.product.name).strip()
    row = {"product": made.product.name, "scope": scope, "load_run_id": run.scalar_subquery()}
    insert = products.insert().values(row | found).returning(products.c.product_id)
    product_id = int(connection.execute(insert).scalar_one())
    connection.execute(
        table("ops.delivery_file").insert(), {"delivery_id": delivery_id, "product_id": product_id}
    )


def _mine(delivery_id: int, state: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Conditions of the files of a delivery that are in a state."""
    products, files = table("ops.product"), table("ops.delivery_file")
    mine = sa.select(files.c.product_id).where(files.c.delivery_id == delivery_id)
    return products.c.product_id.in_(mine), products.c.state == state
