"""Writers on tables that are made up, and files that appear whole or not at all."""

from __future__ import annotations

import asdf
import numpy as np
import pyarrow as pa
import pytest

from roman_db.archive.asdf_file import Layout, write_asdf
from roman_db.archive.file_name import file_name
from roman_db.archive.parquet_file import write_parquet
from roman_db.archive.product import Once
from roman_db.archive.publish import staged


def stored(tmp_path, table: pa.Table):
    path = tmp_path / "table.parquet"
    with path.open("wb") as sink:
        assert write_parquet(table.schema, table.to_batches(3), {"season": "s01"}, sink) == table.num_rows
    return path


def through_asdf(tmp_path, table: pa.Table, layout: Layout | None = None):
    layout = layout or Layout("event_catalog")
    path = tmp_path / "table.asdf"
    with path.open("w+b") as sink:
        write_asdf(stored(tmp_path, table), layout, {"season": "s01"}, tmp_path, sink)
    with asdf.open(path, memmap=False, lazy_load=False) as file:
        assert file["roman"]["meta"] == {"season": "s01"}
        return file["roman"]["event_catalog"]


def test_every_type_goes_through_asdf(tmp_path):
    values = {
        "flag": pa.array([True, None, False, True, True]),
        "short": pa.array([1, -2, None, 4, 5], pa.int16()),
        "long": pa.array([2**62 + 1, None, -(2**63), 0, 7], pa.int64()),
        "single": pa.array([0.1, None, float("inf"), -0.0, 5e-45], pa.float32()),
        "double": pa.array([0.1, None, 5e-324, -0.0, 1e308]),
        "text": pa.array(["", None, "é星", "abc", "longest of all"]),
        "curve": pa.array([[1.5, float("nan")]] * 5, pa.list_(pa.float32())),
    }
    found = through_asdf(tmp_path, pa.table(values))
    for name, expected in values.items():
        null = expected.is_null().to_numpy(zero_copy_only=False)
        if name in ("single", "double"):
            wanted = np.array(expected.to_pylist(), float).astype(found[name].dtype)
            assert np.asarray(found[name])[~null].tobytes() == wanted[~null].tobytes()
            assert np.isnan(found[name][1])
        elif name == "curve":
            assert np.array_equal(found[name], np.array(expected.to_pylist(), "f4"), equal_nan=True)
        else:
            assert found[name].mask.tolist() == null.tolist()
            assert found[name][~null].tolist() == [
                value for value in expected.to_pylist() if value is not None
            ]


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    empty = pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.list_(pa.float32()))]).empty_table()
    found = through_asdf(tmp_path, empty)
    assert (found.colnames, len(found)) == (["a", "b", "c"], 0)


@pytest.mark.parametrize("lists", [[[1.0], [1.0, 2.0]], [[1.0], None]])
def test_lists_of_different_lengths_are_refused(tmp_path, lists):
    with pytest.raises(ValueError, match="curve: lists of different lengths"):
        through_asdf(tmp_path, pa.table({"curve": pa.array(lists, pa.list_(pa.float64()))}))


def with_epochs(tmp_path, times):
    table = pa.table({"object_id": [1, 2, 3, 4], "time": pa.array(times, pa.list_(pa.float64()))})
    path = tmp_path / "table.asdf"
    with path.open("w+b") as sink:
        layout = Layout("light_curve_catalog", Once("epochs", ("time",)))
        write_asdf(stored(tmp_path, table), layout, {}, tmp_path, sink)
    with asdf.open(path, memmap=False, lazy_load=False) as file:
        return file["roman"]


def test_shorter_lists_of_numbers_are_padded_where_a_product_says_so(tmp_path):
    lists = [[1.0], [], [2.0, float("nan"), 3.0]]
    table = pa.table({"curve": pa.array(lists, pa.list_(pa.float32()))})
    found = through_asdf(tmp_path, table, Layout("event_catalog", is_padded=True))["curve"]
    none = float("nan")
    assert found.dtype == np.float32
    assert np.array_equal(found, [[1.0, none, none], [none] * 3, [2.0, none, 3.0]], equal_nan=True)


@pytest.mark.parametrize("values", [pa.array([[1], [1, 2]]), pa.array([[1.0], None])])
def test_lists_that_nothing_can_be_put_behind_are_refused(tmp_path, values):
    with pytest.raises(ValueError, match="curve: lists of different lengths"):
        through_asdf(tmp_path, pa.table({"curve": values}), Layout("event_catalog", is_padded=True))


def test_texts_that_are_the_same_in_all_rows_stand_once(tmp_path):
    table = pa.table({"name": pa.array([["Halpha", "[OIII]5008"]] * 4), "key": [1, 2, 3, 4]})
    path = tmp_path / "lines.asdf"
    with path.open("w+b") as sink:
        write_asdf(stored(tmp_path, table), Layout("catalog", Once("lines", ("name",))), {}, tmp_path, sink)
    with asdf.open(path, memmap=False, lazy_load=False) as file:
        assert list(file["roman"]["lines"]["name"]) == ["Halpha", "[OIII]5008"]
        assert file["roman"]["catalog"].colnames == ["key"]


def test_what_is_the_same_in_all_rows_stands_once(tmp_path):
    found = with_epochs(tmp_path, [[1.5, 2.5, 3.5]] * 4)
    assert found["epochs"]["time"].tolist() == [1.5, 2.5, 3.5]
    assert found["light_curve_catalog"].colnames == ["object_id"]


@pytest.mark.parametrize("other", [[1.5, 2.0], [1.5], None])
def test_what_is_to_be_the_same_and_is_not_is_refused(tmp_path, other):
    with pytest.raises(ValueError, match="time: is to be the same in all rows, and is not"):
        with_epochs(tmp_path, [[1.5, 2.5]] * 3 + [other])


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "product"
    with staged(path) as stream:
        stream.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "product"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), staged(path) as stream:
        stream.write("no bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_names_have_nothing_that_folders_stumble_over():
    odd = {"program": 18445, "msos_processing_id": "p", "field": "a/b c"}
    assert file_name(odd, "event_catalog") == "r18445_p_a-b-c_event_catalog"


def test_names_of_products_of_exposures_begin_as_those_of_the_exposures():
    given = {"program": 1, "observation_id": "0000101001001002001", "exposure": 7, "detector": "WFI03"}
    given |= {"optical_element": "grism", "msos_processing_id": "p", "visit": 1}
    assert file_name(given, "spec_dqa_2d") == "r0000101001001002001_0007_wfi03_grism_p_spec_dqa_2d"


def test_files_of_a_divided_catalog_have_numbers_that_sort():
    given = {"program": 1, "msos_processing_id": "r03", "optical_element": "prism", "file_number": 12}
    assert file_name(given, "spec_catalog") == "r00001_r03_prism_0012_spec_catalog"
