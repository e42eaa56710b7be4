"""What all addresses read of a request: who asks, where we are, and what a form says."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.formparsers import MultiPartException, MultiPartParser

from roman_db.service_failure import BadRequest
from roman_db.settings import Settings
from roman_db.tap.bounded_requests import LONGEST_BODY
from roman_db.tap.pace import Pace
from roman_db.tap.parameters import Limits
from roman_db.tap.prepared import RequestLimits
from roman_db.tap.uploads.limits import UploadLimits
from roman_db.tap.uploads.packing import PACKED, PLAIN, Unpacker

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

    @property
    def names_tables(self) -> bool:
        """Whether it says that tables come with it."""
        return any(name.upper() == "UPLOAD" for name, _ in self.pairs)


def has_parts(request: Request) -> bool:
    """Whether a form comes in parts, which may be files."""
    return request.method == "POST" and _kind(request) == _MULTIPART


def _kind(request: Request) -> str:
    return request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()


async def read_form(request: Request) -> Form:
    """What a request says.

    Raises
    ------
    BadRequest
        If its body is no form, or too long, or has the character of number 0, which no database can store.
    """
    form = await _read_form(request)
    if any("\0" in text for pair in form.pairs for text in pair):
        raise BadRequest("a parameter has no character of number 0")
    return form


async def _read_form(request: Request) -> Form:
    """The same, of any characters."""
    pairs = list(request.query_params.multi_items())
    if request.method != "POST":
        return Form(pairs)
    if has_parts(request):
        return await _of_parts(request, pairs)
    if (kind := _kind(request)) != _FORM:
        raise BadRequest(f"a form must be {_FORM} or {_MULTIPART}, got {kind[:60]!r}")
    body = b"".join([part async for part in _bounded(request, LONGEST_BODY)])
    try:
        return Form(pairs + parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        raise BadRequest("a form must be in UTF-8") from error


async def _of_parts(request: Request, pairs: list[tuple[str, str]]) -> Form:
    """Form in parts; those with a file name are files, and so are others that UPLOAD names."""
    size = request_limits(request.app.state.settings).uploads.size
    stream = _bounded(request, size + LONGEST_BODY)
    parser = MultiPartParser(request.headers, stream, max_part_size=LONGEST_BODY)
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
    async for part in _in_time(request):
        n_byte += len(part)
        if n_byte > size:
            raise BadRequest(f"a request of this kind has at most {size} bytes")
        yield part if unpacker is None else unpacker.feed(part)
    if unpacker is not None:
        unpacker.end()


async def _in_time(request: Request) -> AsyncGenerator[bytes]:
    """Body of a request as long as it comes as fast as it must: what it is read for holds a place."""
    seconds = request.app.state.settings.tap_pace_s
    pace, stream = Pace(seconds), request.stream()
    while True:
        try:
            async with pace.waiting():
                part = await anext(stream, None)
        except TimeoutError:
            raise BadRequest(
                f"the body of the request comes too slowly: a MiB may take {seconds:g} s"
            ) from None
        if part is None:
            return
        pace.moved(len(part))
        yield part


def request_limits(chosen: Settings, address: str | None = None) -> RequestLimits:
    """What a request may have; results link to the address of the services, where one is known."""
    uploads = UploadLimits(
        chosen.tap_upload_mb * 2**20, chosen.tap_upload_rows, _MOST_COLUMNS, chosen.tap_upload_fetch
    )
    rows = Limits(chosen.tap_rows, chosen.tap_max_rows)
    return RequestLimits(rows, uploads, address=address or chosen.tap_url)
