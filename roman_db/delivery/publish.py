"""A delivery published: verified, moved to its place in one step, and announced to the archive.

Each step can be done again: whoever dies in the middle, the next attempt does what is left.
"""

from __future__ import annotations

from roman_db import session
from roman_db.delivery import manifest, products, storage
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
    with session.transaction() as connection:
        name = str(storage.find(connection, delivery_id)["name"])
    try:
        with held(f"publishing {storage.series_of(name)}"):
            return _publish(delivery_id, outbox)
    except OSError as error:
        raise DeliveryError(f"delivery {delivery_id} was not published to the end: {error}") from error
    except LockHeld as error:
        raise DeliveryError(f"{name}, or another version of it, is being published: {error}") from error


def _publish(delivery_id: int, outbox: Outbox) -> str:
    """Publish while nobody else publishes a version of the same."""
    with session.transaction() as connection:
        delivery = storage.find(connection, delivery_id)
        if delivery["published_at"] is None:
            storage.check_publishable(connection, delivery)
    name = str(delivery["name"])
    if delivery["published_at"] is None:
        _verify(delivery, outbox)
        outbox.publish(name)
        _record(delivery, outbox)
    with session.transaction() as connection:
        later = storage.later_published(connection, delivery)
    if later is None:
        outbox.point(storage.series_of(name), name)
    _notify(delivery_id, outbox)
    return name


def _verify(delivery: storage.Row, outbox: Outbox) -> None:
    """Make sure that the files are those that were made; otherwise the delivery has failed, and they go."""
    name = str(delivery["name"])
    there = outbox.published(name)
    folder = there if there.exists() else outbox.staging(name)
    with session.transaction() as connection:
        rowless = products.without_archive_row(connection, delivery["delivery_id"])
    found = [f"{one} has no row for the archive, as it was made by an earlier release" for one in rowless]
    found += manifest.faults(folder, delivery["manifest_sha256"])
    if found:
        message = "; ".join(found)
        _give_up(delivery, outbox, message)
        raise DeliveryError(f"{name} is not published, since it is not what was made: {message}")


def _record(delivery: storage.Row, outbox: Outbox) -> None:
    """Record that the archive sees a delivery, and give up what was made of it before.

    While all files were read somebody may have published a later version (a lock goes with its connection).
    """
    try:
        with session.transaction() as connection:
            storage.record_published(connection, delivery["delivery_id"])
            for older in storage.give_up_older(connection, delivery):
                outbox.drop(older)
    except DeliveryError as error:
        _give_up(delivery, outbox, str(error))
        raise


def _give_up(delivery: storage.Row, outbox: Outbox, message: str) -> None:
    """Say that nothing came of a delivery, and remove it, unless somebody has published it."""
    with session.transaction() as connection:
        found = storage.find(connection, delivery["delivery_id"], lock=True)
        if found["published_at"] is None:
            outbox.drop(str(found["name"]))
            storage.give_up(connection, found["delivery_id"], message)


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
