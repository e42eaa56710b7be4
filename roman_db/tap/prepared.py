"""A request made ready to be run: its parameters and tables read, its query translated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roman_db.tap.adql import AdqlError, Translation, schema_catalog, translate
from roman_db.tap.failure import BadRequest
from roman_db.tap.parameters import Limits, read_request
from roman_db.tap.sending import Asked
from roman_db.tap.uploads.reading import UploadLimits
from roman_db.tap.uploads.request import read_uploads
from roman_db.tap.uploads.upload import Upload


@dataclass(frozen=True)
class RequestLimits:
    """What a request may have: rows of its answer, and tables of its own."""

    rows: Limits
    uploads: UploadLimits


def prepared(
    pairs: Sequence[tuple[str, str]],
    files: Mapping[str, bytes],
    limits: RequestLimits,
    takes_gzip: bool = False,
) -> Asked:
    """What is asked by parameters, and files that came with them by their names.

    Raises
    ------
    BadRequest
        If they make no sense, or their query is no ADQL, with the place.
    """
    request = read_request(pairs, limits.rows)
    uploads = read_uploads(pairs, files, limits.uploads)
    return Asked(request, _translated(request.query, uploads), takes_gzip, uploads)


def _translated(query: str, uploads: Sequence[Upload]) -> Translation:
    """Query in SQL."""
    try:
        return translate(query, schema_catalog().with_tables(upload.table for upload in uploads))
    except AdqlError as error:
        raise BadRequest(str(error)) from error
