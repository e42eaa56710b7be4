"""A request made ready to be run: its parameters and tables read, its query translated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from roman_db.accounts.account import Account
from roman_db.service_failure import BadRequest
from roman_db.tap.adql import AdqlError, Translation, translate
from roman_db.tap.community_catalog import community_tables
from roman_db.tap.parameters import Limits, read_request
from roman_db.tap.scratch_catalog import catalog_for
from roman_db.tap.sending import Asked
from roman_db.tap.uploads.limits import UploadLimits
from roman_db.tap.uploads.request import read_uploads
from roman_db.tap.uploads.upload import Upload
from roman_db.vo.link_document import link_descriptor


@dataclass(frozen=True)
class RequestLimits:
    """What a request may have: rows of its answer, tables of its own, and those of whose it is.

    ``address`` is that of the services to which results link; None for results without links.
    """

    rows: Limits
    uploads: UploadLimits
    account: Account | None = None
    address: str | None = None


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
    translation = _translated(request.query, uploads, limits.account)
    links = None if limits.address is None else link_descriptor(translation.columns, limits.address)
    asked = Asked(request, translation, takes_gzip, uploads, links)
    if limits.account is None:
        return asked
    most = limits.account.limits
    return replace(asked, most_area=most.sky_area, most_bytes=most.job_bytes)


def _translated(query: str, uploads: Sequence[Upload], account: Account | None) -> Translation:
    """Query in SQL."""
    try:
        further = [*community_tables(query), *(upload.table for upload in uploads)]
        return translate(query, catalog_for(account, query).with_tables(further))
    except AdqlError as error:
        raise BadRequest(str(error)) from error
