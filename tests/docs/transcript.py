"""Whether a command printed what the page shows: words and counts; measured numbers may be others."""

from __future__ import annotations

import re

#: Counts that a page must show as they are printed: how many files, units and rows, and how they ended.
_COUNTED = (
    "files read", r"loaded \(", "of them were there already", "rejected", "units done", "failed",
    "blocks of", "exposures and", "exposures? rejected", "changed", "unchanged", r"rows\)", "failures",
)  # fmt: skip
_COUNT = rf"(?P<count>(?<![\w.,])\d+(?= (?:{'|'.join(_COUNTED)}))|(?<=UPDATE )\d+|(?<=INSERT 0 )\d+)"
_NUMBER = re.compile(_COUNT + r"|[-+]?\d[\w.,:+-]*")
#: Of a catalog the number of rows is that of the reader's own file.
_ROWS = re.compile(r"^\d+ rows read: \d+ loaded")
_RULE = re.compile(r"[-─━┏┓┗┛┡┩└┘├┤┬┴┼╇┳┻]{2,}")

#: A line that stands for any lines.
ANY = "..."


def stable(text: str) -> list[str]:
    """Lines without numbers that are measured, rules and widths of columns; blank ones are left out."""
    lines = (" ".join(_RULE.sub("--", _without_numbers(line)).split()) for line in text.splitlines())
    return [line for line in lines if line]


def _without_numbers(line: str) -> str:
    """Line with a 0 for every number but the counts."""
    line = _ROWS.sub("0.0 rows read: 0.0 loaded", line)
    return _NUMBER.sub(lambda found: f"<{found['count']}>" if found["count"] else "0", line)


def agrees(shown: str, printed: str) -> bool:
    """Whether an output agrees with the one that is shown, in which a line of dots stands for any lines."""
    parts = [re.escape(line) if line != ANY else None for line in stable(shown)]
    pattern = "".join(r"(?:.*\n)*?" if part is None else part + r"\n" for part in parts)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in stable(printed))) is not None
