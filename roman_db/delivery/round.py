"""All that is to be done about deliveries now: what is ready is made and published, answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from roman_db import session
from roman_db.delivery import storage
from roman_db.delivery.correspondence import Done, acknowledge, told
from roman_db.delivery.make import close_abandoned, make
from roman_db.delivery.outbox import Outbox
from roman_db.delivery.publish import publish
from roman_db.delivery.refusal import DeliveryError
from roman_db.delivery.span import Span


def send(outbox: Outbox) -> Iterator[Done]:
    """Make and publish all that is ready, publish what was only made, and read the answers of the archive.

    A delivery that fails keeps no other from its deadline, and one whose maker is gone is made again.
    """
    close_abandoned(outbox)
    with session.transaction() as connection:
        spans, made = storage.ready(connection), storage.unpublished(connection)
    for delivery_id in made:
        yield told(partial(_published, delivery_id, outbox))
    for span in spans:
        yield told(partial(deliver, span, outbox))
    yield from acknowledge(sorted(outbox.answers.glob("*.json")))


def deliver(span: Span, outbox: Outbox, is_partial: bool = False) -> str:
    """Make a new version of a delivery and publish it; return words that say so."""
    return _published(make(span, outbox, is_partial), outbox)


def retry(delivery_id: int, outbox: Outbox) -> str:
    """Do what is left of a delivery, or make a new version of one that came to nothing.

    Raises
    ------
    DeliveryError
        If it cannot be done, or nothing is to be done again.
    """
    close_abandoned(outbox)
    with session.transaction() as connection:
        delivery = storage.find(connection, delivery_id)
        if delivery["state"] in ("refused", "failed", "rejected"):
            if later := storage.later_published(connection, delivery):
                raise DeliveryError(
                    f"{delivery['name']} is {delivery['state']}, and {later} has been published since: "
                    "nothing is to be done again"
                )
            span = storage.span_of(connection, delivery)
    if delivery["state"] in ("refused", "failed", "rejected"):
        return deliver(span, outbox, delivery["is_partial"])
    if delivery["state"] in ("made", "published"):
        return _published(delivery_id, outbox)
    raise DeliveryError(f"{delivery['name']} is {delivery['state']}: nothing is to be done again")


def _published(delivery_id: int, outbox: Outbox) -> str:
    """Publish a delivery and say so."""
    return f"{publish(delivery_id, outbox)} is published as delivery {delivery_id}"
