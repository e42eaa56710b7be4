"""Digits are read whatever their number."""

from __future__ import annotations

import pytest

from roman_db.whole_number import whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("000", 0), ("7", 7), ("0" * 5000 + "12", 12), (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None), ("1" * 20, None), ("1" * 5000, None), ("", None), ("-1", None), ("1_0", None),
        ("1.0", None), ("٣", None), ("²", None), (" 1", None),
    ],
)  # fmt: skip
def test_numbers_of_63_bits_alone_are_read(text, number):
    assert whole_number(text) == number
