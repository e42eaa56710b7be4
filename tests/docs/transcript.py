"""Whether what a command printed is what the page shows: its words, while numbers may be others."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[-+]?\d[\w.,:+-]*")
_RULE = re.compile(r"[-─━┏┓┗┛┡┩└┘├┤┬┴┼╇┳┻]{2,}")

#: A line that stands for any lines.
ANY = "..."


def stable(text: str) -> list[str]:
    """Lines without their numbers, rules and widths of columns; blank ones are left out."""
    lines = (" ".join(_RULE.sub("--", _NUMBER.sub("0", line)).split()) for line in text.splitlines())
    return [line for line in lines if line]


def agrees(shown: str, printed: str) -> bool:
    """Whether an output agrees with the one that is shown, in which a line of dots stands for any lines."""
    parts = [re.escape(line) if line != ANY else None for line in stable(shown)]
    pattern = "".join(r"(?:.*\n)*?" if part is None else part + r"\n" for part in parts)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in stable(printed))) is not None
