"""What all addresses read of a request: who asks, where we are, and what a form says."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.formparsers import MultiPartException, MultiPartParser

from roman_db.service_failure import BadRequest
from roman_db.settings import Settings
from roman_db.tap.parameters import Limits
from roman_db.tap.prepared import RequestLimits
from roman_db.tap.uploads.packing import PACKED, PLAIN, Unpacker
from roman_db.tap.uploads.reading import UploadLimits

#: Longest body of a request in bytes, its files left out; ADQL has 300,000 characters at most.
_LONGEST_BODY = 2 * 2**20
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
#: Columns of an uploaded table.
_MOST_COLUMNS = 500


def account_of(request: Request) -> int | None:
    """Account that asks, as whoever authenticates it has noted in ``request.state``; None for nobody."""
    account_id: int | None = getattr(request.state, "account_id", None)
    return account_id


def address_of(request: Request) -> str:
    """Address of the service, without a slash at its end."""
    chosen: Settings = request.app.state.settings
    return (chosen.tap_url or str(request.base_url)).rstrip("/")


@dataclass(frozen=True)
class Form:
    """Parameters of a request, in the address and in its body, and files by the names of their parts."""

    pairs: list[tuple[str, str]]
    files: dict[str, bytes] = field(default_factory=dict)


async def read_form(request: Request) -> Form:
    """What a request says.

    Raises
    ------
    BadRequest
        If its body is no form, or too long.
    """
    pairs = list(request.query_params.multi_items())
    if request.method != "POST":
        return Form(pairs)
    kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if kind == _MULTIPART:
        return await _of_parts(request, pairs)
    if kind != _FORM:
        raise BadRequest(f"a form must be {_FORM} or {_MULTIPART}, got {kind[:60]!r}")
    body = b"".join([part async for part in _bounded(request, _LONGEST_BODY)])
    try:
        return Form(pairs + parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        raise BadRequest("a form must be in UTF-8") from error


async def _of_parts(request: Request, pairs: list[tuple[str, str]]) -> Form:
    """Form in parts; those with a file name are files, and so are others that UPLOAD names."""
    size = request_limits(request.app.state.settings).uploads.size
    stream = _bounded(request, size + _LONGEST_BODY)
    parser = MultiPartParser(request.headers, stream, max_part_size=_LONGEST_BODY)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise BadRequest(f"the form in parts cannot be read: {error.message[:200]}") from error
    files: dict[str, bytes] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            pairs.append((name, value))
            files[name] = value.encode()
    for name, value in form.multi_items():
        if not isinstance(value, str):
            files[name] = await value.read()
    await form.close()
    return Form(pairs, files)


async def _bounded(request: Request, size: int) -> AsyncGenerator[bytes]:
    """Body of a request, unpacked where it says that it is packed, and refused once it is longer."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in (*PLAIN, *PACKED):
        raise BadRequest(
            f"the body of a request may be packed by gzip (Content-Encoding), got {encoding[:60]!r}"
        )
    unpacker = Unpacker("the body of the request", size) if encoding in PACKED else None
    n_byte = 0
    async for part in request.stream():
        n_byte += len(part)
        if n_byte > size:
            raise BadRequest(f"a request of this kind has at most {size} bytes")
        yield part if unpacker is None else unpacker.feed(part)
    if unpacker is not None:
        unpacker.end()


def request_limits(chosen: Settings, address: str | None = None) -> RequestLimits:
    """What a request may have; results link to the address of the services, where one is known."""
    uploads = UploadLimits(
        chosen.tap_upload_mb * 2**20, chosen.tap_upload_rows, _MOST_COLUMNS, chosen.tap_upload_fetch
    )
    rows = Limits(chosen.tap_rows, chosen.tap_max_rows)
    return RequestLimits(rows, uploads, address=address or chosen.tap_url)
