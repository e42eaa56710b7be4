"""Arrow arrays as text, a whole batch at a time: what CSV, VOTable and tables on a terminal share."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class TextStyle:
    """How a format writes what has no text of its own.

    Parameters
    ----------
    opening, separator, closing
        Around and between the elements of a list.
    nan, infinity
        Not a number, and a value beyond all numbers.
    null_element
        An element of a list that is missing.
    """

    opening: str
    separator: str
    closing: str
    nan: str = "NaN"
    infinity: str = "Infinity"
    null_element: str = "NULL"


#: As PostgreSQL writes and reads arrays.
POSTGRESQL = TextStyle("{", ",", "}")


def as_text(array: pa.Array, style: TextStyle) -> pa.Array:
    """Give the values as strings; NULL stays NULL. Floats read back as they were; times are ISO 8601."""
    if pa.types.is_list(array.type):
        return _list_text(array, style)
    if pa.types.is_floating(array.type):
        return _float_text(array, style)
    if pa.types.is_timestamp(array.type):
        return pc.replace_substring(array.cast(pa.string()), " ", "T")
    return array.cast(pa.string())


def _float_text(array: pa.Array, style: TextStyle) -> pa.Array:
    """Shortest text that reads back as the same number."""
    text = array.cast(pa.string())
    if pc.all(pc.is_finite(array), skip_nulls=True).as_py():
        return text
    text = pc.if_else(pc.is_nan(array), style.nan, text)
    return pc.replace_substring(text, "inf", style.infinity)


def _list_text(array: pa.Array, style: TextStyle) -> pa.Array:
    """Lists with their elements joined."""
    elements = array.flatten()
    text = _quoted(elements) if pa.types.is_string(elements.type) else as_text(elements, style)
    filled = pc.fill_null(text, style.null_element)
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths.cast(pa.int64()))])
    joined = pc.binary_join(pa.LargeListArray.from_arrays(offsets, filled), style.separator)
    whole = pc.binary_join_element_wise(style.opening, joined, style.closing, "")
    return pc.if_else(array.is_valid(), whole, pa.scalar(None, whole.type))


def _quoted(strings: pa.Array) -> pa.Array:
    """Strings in quotes, with a backslash before quotes and backslashes, as PostgreSQL has them in arrays."""
    escaped = pc.replace_substring_regex(strings, r'(["\\])', r"\\\1")
    return pc.binary_join_element_wise('"', escaped, '"', "")
