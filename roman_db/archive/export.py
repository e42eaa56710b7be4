"""One product from the database to its files."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from asdf.exceptions import ValidationError

from roman_db import session
from roman_db.archive import rad_schema, storage
from roman_db.archive.archive_row import row_content
from roman_db.archive.array_file import Joined, joined
from roman_db.archive.asdf_file import Layout, write_asdf
from roman_db.archive.file_name import file_name
from roman_db.archive.image_file import write_image
from roman_db.archive.parquet_file import write_parquet
from roman_db.archive.product import Product
from roman_db.archive.publish import staged
from roman_db.archive.refusal import NotWritten, ProductRefused
from roman_db.archive.request import Scope, check, check_named
from roman_db.query.stream import Result
from roman_db.schema import rad

_COPIED_AT_A_TIME = 1 << 20
#: Opens the rows of a product, with a folder for what that takes.
_Source = Callable[[Path], contextlib.AbstractContextManager[Result | Joined]]
_PROMPT = "p"
_NO_ROWS = "there is no spectrum on it; the product spec_individual_1d says why"
_NO_FILE = "nothing was kept of its arrays: extract its spectra again, with roman-db run spectra --redo"
_FIXED = {"instrument": "WFI", "origin": "IPAC/SSC"}


@dataclass(frozen=True)
class Written:
    """A file that was written.

    Parameters
    ----------
    path
        Where it is.
    n_row
        Rows; None of an image.
    archive_row
        Its row in the product's table of the archive, by the columns of that; None where it has none.
    """

    path: Path
    n_row: int | None
    archive_row: dict[str, object] | None = None


def export_parts(product: Product, scope: Scope, folder: Path, formats: Sequence[str]) -> Iterator[Written]:
    """Write all files that there are of a product, and give each as it is there.

    Raises
    ------
    ProductRefused
        If there is none, or some are not what they must be: the others are written then.
    """
    check_named(product, scope)
    refused: list[str] = []
    for one in _parts(product, scope):
        try:
            yield from export(product, one, folder, formats)
        except NotWritten:
            raise
        except ProductRefused as error:
            where = "" if product.parts is None else f"{one.words}: "
            refused += [f"{where}{reason}" for reason in error.reasons]
    if refused:
        raise ProductRefused(product.name, refused)


def _parts(product: Product, scope: Scope) -> list[Scope]:
    """Scopes of the files of a product: what a scope leaves open is looked up."""
    if product.parts is None:
        return [scope]
    return [replace(scope, **one) for one in storage.read_parts(product, scope)]


def export(product: Product, scope: Scope, folder: Path, formats: Sequence[str]) -> list[Written]:
    """Write a product as `write` does, then store the rows of its files for the archive.

    Who is killed in between gives the command again. The row of a file that was delivered stays that of the
    delivery: another of its name, written by hand, is not what the archive has.
    """
    written = write(product, scope, folder, formats)
    rows = {one.path.name: one.archive_row for one in written if one.archive_row}
    with session.transaction() as connection:
        delivered = storage.delivered(connection, rows)
        storage.register(
            connection, product.table, {name: row for name, row in rows.items() if name not in delivered}
        )
    return written


def write(product: Product, scope: Scope, folder: Path, formats: Sequence[str]) -> list[Written]:
    """Write a product in one or more formats into a folder, which is made if need be.

    Raises
    ------
    ProductRefused
        If it is not what RAD's schema and the archive's columns ask for; nothing is written then.
    QueryError
        If the database cannot be asked.
    """
    check(product, scope)
    if unknown := set(formats) - set(product.formats):
        raise ProductRefused(product.name, [f"it is not written as {name}" for name in sorted(unknown)])
    known = storage.read_keywords(product, scope)
    keywords = {name: _complete(product, scope, known, name) for name in formats}
    _refuse_faults(product, keywords)
    n_row = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as scratch:
            if product.is_image:
                _write_image(product, known, keywords["asdf"], folder)
            else:
                content = partial(_content, product, scope, known)
                n_row = _write(product, content, keywords, folder, Path(scratch))
    except OSError as error:
        raise NotWritten(product.name, [f"{folder}: {error.strerror or error}"]) from error
    return [
        Written(folder / str(one["filename"]), n_row, row_content(product.schema, product.table, one))
        for one in keywords.values()
    ]


def _complete(product: Product, scope: Scope, known: dict[str, object], suffix: str) -> dict[str, object]:
    """All keywords of the file of a product, in the order of its schema."""
    found = _FIXED | known | {"msos_processing_id": scope.processing_id}
    found |= {"data_release_id": "" if scope.processing_id == _PROMPT else scope.processing_id}
    found |= {"model_type": product.model_type, "product_type": product.name}
    found["program_complete"] = scope.program_complete
    ending = product.name if scope.kind == "psf" else f"{scope.kind}_{product.name}"
    found["filename"] = f"{file_name(found, ending)}.{suffix}"
    found["file_date"] = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    order = [keyword.name for keyword in rad.keywords(product.schema)]
    return {name: found[name] for name in order if name in found}


def _refuse_faults(product: Product, keywords: dict[str, dict[str, object]]) -> None:
    """Raise if a file would not be valid; what is wrong with several is told once."""
    every = [reason for values in keywords.values() for reason in rad_schema.faults(product.schema, values)]
    if every:
        raise ProductRefused(product.name, list(dict.fromkeys(every)))


def _write(
    product: Product, opened: _Source, keywords: dict[str, dict[str, object]], folder: Path, scratch: Path
) -> int:
    """Write the files, as Parquet from the database, then what else is asked for; return how many rows."""
    first = keywords.get("parquet") or next(iter(keywords.values()))
    table = scratch / "content.parquet"
    try:
        with opened(scratch) as content, table.open("wb") as sink:
            n_row = write_parquet(content.schema, content.batches, first, sink)
    except ValueError as error:
        raise ProductRefused(product.name, [str(error)]) from error
    paths = {suffix: folder / str(found["filename"]) for suffix, found in keywords.items()}
    with contextlib.ExitStack() as all_or_none:
        streams = {suffix: all_or_none.enter_context(staged(path)) for suffix, path in paths.items()}
        if "parquet" in streams:
            with table.open("rb") as source:
                shutil.copyfileobj(source, streams["parquet"], _COPIED_AT_A_TIME)
        if "asdf" in streams:
            _write_asdf(product, table, keywords["asdf"], scratch, streams["asdf"])
    return n_row


@contextlib.contextmanager
def _content(
    product: Product, scope: Scope, known: dict[str, object], scratch: Path
) -> Iterator[Result | Joined]:
    """Stream the rows of a product, of one that has a file with the arrays of that.

    Raises
    ------
    ProductRefused
        If the file is not there, or is not that of the database.
    """
    with storage.open_content(product, scope) as content:
        if not product.has_file:
            yield content
            return
        stored = pa.Table.from_batches(content.batches, schema=content.schema)
    if not stored.num_rows:
        raise ProductRefused(product.name, [_NO_ROWS])
    if "file_path" not in known:
        raise ProductRefused(product.name, [_NO_FILE])
    path = Path(str(known["file_path"]))
    try:
        found = joined(stored, path, str(known["file_sha256"]), scratch)
    except OSError as error:
        raise ProductRefused(product.name, [f"{path}: {error.strerror or error}"]) from error
    yield found


def _write_image(
    product: Product, known: dict[str, object], keywords: dict[str, object], folder: Path
) -> None:
    """Write an image from its file."""
    path = folder / str(keywords["filename"])
    try:
        with staged(path) as stream:
            write_image(Path(str(known["file_path"])), str(known["file_sha256"]), keywords, stream)
    except (ValueError, ValidationError) as error:
        raise ProductRefused(product.name, [str(error).splitlines()[0]]) from error


def _write_asdf(
    product: Product, table: Path, keywords: dict[str, object], scratch: Path, stream: BinaryIO
) -> None:
    """Write ASDF from Parquet; what has no place in it is told."""
    try:
        layout = Layout(product.name, product.once, product.is_padded)
        write_asdf(table, layout, keywords, scratch, stream)
    except ValueError as error:
        raise ProductRefused(product.name, [str(error)]) from error
