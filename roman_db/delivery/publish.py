"""A delivery published: verified, moved to its place in one step, and announced to the archive.

Each step can be done again: whoever dies in the middle, the next attempt does what is left.
"""

from __future__ import annotations

from roman_db import session
from roman_db.delivery import manifest, storage
from roman_db.delivery.outbox import Outbox
from roman_db.delivery.refusal import DeliveryError
from roman_db.locks import LockHeld, held


def publish(delivery_id: int, outbox: Outbox) -> str:
    """Publish a delivery that is made, and return its name; one that is published already stays.

    Raises
    ------
    DeliveryError
        If it is not made, not what was made any more, or a later version is published.
    """
    try:
        with held(f"delivery {delivery_id}"):
            return _publish(delivery_id, outbox)
    except OSError as error:
        raise DeliveryError(f"delivery {delivery_id} was not published to the end: {error}") from error
    except LockHeld as error:
        raise DeliveryError(f"delivery {delivery_id} is being published by another process") from error


def _publish(delivery_id: int, outbox: Outbox) -> str:
    """Publish while nobody else does."""
    with session.transaction() as connection:
        delivery = storage.find(connection, delivery_id)
        later = storage.later_published(connection, delivery)
    name = str(delivery["name"])
    if delivery["published_at"] is None:
        _check(delivery, later)
        _verify(delivery, outbox)
        outbox.publish(name)
        with session.transaction() as connection:
            storage.record_published(connection, delivery)
            given_up = storage.give_up_older(connection, delivery)
        for older in given_up:
            outbox.drop(older)
    if later is None:
        outbox.point(name.rpartition("_v")[0], name)
    _notify(delivery_id, outbox)
    return name


def _check(delivery: storage.Row, later: str | None) -> None:
    """Make sure that a delivery is one to be published."""
    if later is not None:
        raise DeliveryError(f"{delivery['name']} is not published: {later}, which replaces it, is")
    if delivery["state"] != "made":
        why = f": {delivery['message']}" if delivery["message"] else ""
        raise DeliveryError(f"{delivery['name']} is {delivery['state']} and cannot be published{why}")


def _verify(delivery: storage.Row, outbox: Outbox) -> None:
    """Make sure that the files are those that were made; otherwise the delivery has failed."""
    name = str(delivery["name"])
    there = outbox.published(name)
    folder = there if there.exists() else outbox.staging(name)
    found = list(manifest.faults(folder, delivery["manifest_sha256"]))
    if found:
        message = "; ".join(found)
        with session.transaction() as connection:
            empty = {"n_file": None, "size_bytes": None, "manifest_sha256": None}
            storage.end_making(connection, delivery["delivery_id"], "failed", message=message, **empty)
        raise DeliveryError(f"{name} is not published, since it is not what was made: {message}")


def _notify(delivery_id: int, outbox: Outbox) -> None:
    """Tell the archive that a delivery is there, once."""
    with session.transaction() as connection:
        delivery = storage.find(connection, delivery_id, lock=True)
        if any(event["kind"] == "notified" for event in storage.events_of(connection, delivery_id)):
            return
        notice = {
            "delivery": delivery["name"],
            "manifest_sha256": delivery["manifest_sha256"],
            "n_file": delivery["n_file"],
            "size_bytes": delivery["size_bytes"],
            "published_at": delivery["published_at"].isoformat(),
        }
        outbox.notify(delivery["name"], notice)
        storage.note(connection, delivery_id, "notified")
