"""Texts that are coded, and numbers of any column."""

import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.external_light_curve.columns import as_numbers, coded, coded_arrow, coded_texts, joined_column

texts = st.lists(st.text(max_size=4).map(str.strip), min_size=1, max_size=20)


@settings(deadline=None)
@given(texts, texts)
def test_coded_texts_are_the_texts(first, second):
    both = joined_column([coded_texts(first), coded_texts(second)])
    assert list(both) == first + second
    assert list(both.distinct) == sorted(set(both.distinct))
    assert both.code.dtype == np.int32
    np.testing.assert_array_equal(both == first[0], [one == first[0] for one in first + second])
    order = np.argsort(both.code, kind="stable")
    assert list(both[order]) == sorted(first + second)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([" b", "a ", None, "b"]),
        pa.array([" b", "a ", None, "b"]).dictionary_encode(),
        pa.chunked_array([["b", "a"], [None, "b"]]).combine_chunks().dictionary_encode().cast(pa.string()),
    ],
)
def test_texts_of_arrow(values):
    assert list(coded_arrow(values)) == ["b", "a", "", "b"]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([2**60 + 1, 2**60]), [str(2**60 + 1), str(2**60)]),
        (np.array([1.0, 1.5, np.nan]), ["1", "1.5", "nan"]),
        (np.array([b"x ", b"y"]), ["x", "y"]),
        (np.array(["x", "yy"]), ["x", "yy"]),
        (np.array(["001", 1.0, b"z"], dtype=object), ["001", "1", "z"]),
        (np.ma.MaskedArray([7, 8], mask=[False, True]), ["7", ""]),
        (np.ma.MaskedArray(["a", "b"], mask=[True, False]), ["", "b"]),
    ],
)
def test_names_of_any_type(values, wanted):
    assert list(coded(values)) == wanted


def test_decimals_are_numbers():
    assert list(coded_arrow(pa.array([decimal.Decimal("5.00"), decimal.Decimal("5.25")]))) == ["5", "5.25"]


def test_texts_that_are_no_numbers_are_named_by_their_row():
    column = joined_column([as_numbers(coded_texts(["1", "x"])), as_numbers(coded_texts(["", "1e3", "y"]))])
    np.testing.assert_array_equal(column.values, [1, np.nan, np.nan, 1000, np.nan])
    assert column.bad == {1: "x", 4: "y"}
    assert column[np.array([4, 0])].bad == {0: "y"}
