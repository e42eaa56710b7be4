"""The formats that there are, and what they are called in a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from roman_db.service_failure import BadRequest
from roman_db.tap.answer_rows import Answer
from roman_db.tap.formats.arrow import write_arrow
from roman_db.tap.formats.delimited import write_csv, write_tsv
from roman_db.tap.formats.fits import write_fits
from roman_db.tap.formats.parquet import write_parquet
from roman_db.tap.formats.votable import write_binary2, write_tabledata


@dataclass(frozen=True)
class Format:
    """A format of results.

    Parameters
    ----------
    media_type
        Its name on the web.
    aliases
        Other names that RESPONSEFORMAT may have.
    write
        Function that yields an answer as bytes.
    identifier
        That of the IVOA's registry (TAPRegExt 1.0, section 2.3); None where it has none.
    is_compressed
        Whether compressing it again is in vain.
    """

    media_type: str
    aliases: tuple[str, ...]
    write: Callable[[Answer], Iterator[bytes]]
    identifier: str | None = None
    is_compressed: bool = False

    @property
    def content_type(self) -> str:
        """What an answer is called; text says its characters, which clients else guess (RFC 7111)."""
        return f"{self.media_type};charset=UTF-8" if self.media_type.startswith("text/") else self.media_type


_OUTPUT = "ivo://ivoa.net/std/TAPRegExt#output-votable-"
VOTABLE = "application/x-votable+xml"
#: The first is that of who asks for none.
FORMATS = (
    Format(VOTABLE, ("votable", "text/xml", "votable/b2"), write_binary2, f"{_OUTPUT}binary2"),
    Format(f"{VOTABLE};serialization=BINARY2", (), write_binary2, f"{_OUTPUT}binary2"),
    Format(f"{VOTABLE};serialization=TABLEDATA", ("votable/td",), write_tabledata, f"{_OUTPUT}td"),
    Format("text/csv;header=present", ("csv", "text/csv"), write_csv),
    Format("text/tab-separated-values", ("tsv",), write_tsv),
    Format("application/fits", ("fits", "image/fits"), write_fits),
    Format("application/vnd.apache.parquet", ("parquet",), write_parquet, is_compressed=True),
    Format("application/vnd.apache.arrow.stream", ("arrow",), write_arrow),
)


def _plain(name: str) -> str:
    """Name without blanks and capitals, in which two that are the same may differ."""
    return "".join(name.split()).lower()


_BY_NAME = {_plain(name): one for one in FORMATS for name in (one.media_type, *one.aliases)}


def chosen_format(name: str | None) -> Format:
    """Format of a name.

    Raises
    ------
    BadRequest
        If there is none of that name.
    """
    if not name:
        return FORMATS[0]
    if (found := _BY_NAME.get(_plain(name))) is None:
        known = ", ".join(one.aliases[0] for one in FORMATS if one.aliases)
        raise BadRequest(f"RESPONSEFORMAT {name[:60]!r} is not known; there are {known}")
    return found
