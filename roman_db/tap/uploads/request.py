"""UPLOAD of a request: which table has which name (TAP 1.1, section 2.7.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from roman_db.service_failure import BadRequest
from roman_db.tap.uploads.fetching import fetch
from roman_db.tap.uploads.limits import UploadLimits
from roman_db.tap.uploads.packing import unpacked
from roman_db.tap.uploads.reading import read_file
from roman_db.tap.uploads.upload import Upload, checked_table_name, made_upload

_HERE, _ELSEWHERE = "param:", ("http://", "https://")
_MOST_TABLES = 20


def read_uploads(
    pairs: Iterable[tuple[str, str]], files: Mapping[str, bytes], limits: UploadLimits
) -> tuple[Upload, ...]:
    """Tables that come with a request.

    Parameters
    ----------
    pairs
        Names and values of the request.
    files
        Files that came with it, by the names of their parts.

    Raises
    ------
    BadRequest
        If UPLOAD names what is not there, or a file cannot be fetched or read.
    """
    found, left, room = [], limits.size, limits.size
    for number, (name, where) in enumerate(upload_names(pairs).items()):
        content = _content(name, where, files, limits, left)
        if where.startswith(_ELSEWHERE):
            left -= len(content)
        content = unpacked(f"UPLOAD {name}", content, room)
        room -= len(content)
        columns, rows = read_file(name, content, limits)
        found.append(made_upload(name, number, columns, rows))
    return tuple(found)


def _content(name: str, where: str, files: Mapping[str, bytes], limits: UploadLimits, left: int) -> bytes:
    """Content of a table; of those that are fetched together there may be so many bytes as are left."""
    if where.startswith(_HERE):
        part = where.removeprefix(_HERE)
        if part not in files:
            raise BadRequest(f"UPLOAD {name}: there is no part {part[:60]!r} in the request")
        if (size := len(files[part])) > limits.size:
            raise BadRequest(f"UPLOAD {name}: a table has at most {limits.size} bytes, this one has {size}")
        return files[part]
    if not limits.fetches:
        raise BadRequest(f"UPLOAD {name}: tables are not fetched here: send it in a part of the request")
    return fetch(where, left)


def upload_names(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Where tables are, ``param:`` with a part of the request or an address, by the names they are given.

    Raises
    ------
    BadRequest
        If UPLOAD is not as it should be.
    """
    found: dict[str, str] = {}
    written = [
        one for name, value in pairs if name.upper() == "UPLOAD" for one in value.split(";") if one.strip()
    ]
    for one in written:
        name, comma, where = (part.strip() for part in one.partition(","))
        if not comma or not where.startswith((_HERE, *_ELSEWHERE)):
            raise BadRequest(
                "UPLOAD must be name,param:part with the table in a part of the request, or name,http://... "
                f"or name,https://... with its address, got {one[:80]!r}"
            )
        if checked_table_name(name).lower() in {known.lower() for known in found}:
            raise BadRequest(f"UPLOAD: two tables are called {name}")
        found[name] = where
    if len(found) > _MOST_TABLES:
        raise BadRequest(f"UPLOAD: a query has at most {_MOST_TABLES} tables, got {len(found)}")
    return found


def upload_parts(pairs: Iterable[tuple[str, str]]) -> set[str]:
    """Parts of a request that its UPLOAD parameters name; raises as `upload_names`."""
    return {one.removeprefix(_HERE) for one in upload_names(pairs).values() if one.startswith(_HERE)}
