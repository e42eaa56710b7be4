"""What the name of a file says: its object, its band."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PARTS = ("object", "band")


def pattern_of(template: str) -> re.Pattern[str]:
    """Pattern of the names that are like a template.

    Parameters
    ----------
    template
        Such as ``n*.{band}.WFIRST18.{object}.txt``: ``*`` is any text, ``{band}`` and ``{object}`` are texts
        of a character at least.

    Raises
    ------
    ValueError
        If the template names another part, one twice, or none.
    """
    pieces = re.split(r"(\*|\{\w*\})", template)
    named = [piece[1:-1] for piece in pieces if piece.startswith("{")]
    if not named or len(set(named)) < len(named) or not set(named) <= set(_PARTS):
        raise ValueError(f"file_name {template!r} must name {{object}} or {{band}} or both, each once")
    return re.compile("".join(_pattern(piece) for piece in pieces))


def parts_of(name: str, template: str) -> Mapping[str, str] | None:
    """Parts of the name of a file, without its folder, that a template names; None if it is not like it."""
    found = pattern_of(template).fullmatch(name)
    return None if found is None else found.groupdict()


def _pattern(piece: str) -> str:
    """Regular expression of a piece of a template."""
    if piece == "*":
        return ".*"
    if piece.startswith("{"):
        return f"(?P<{piece[1:-1]}>.+?)"
    return re.escape(piece)
