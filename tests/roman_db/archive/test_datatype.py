"""Values against the types of the archive's columns: examples of the manual of Transact-SQL."""

from __future__ import annotations

import pytest

from roman_db.archive.datatype import fault


@pytest.mark.parametrize(
    ("value", "datatype"),
    [
        ("abc", "nvarchar(3)"),
        ("", "nvarchar(3)"),
        ("x" * 100_000, "nvarchar(max)"),
        (True, "nchar(1)"),
        (-(2**31), "int"),
        (2**31 - 1, "int"),
        (2**63 - 1, "bigint"),
        (0, "float"),
        (-1.5, "float"),
        ("2026-12-01T00:00:00.1234567", "datetime2"),
        ("2028-02-29 23:59:59", "datetime2"),
        (False, "bit"),
    ],
)
def test_what_fits_has_no_fault(value, datatype):
    assert fault(value, datatype) is None


@pytest.mark.parametrize(
    ("value", "datatype", "words"),
    [
        ("abcd", "nvarchar(3)", "'abcd' has 4 characters and does not fit nvarchar(3)"),
        (3, "nvarchar(3)", "3 is no nvarchar(3)"),
        (True, "nvarchar(3)", "True is no nvarchar(3)"),
        (2**31, "int", "2147483648 does not fit int"),
        (True, "int", "True is no int"),
        (1.0, "int", "1.0 is no int"),
        (float("nan"), "float", "nan is no float"),
        (float("inf"), "float", "inf is no float"),
        (True, "float", "True is no float"),
        ("2027-02-29T00:00:00", "datetime2", "'2027-02-29T00:00:00' is no datetime2"),
        ("2027-02-28T00:00:00Z", "datetime2", "'2027-02-28T00:00:00Z' is no datetime2"),
        ("2027-02-28T00:00:00.12345678", "datetime2", "'2027-02-28T00:00:00.12345678' is no datetime2"),
        (None, "datetime2", "None is no datetime2"),
    ],
)
def test_what_does_not_fit_is_said(value, datatype, words):
    assert fault(value, datatype) == words


def test_a_type_that_is_not_known_is_no_guess():
    with pytest.raises(ValueError, match="geography"):
        fault("x", "geography")
