"""Templates of documents, into which nothing comes that XML cannot hold, and nothing is left out unsaid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2

#: XML 1.0 (section 2.2) has no place for these, however they are written.
FORBIDDEN = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"


def environment(folder: Path) -> jinja2.Environment:
    """Templates of a folder: they escape what is put in, and fail where something that they name is not."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _printable(value: Any) -> Any:
    """Return a text with a replacement character for each that XML forbids; any other value as it is."""
    return re.sub(FORBIDDEN, "\ufffd", value) if type(value) is str else value
