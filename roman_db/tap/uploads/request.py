"""UPLOAD of a request: which table has which name (TAP 1.1, section 2.7.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from roman_db.tap.failure import BadRequest
from roman_db.tap.uploads.reading import UploadLimits, read_file
from roman_db.tap.uploads.upload import Upload, checked_table_name, made_upload

_HERE = "param:"
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
        If UPLOAD names what is not there or what is elsewhere, or a file cannot be read.
    """
    named = upload_names(pairs)
    found = []
    for number, (name, part) in enumerate(named.items()):
        if part not in files:
            raise BadRequest(f"UPLOAD {name}: there is no part {part[:60]!r} in the request")
        columns, rows = read_file(name, files[part], limits)
        found.append(made_upload(name, number, columns, rows))
    return tuple(found)


def upload_names(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Parts of a request by the names that its UPLOAD parameters give them.

    Raises
    ------
    BadRequest
        If UPLOAD is not as it should be, or wants us to fetch something.
    """
    found: dict[str, str] = {}
    written = [
        one for name, value in pairs if name.upper() == "UPLOAD" for one in value.split(";") if one.strip()
    ]
    for one in written:
        name, comma, where = (part.strip() for part in one.partition(","))
        if not comma or not where.startswith(_HERE):
            raise BadRequest(
                f"UPLOAD must be name,param:part with the table in a part of the request, got {one[:80]!r}; "
                "nothing is fetched from elsewhere"
            )
        if checked_table_name(name).lower() in {known.lower() for known in found}:
            raise BadRequest(f"UPLOAD: two tables are called {name}")
        found[name] = where.removeprefix(_HERE)
    if len(found) > _MOST_TABLES:
        raise BadRequest(f"UPLOAD: a query has at most {_MOST_TABLES} tables, got {len(found)}")
    return found
