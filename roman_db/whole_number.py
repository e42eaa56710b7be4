"""Whole numbers in what people send: of any length, where Python's own reader gives up at 4,300 digits."""

from __future__ import annotations


def whole_number(text: str) -> int | None:
    """Number of 63 bits in decimal digits; None where a text is none."""
    if not (text.isascii() and text.isdecimal()):
        return None
    digits = text.lstrip("0") or "0"
    number = int(digits[:20])
    return number if len(digits) < 20 and number < 2**63 else None
