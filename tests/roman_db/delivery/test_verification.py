"""Products that are not what was written are told before anybody gets them."""

from __future__ import annotations

import asdf
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from roman_db.archive.product import PRODUCTS
from roman_db.delivery.verification import fault

CATALOG = PRODUCTS["event_catalog"]
N_ROW = 1000


@pytest.fixture
def written(tmp_path):
    """A product in both formats."""
    value = np.arange(N_ROW, dtype="f8")
    tree = {"roman": {"meta": {"filename": "a.asdf"}, "event_catalog": Table({"value": value})}}
    asdf.AsdfFile(tree).write_to(tmp_path / "a.asdf")
    schema = pa.schema([("value", pa.float64())], metadata={"roman.meta.filename": "a.parquet"})
    table = pa.table({"value": value}, schema=schema)
    pq.write_table(table, tmp_path / "a.parquet", write_page_checksum=True)
    return tmp_path


@pytest.mark.parametrize("name", ["a.asdf", "a.parquet"])
def test_what_was_written_is_read_back(written, name):
    path = written / name
    assert fault(path, CATALOG, N_ROW) is None
    assert f"{N_ROW} rows, {N_ROW + 1} were written" in fault(path, CATALOG, N_ROW + 1)
    path.rename(written / f"b_{name}")
    assert f"was read back as {name}" in fault(written / f"b_{name}", CATALOG, N_ROW)


@pytest.mark.parametrize("name", ["a.asdf", "a.parquet"])
@pytest.mark.parametrize("place", [0.5, 1.0])
def test_a_byte_that_is_another_or_missing_is_found(written, name, place):
    path = written / name
    content = bytearray(path.read_bytes())
    if place < 1:
        content[int(place * len(content))] ^= 0xFF
        path.write_bytes(content)
    else:
        path.write_bytes(content[:-100])
    assert "cannot be read back" in fault(path, CATALOG, N_ROW)


def test_a_product_of_another_kind_is_found(written):
    assert "cannot be read back" in fault(written / "a.asdf", PRODUCTS["variability_catalog"], N_ROW)
