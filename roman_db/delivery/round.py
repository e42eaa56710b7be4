"""All that is to be done about deliveries now: what is ready is made and published, answers are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from roman_db import session
from roman_db.delivery import announcement, answer, storage
from roman_db.delivery.make import make
from roman_db.delivery.outbox import Outbox
from roman_db.delivery.publish import publish
from roman_db.delivery.refusal import DeliveryError
from roman_db.delivery.span import Span
from roman_db.load_run import close_dead_runs


@dataclass(frozen=True)
class Done:
    """What came of one step: words for people, and whether it went well."""

    words: str
    is_good: bool = True


def send(outbox: Outbox) -> Iterator[Done]:
    """Make and publish all that is ready, publish what was only made, and read the answers of the archive.

    A delivery that fails keeps no other from its deadline.
    """
    with session.transaction() as connection:
        spans, made = storage.ready(connection), storage.unpublished(connection)
    for delivery_id in made:
        yield _told(partial(_published, delivery_id, outbox))
    for span in spans:
        yield _told(partial(deliver, span, outbox))
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
    with session.transaction() as connection:
        close_dead_runs(connection)
        storage.close_abandoned(connection)
        delivery = storage.find(connection, delivery_id)
        if delivery["state"] in ("refused", "failed", "rejected"):
            span = storage.span_of(connection, delivery)
    if delivery["state"] in ("refused", "failed", "rejected"):
        return deliver(span, outbox, delivery["is_partial"])
    if delivery["state"] in ("made", "published"):
        return _published(delivery_id, outbox)
    raise DeliveryError(f"{delivery['name']} is {delivery['state']}: nothing is to be done again")


def acknowledge(paths: Iterable[Path]) -> Iterator[Done]:
    """Read answers of the archive and tell what is new; one that is wrong keeps no other from being read."""
    for path in paths:
        done = _told(partial(_read_answer, path))
        if done.words:
            yield done


def announce(paths: Iterable[Path]) -> Iterator[Done]:
    """Read notifications of data that are available; one that is wrong keeps no other from being read."""
    for path in paths:
        yield _told(partial(_read_notification, path))


def _published(delivery_id: int, outbox: Outbox) -> str:
    """Publish a delivery and say so."""
    return f"{publish(delivery_id, outbox)} is published as delivery {delivery_id}"


def _read_answer(path: Path) -> str:
    """Read one answer and say what it is; nothing where it was known."""
    found = answer.read(path)
    with session.transaction() as connection:
        if not storage.record_answer(connection, found):
            return ""
    return f"{found.delivery} is " + ("accepted" if found.accepted else f"rejected: {found.reason}")


def _read_notification(path: Path) -> str:
    """Read one notification and say what it names."""
    found, sha256 = announcement.read(path)
    with session.transaction() as connection:
        is_new = storage.announce(connection, found, sha256)
    return f"{path}: {len(found.files)} files of {found.sender} " + (
        "noted" if is_new else "were noted before"
    )


def _told(step: Callable[[], str]) -> Done:
    """Do a step and tell what came of it."""
    try:
        return Done(step())
    except DeliveryError as error:
        return Done(str(error), is_good=False)
