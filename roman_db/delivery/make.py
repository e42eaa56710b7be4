"""A delivery made: products exported, read back, and listed in a manifest; nothing is published here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from roman_db import session
from roman_db.archive.export import write
from roman_db.archive.publish import staged
from roman_db.archive.refusal import NothingThere, NotWritten, ProductRefused
from roman_db.delivery import inputs, manifest, products, storage, verification
from roman_db.delivery.manifest import DeliveredFile
from roman_db.delivery.outbox import Outbox
from roman_db.delivery.refusal import DeliveryError
from roman_db.delivery.span import Part, Span
from roman_db.load_run import LoadRun, interrupt_runs, load_run
from roman_db.locks import LockHeld, held, is_held
from roman_db.query.error import QueryError

log = structlog.get_logger()

_REMEDY = "Correct what the reason names, then: roman-db deliveries retry {}"


@dataclass(frozen=True)
class Making:
    """A delivery that is being made: its number, name and folder, and the run that makes it."""

    delivery_id: int
    name: str
    folder: Path
    run: LoadRun


def make(span: Span, outbox: Outbox, is_partial: bool = False) -> int:
    """Make a new version of a delivery in the staging folder, and return its number.

    Parameters
    ----------
    is_partial
        Whether exposures may be in no light curve.

    Raises
    ------
    DeliveryError
        If it is not whole, a product is not valid, or it cannot be written. The row of the delivery says why.
    """
    try:
        with held(_lock(span.series)):
            return _make(span, outbox, is_partial)
    except LockHeld as error:
        raise DeliveryError(f"{span.series} is being made: {error}") from error


def close_abandoned(outbox: Outbox, mine: str | None = None) -> None:
    """Say of deliveries whose makers are gone, on whatever machine, that they failed; what they left goes.

    Parameters
    ----------
    mine
        Series whose lock this process has, so that nobody else makes one.
    """
    with session.transaction() as connection:
        for one in storage.being_made(connection):
            series = storage.series_of(one["name"])
            if series == mine or not is_held(connection, _lock(series)):
                outbox.drop(one["name"])
                message = f"run {one['load_run_id']} ended before it was whole"
                storage.give_up(connection, one["delivery_id"], message)
                interrupt_runs(connection, [one["load_run_id"]])


def _lock(series: str) -> str:
    """Lock of who makes a version of a delivery."""
    return f"making {series}"


def _make(span: Span, outbox: Outbox, is_partial: bool) -> int:
    """Make a new version while nobody else makes one."""
    with load_run("deliveries make", span.arguments | {"is_partial": is_partial}) as run:
        making = _begin(span, outbox, run, is_partial)
        try:
            refused = _write(span, making)
        except BaseException as error:
            foreseen = isinstance(error, OSError | QueryError)
            message = str(error) if foreseen else repr(error)
            _give_up(making, outbox, "failed", message)
            if not isinstance(error, Exception):
                raise
            # How we came there matters of errors alone that nobody foresaw.
            log.error("delivery not made", delivery=making.name, reason=message, exc_info=not foreseen)
            raise DeliveryError(f"{making.name} could not be made: {message}") from error
        if refused:
            _give_up(making, outbox, "refused", "; ".join(refused))
    if refused:
        raise DeliveryError("\n".join([f"{making.name} is refused:", *(f"  {why}" for why in refused)]))
    return making.delivery_id


def _begin(span: Span, outbox: Outbox, run: LoadRun, is_partial: bool) -> Making:
    """Begin a new version, once it is whole or need not be, of the inputs that are stored now."""
    close_abandoned(outbox, span.series)
    with session.transaction() as connection:
        inputs.keep_from_storing(connection)
        n_missing = storage.count_unmeasured(connection, span)
        if n_missing and not is_partial:
            raise DeliveryError(
                f"{span.series}: {n_missing} of its exposures are in no light curve as they are now: "
                "photometer them, or deliver without them by --partial"
            )
        delivery_id, name = storage.begin(connection, span, run.load_run_id, is_partial and n_missing > 0)
        inputs.record_inputs(connection, delivery_id)
    return Making(delivery_id, name, outbox.staging(name), run)


def _write(span: Span, making: Making) -> list[str]:
    """Write products and manifest, and return the reasons for which products are refused."""
    with session.transaction() as connection:
        parts, missing = storage.read_parts(connection, span)
        if missing:
            return missing
        making.run.expect(connection, len(parts))
    making.folder.mkdir(parents=True)
    files: list[DeliveredFile] = []
    refused = []
    for part in parts:
        try:
            files += _write_part(part, making)
        except NothingThere as error:
            if part.is_required:
                refused.append(_refuse(part, making, error))
            else:
                _leave_out(part, making)
        except NotWritten:
            raise
        except ProductRefused as error:
            refused.append(_refuse(part, making, error))
    if not refused:
        _finish(span, making, parts, files)
    return refused


def _write_part(part: Part, making: Making) -> list[DeliveredFile]:
    """Write a product in all its formats and read it back.

    Raises
    ------
    ProductRefused
        If it is not valid, or not what was written.
    """
    every = write(part.product, part.scope, making.folder, part.product.formats)
    for one in every:
        if (fault := verification.fault(one.path, part.product, one.n_row)) is not None:
            raise ProductRefused(part.product.name, [fault])
    files = [manifest.described(one.path, part.product.name, one.n_row) for one in every]
    with session.transaction() as connection:
        for file, one in zip(files, every, strict=True):
            products.add(connection, making.delivery_id, part, file, one.archive_row)
        making.run.count(connection, loaded=1)
    return files


def _refuse(part: Part, making: Making, error: ProductRefused) -> str:
    """Record that a product is refused, and return the reasons in a line."""
    reasons = "; ".join(error.reasons)
    row = {"source": f"{making.name}: {part.label}", "row_number": None, "code": "product_refused"}
    row |= {"reason": reasons, "remedy": _REMEDY.format(making.delivery_id)}
    with session.transaction() as connection:
        products.refuse(connection, making.delivery_id, part, reasons)
        making.run.reject_rows(connection, [row])
    return f"{part.label}: {reasons}"


def _leave_out(part: Part, making: Making) -> None:
    """Record that there is nothing of a product that is not required."""
    with session.transaction() as connection:
        storage.note(connection, making.delivery_id, "left_out", f"there is nothing of {part.label}")
        making.run.count(connection, loaded=1, unchanged=1)


def _finish(span: Span, making: Making, parts: list[Part], files: list[DeliveredFile]) -> None:
    """List inputs and files, and say that the delivery is made."""
    with session.transaction() as connection:
        path, n_input = making.folder / manifest.INPUTS, 0
        with staged(path) as stream:
            for sha256, filename in inputs.read_inputs(connection, making.delivery_id):
                stream.write(inputs.line(sha256, filename))
                n_input += 1
        files.append(manifest.described(path))
        is_of_season = any(part.is_of_season_so_far for part in parts)
        cover = {"season_so_far": inputs.read_cover(connection, span)} if is_of_season else {}
        delivery = storage.find_making(connection, making.delivery_id)
        said = {"delivery": making.name, "created_at": delivery["created_at"].isoformat(), "n_input": n_input}
        said |= span.arguments | {"is_partial": delivery["is_partial"]} | cover
        content = manifest.text_of(said, files)
        with staged(making.folder / manifest.MANIFEST) as stream:
            stream.write(content)
        storage.end_making(
            connection,
            making.delivery_id,
            "made",
            n_file=len(files),
            size_bytes=sum(file.size_bytes for file in files),
            manifest_sha256=manifest.sha256_of(content),
        )


def _give_up(making: Making, outbox: Outbox, state: str, message: str) -> None:
    """Say that a delivery was not made, and remove what there is of it."""
    outbox.drop(making.name)
    with session.transaction() as connection:
        storage.end_making(connection, making.delivery_id, state, message=message)
