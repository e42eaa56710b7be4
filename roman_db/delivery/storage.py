"""Deliveries as rows; with `products` what asks the database here. Its clock is the only one that counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from roman_db import sqlfile
from roman_db.archive.product import Product
from roman_db.archive.product import find as find_product
from roman_db.delivery import products
from roman_db.delivery.answer import Answer
from roman_db.delivery.manifest import INPUTS
from roman_db.delivery.refusal import DeliveryError
from roman_db.delivery.span import Part, Span, part
from roman_db.schema.metadata import table

Row = dict[str, Any]

_ONE_AFTER_THE_OTHER = "SELECT pg_advisory_xact_lock(hashtext('ops.delivery'))"
_DUE = sa.text(
    """
    SELECT u.*, s.start_mjd AS season_start FROM ops.delivery_due AS u
    LEFT JOIN roman.season AS s USING (survey, season)
    WHERE rule = :rule AND survey = :survey AND season = :season
        AND u.start_mjd <= coalesce(:day, u.start_mjd) AND u.end_mjd > coalesce(:day, u.start_mjd)
    """
)
#: What is known of the files of a delivery that has none.
_NOTHING = {"n_file": None, "size_bytes": None, "manifest_sha256": None}
_PERIOD_DAYS = 8


def read_due(connection: sa.Connection, with_done: bool) -> list[Row]:
    """Read what is due, the earliest deadline first; what is delivered as well, if wanted."""
    query = "SELECT * FROM ops.delivery_due WHERE status <> 'done' OR :all ORDER BY due_at, rule, start_mjd"
    return rows_of(connection, sa.text(query), {"all": with_done})


def find_span(connection: sa.Connection, rule: str, survey: str, season: int, day: int | None) -> Span:
    """Find what a rule asks for.

    Parameters
    ----------
    day
        A day of it, MJD TDB; None for the whole season or survey.

    Raises
    ------
    DeliveryError
        If nothing of it was received, several days or periods were, or nothing is delivered of it yet.
    """
    wanted = {"rule": rule, "survey": survey, "season": season, "day": day}
    found = rows_of(connection, _DUE, wanted)
    words = f"{rule} of {survey} season {season}" + ("" if day is None else f", day {day}")
    if not found:
        raise DeliveryError(f"{words}: no such delivery is due, since no exposure of it was received")
    if len(found) > 1:
        raise DeliveryError(f"{words}: there are {len(found)} of it: say of which --day (MJD)")
    (due,) = found
    if due["status"] == "held":
        raise DeliveryError(
            f"{words}: nothing of it is delivered before {due['clock_at']:%Y-%m-%d %H:%M} UTC"
        )
    return _span(due)


def ready(connection: sa.Connection) -> list[Span]:
    """List what is due, ready and not made, the earliest deadline first."""
    found = connection.execute(statement("delivery_ready")).all()
    return [find_span(connection, one.rule, one.survey, one.season, one.start_mjd) for one in found]


def span_of(connection: sa.Connection, delivery: Row) -> Span:
    """Find what a delivery is of."""
    of = (delivery[name] for name in ("rule", "survey", "season", "start_mjd"))
    return find_span(connection, *of)


def count_unmeasured(connection: sa.Connection, span: Span) -> int:
    """Count the exposures of the days that are in no light curve as they are now."""
    return int(connection.execute(statement("delivery_unmeasured"), days_of(span)).scalar_one())


def read_parts(connection: sa.Connection, span: Span) -> tuple[list[Part], list[str]]:
    """List the products of a delivery, each of each part that has it, and what is missing of it."""
    content = table("ops.delivery_content")
    query = sa.select(content).where(content.c.rule == span.rule).order_by(content.c.product)
    named = connection.execute(query).all()
    missing = [] if named else [f"rule {span.rule} has no products: insert them into ops.delivery_content"]
    places = rows_of(connection, statement("delivery_place"), days_of(span))
    of_season = {"survey": span.survey, "season": span.season}
    media = rows_of(connection, statement("delivery_medium"), of_season)
    found: list[Part] = []
    for one in named:
        product = find_product(one.product)
        of = places if "detector" in product.scope else media if "medium" in product.scope else [{}]
        if not of and one.is_required:
            missing.append(f"there is nothing of which {one.product} could be made")
        found += [part(product, span, place, one.is_required) for place in of if _is_of(product, span, place)]
    return found, missing


def begin(connection: sa.Connection, span: Span, load_run_id: int, is_partial: bool) -> tuple[int, str]:
    """Insert the row of a new version, and return its identifier and name.

    It begins when it is inserted, and not with the transaction: what was received until then is in it.
    """
    connection.exec_driver_sql(_ONE_AFTER_THE_OTHER)
    rows = table("ops.delivery")
    key = {"rule": span.rule, "survey": span.survey, "season": span.season, "start_mjd": span.start_mjd}
    mine = [rows.c[name] == value for name, value in key.items()]
    version = connection.execute(sa.select(sa.func.coalesce(sa.func.max(rows.c.version), 0) + 1).where(*mine))
    of = {"version": version.scalar_one(), "end_mjd": span.end_mjd, "is_partial": is_partial}
    of |= {"name": span.name(of["version"]), "created_at": sa.func.clock_timestamp()}
    insert = rows.insert().values(key | of | {"load_run_id": load_run_id}).returning(rows.c.delivery_id)
    delivery_id = int(connection.execute(insert).scalar_one())
    note(connection, delivery_id, "begun")
    return delivery_id, str(of["name"])


def being_made(connection: sa.Connection) -> list[Row]:
    """Read deliveries that are being made, and keep them as they are until the transaction ends."""
    rows = table("ops.delivery")
    making = sa.select(rows).where(rows.c.state == "making").order_by(rows.c.delivery_id)
    return rows_of(connection, making.with_for_update())


def find_making(connection: sa.Connection, delivery_id: int) -> Row:
    """Read a delivery that is being made, and keep it as it is until the transaction ends.

    Raises
    ------
    DeliveryError
        If it was given up.
    """
    delivery = find(connection, delivery_id, lock=True)
    if delivery["state"] != "making":
        raise DeliveryError(f"it was given up while it was made: {delivery['message']}")
    return delivery


def end_making(connection: sa.Connection, delivery_id: int, state: str, **found: object) -> None:
    """Say what became of a delivery that is not published; of one that came to nothing no file is left."""
    rows = table("ops.delivery")
    mine = rows.c.delivery_id == delivery_id, rows.c.state.in_(("making", "made"))
    ended = connection.execute(rows.update().where(*mine).values(found | {"state": state})).rowcount
    if state != "made":
        products.drop(connection, delivery_id)
    if ended:
        note(connection, delivery_id, state, str(found["message"]) if "message" in found else None)


def find(connection: sa.Connection, delivery_id: int, lock: bool = False) -> Row:
    """Read a delivery.

    Raises
    ------
    DeliveryError
        If there is none of that number.
    """
    rows = table("ops.delivery")
    query = sa.select(rows).where(rows.c.delivery_id == delivery_id)
    found = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    if found is None:
        raise DeliveryError(
            f"there is no delivery {delivery_id}: roman-db deliveries list shows those there are"
        )
    return dict(found)


def list_deliveries(connection: sa.Connection, state: str | None, most: int) -> list[Row]:
    """Read deliveries, the latest first; of one state, or of all."""
    rows = table("ops.delivery")
    query = sa.select(rows).order_by(rows.c.delivery_id.desc()).limit(most)
    return rows_of(connection, query if state is None else query.where(rows.c.state == state))


def unpublished(connection: sa.Connection) -> list[int]:
    """Numbers of the deliveries that are made and of which the archive was not told, the oldest first."""
    rows, events = table("ops.delivery"), table("ops.delivery_event")
    told = sa.exists().where(events.c.delivery_id == rows.c.delivery_id, events.c.kind == "notified")
    waits = sa.select(rows.c.delivery_id).where(rows.c.state.in_(("made", "published")), ~told)
    return list(connection.execute(waits.order_by(rows.c.delivery_id)).scalars())


def events_of(connection: sa.Connection, delivery_id: int) -> list[Row]:
    """Read what became of a delivery, in order."""
    events = table("ops.delivery_event")
    mine = sa.select(events).where(events.c.delivery_id == delivery_id)
    return rows_of(connection, mine.order_by(events.c.delivery_event_id))


def note(connection: sa.Connection, delivery_id: int, kind: str, message: str | None = None) -> None:
    """Record what became of a delivery."""
    row = {"delivery_id": delivery_id, "kind": kind, "message": message}
    connection.execute(table("ops.delivery_event").insert(), row)


def later_published(connection: sa.Connection, delivery: Row) -> str | None:
    """Name of a later version of a delivery that is published; None without one."""
    rows = table("ops.delivery")
    query = sa.select(rows.c.name).where(*_versions(rows, delivery), rows.c.version > delivery["version"])
    found = query.where(rows.c.published_at.is_not(None)).order_by(rows.c.version.desc()).limit(1)
    return connection.execute(found).scalar_one_or_none()


def check_publishable(connection: sa.Connection, delivery: Row) -> None:
    """Make sure that a delivery is one to be published.

    Raises
    ------
    DeliveryError
        If it is not made, or a later version is published.
    """
    if (later := later_published(connection, delivery)) is not None:
        raise DeliveryError(f"{delivery['name']} is not published: {later}, which replaces it, is")
    if delivery["state"] != "made":
        why = f": {delivery['message']}" if delivery["message"] else ""
        raise DeliveryError(f"{delivery['name']} is {delivery['state']} and cannot be published{why}")


def record_published(connection: sa.Connection, delivery_id: int) -> None:
    """Say that the archive sees a delivery, and no longer needs the versions before it.

    Raises
    ------
    DeliveryError
        If it is not made any more, or a later version is published.
    """
    connection.exec_driver_sql(_ONE_AFTER_THE_OTHER)
    delivery = find(connection, delivery_id, lock=True)
    check_publishable(connection, delivery)
    rows = table("ops.delivery")
    mine = rows.c.delivery_id == delivery_id
    connection.execute(rows.update().where(mine).values(state="published", published_at=sa.func.now()))
    note(connection, delivery_id, "published")
    products.publish(connection, delivery_id)
    before = (
        *_versions(rows, delivery),
        rows.c.version < delivery["version"],
        rows.c.published_at.is_not(None),
    )
    replaced = (
        rows.update().where(*before, rows.c.superseded_at.is_(None)).values(superseded_at=sa.func.now())
    )
    for number in connection.execute(replaced.returning(rows.c.delivery_id)).scalars().all():
        note(connection, number, "superseded", delivery["name"])
        products.supersede(connection, number)


def record_answer(connection: sa.Connection, answer: Answer) -> bool:
    """Say what the archive answered, also in place of another answer; False where it had answered the same.

    Raises
    ------
    DeliveryError
        If the answer is not about a delivery that is published.
    """
    rows = table("ops.delivery")
    query = sa.select(rows).where(rows.c.name == answer.delivery).with_for_update()
    delivery = connection.execute(query).mappings().one_or_none()
    if delivery is None:
        raise DeliveryError(f"there is no delivery {answer.delivery!r}")
    state = "accepted" if answer.accepted else "rejected"
    if answer.manifest_sha256 != delivery["manifest_sha256"]:
        raise DeliveryError(f"{answer.delivery}: the answer is to a manifest with another checksum than ours")
    if (delivery["state"], delivery["message"]) == (state, answer.reason):
        return False
    if delivery["published_at"] is None:
        raise DeliveryError(f"{answer.delivery} is {delivery['state']}: it waits for no answer")
    products.forget_answers(connection, delivery["delivery_id"])
    for file in (one for one in answer.files if one.filename != INPUTS):
        products.record_answer(connection, delivery["delivery_id"], file)
    found = {"state": state, "message": answer.reason, "answered_at": sa.func.now()}
    connection.execute(rows.update().where(rows.c.delivery_id == delivery["delivery_id"]).values(found))
    note(connection, delivery["delivery_id"], state, answer.reason)
    return True


def give_up_older(connection: sa.Connection, delivery: Row) -> list[str]:
    """Say of older versions that were made that they are not published any more, and return their names."""
    rows = table("ops.delivery")
    older = sa.select(rows.c.delivery_id, rows.c.name).where(
        *_versions(rows, delivery), rows.c.version < delivery["version"], rows.c.state == "made"
    )
    found = connection.execute(older.with_for_update()).all()
    for one in found:
        give_up(connection, one.delivery_id, f"{delivery['name']} was published in its place")
    return [str(one.name) for one in found]


def give_up(connection: sa.Connection, delivery_id: int, message: str) -> None:
    """Say of a delivery that nothing came of it, and why; no file of it is left."""
    end_making(connection, delivery_id, "failed", message=message, **_NOTHING)


def series_of(name: str) -> str:
    """What the names of all versions of a delivery begin with, by the name of one."""
    return name.rpartition("_v")[0]


def _versions(rows: sa.Table, delivery: Row) -> Sequence[sa.ColumnElement[bool]]:
    """Conditions of all versions of what a delivery is of."""
    return [rows.c[name] == delivery[name] for name in ("rule", "survey", "season", "start_mjd")]


def _is_of(product: Product, span: Span, place: Row) -> bool:
    """Whether a product is of a place: references of eight days are of elements observed at least hourly."""
    return span.sequence is None or "sequence" not in product.optional or place["is_frequent"]


def _span(due: Row) -> Span:
    """Span of a row of what is due; days and periods know their place in the season."""
    start, end = due["start_mjd"], due["end_mjd"]
    is_period = due["season_start"] is not None and end - start <= _PERIOD_DAYS
    sequence = (start - due["season_start"]) // _PERIOD_DAYS + 1 if is_period else None
    return Span(due["rule"], due["survey"], due["season"], start, end, sequence)


def days_of(span: Span) -> Row:
    """Days of a span for a statement."""
    return {"survey": span.survey, "start_mjd": span.start_mjd, "end_mjd": span.end_mjd}


def rows_of(connection: sa.Connection, query: sa.Executable, values: Row | None = None) -> list[Row]:
    """Rows of a query."""
    return [dict(row) for row in connection.execute(query, values or {}).mappings()]


def statement(name: str) -> sa.TextClause:
    """Statement of a file of ``queries/jobs``."""
    return sa.text(sqlfile.find("jobs", name).text)
