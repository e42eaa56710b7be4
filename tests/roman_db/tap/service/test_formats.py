"""Each format gives back what is stored, to the last bit."""

from __future__ import annotations

import base64
import csv
import io
import math
import struct
from datetime import datetime
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import Table
from pyarrow import parquet

from roman_db.schema.model import read_tables
from tests.roman_db.tap.service.awkward import N_ROW, TABLES, is_array

#: Tables as they are described.
DESCRIBED = read_tables()


def same_number(got, wanted, code: str) -> bool:
    """Whether two numbers have the same bits; one NaN is as good as another."""
    if math.isnan(wanted):
        return math.isnan(got)
    return struct.pack(code, got) == struct.pack(code, wanted)


def same(got, wanted, datatype: str) -> bool:
    """Whether a value is the stored one."""
    if wanted is None or got is None:
        return got is wanted
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(
            same(*pair, datatype) for pair in zip(got, wanted, strict=True)
        )
    if datatype in ("float", "double"):
        return same_number(float(got), wanted, "f" if datatype == "float" else "d")
    return got == wanted


def differences(rows: list[dict], wanted: list[dict], table: str, empty: bool = True) -> list[str]:
    """Values that are not the stored ones; ``empty`` where NULL and nothing differ."""
    columns = DESCRIBED[f"roman.{table}"].columns
    assert len(rows) == len(wanted) == N_ROW
    return [
        f"row {number}, {column.name}: {row[column.name]!r} is not {right[column.name]!r}"
        for number, (row, right) in enumerate(zip(rows, wanted, strict=True))
        for column in columns
        if not same(row[column.name], right[column.name], column.datatype)
        and (empty or row[column.name] is not None or right[column.name] not in ("", []))
    ]


_TAG = "{http://www.ivoa.net/xml/VOTable/v1.3}"
_CODES = {"short": "h", "int": "i", "long": "q", "float": "f", "double": "d"}


def binary2_rows(document: ElementTree.Element, columns) -> list[dict]:
    """Rows of BINARY2, read value by value."""
    data = io.BytesIO(base64.b64decode(document.find(f".//{_TAG}STREAM").text))
    n_byte = (len(columns) + 7) // 8
    is_wide = [field.get("datatype") == "unicodeChar" for field in document.iter(f"{_TAG}FIELD")]
    rows = []
    while bits := data.read(n_byte):
        is_null = [bits[k // 8] >> (7 - k % 8) & 1 for k in range(len(columns))]
        values = [_binary2_value(data, *one) for one in zip(columns, is_wide, strict=True)]
        rows.append(
            {c.name: None if null else value for c, null, value in zip(columns, is_null, values, strict=True)}
        )
    return rows


def _binary2_value(data: io.BytesIO, column, is_wide: bool):
    if column.datatype in _CODES and is_array(column):
        (count,) = struct.unpack(">i", data.read(4))
        return list(_unpacked(data, f">{count}{_CODES[column.datatype]}"))
    if column.datatype in _CODES:
        return _unpacked(data, f">{_CODES[column.datatype]}")[0]
    if column.datatype == "boolean":
        return {b"T": True, b"F": False, b"?": None}[data.read(1)]
    (count,) = struct.unpack(">i", data.read(4))
    if column.datatype == "binary":
        return list(data.read(count))
    if column.datatype == "timestamp":
        text = data.read(count).decode("ascii")
        return datetime.fromisoformat(f"{text}Z") if text else None
    return data.read(2 * count).decode("utf-16-be") if is_wide else data.read(count).decode("ascii")


def _unpacked(data: io.BytesIO, code: str) -> tuple:
    return struct.unpack(code, data.read(struct.calcsize(code)))


def tabledata_rows(document: ElementTree.Element, columns) -> list[dict]:
    """Rows of TABLEDATA; an empty cell is NULL, or an empty text or array."""
    return [
        {c.name: _cell(cell.text or "", c) for c, cell in zip(columns, row, strict=True)}
        for row in document.iter(f"{_TAG}TR")
    ]


def _cell(text: str, column):
    if text == "":
        return None
    number = float if column.datatype in ("float", "double") else int
    if column.datatype == "binary" or is_array(column):
        return [number(one) for one in text.split()]
    if column.datatype == "timestamp":
        return datetime.fromisoformat(f"{text}Z")
    if column.datatype == "boolean":
        return {"true": True, "false": False}[text]
    return number(text) if column.datatype in _CODES else text


def query_of(table: str) -> str:
    key = DESCRIBED[f"roman.{table}"].primary_key[0]
    return f"SELECT * FROM roman.{table} ORDER BY {key}"


@pytest.fixture
def wanted(stored):
    """Function that gives the stored rows of a table as plain values."""

    def rows(table: str) -> list[dict]:
        names = [
            f'"{column.name}"::text' if column.postgresql_type in ("jsonb", "int8multirange") else
            f'"{column.name}"'
            for column in DESCRIBED[f"roman.{table}"].columns
        ]  # fmt: skip
        key = DESCRIBED[f"roman.{table}"].primary_key[0]
        found = stored(f"SELECT {', '.join(names)} FROM roman.{table} ORDER BY {key}")
        return [{name: _plain(value) for name, value in row.items()} for row in found]

    return rows


def _plain(value):
    if isinstance(value, memoryview):
        return list(bytes(value))
    if isinstance(value, float):
        return float(value)
    return value


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("name", "decode"), [("votable", binary2_rows), ("votable/td", tabledata_rows)])
def test_a_votable_by_the_letter_of_the_standard(get, wanted, table, name, decode):
    columns = DESCRIBED[f"roman.{table}"].columns
    document = ElementTree.fromstring(get(query_of(table), RESPONSEFORMAT=name).content)
    rows = decode(document, columns)
    assert differences(rows, wanted(table), table, empty=decode is binary2_rows) == []


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", ["votable", "votable/td"])
def test_a_votable_as_pyvo_reads_it(service, wanted, table, name):
    """It takes NaN and an empty text for NULL, and blanks at the ends of cells for nothing."""
    array = service.search(query_of(table), responseformat=name).resultstable.array
    assert len(array) == N_ROW
    rows = wanted(table)
    different = [
        f"row {number}, {column.name}: {got!r} is not {row[column.name]!r}"
        for column in DESCRIBED[f"roman.{table}"].columns
        for number, (got, row) in enumerate(zip(array[column.name], rows, strict=True))
        if not as_pyvo(got, row[column.name], column)
    ]
    assert different == []


def as_pyvo(got, right, column) -> bool:
    """Whether a cell of astropy's table is the stored value."""
    if column.datatype == "binary" or is_array(column):
        values = np.ma.filled(np.ma.masked_invalid(got) if column.datatype in ("float", "double") else got)
        return same(np.ma.getdata(got).tolist(), right or [], column.datatype) and len(values) == len(
            right or []
        )
    if got is np.ma.masked or (isinstance(got, str) and got == ""):
        return right is None or right == "" or (isinstance(right, float) and math.isnan(right))
    if column.datatype == "timestamp":
        return datetime.fromisoformat(f"{got}Z") == right
    if isinstance(got, str):
        return got.strip() == right.strip()
    return same(got.item() if isinstance(got, np.generic) else got, right, column.datatype)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("name", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_delimited_text(get, wanted, table, name, delimiter):
    response = get(query_of(table), RESPONSEFORMAT=name)
    table_of = DESCRIBED[f"roman.{table}"]
    lines = list(csv.reader(io.StringIO(response.content.decode(), newline=""), delimiter=delimiter))
    assert lines[0] == [column.name for column in table_of.columns]
    rows = [
        {c.name: of_csv(cell, c, right[c.name]) for c, cell in zip(table_of.columns, line, strict=True)}
        for line, right in zip(lines[1:], wanted(table), strict=True)
    ]
    assert differences(rows, wanted(table), table) == []


def of_csv(cell: str, column, right):
    """Value of a cell of text; where it is empty the reader cannot tell NULL from no text."""
    if cell == "" and (right is None or right == ""):
        return right
    if is_array(column) or column.datatype == "binary":
        elements = cell.strip("{}").split(",") if cell != "{}" else []
        return [float(one) if column.datatype in ("float", "double") else int(one) for one in elements]
    if column.datatype == "timestamp":
        return datetime.fromisoformat(cell)
    if column.datatype == "boolean":
        return {"true": True, "false": False}[cell]
    if column.datatype in ("float", "double"):
        return float(cell)
    return int(cell) if column.datatype in ("long", "int", "short") else cell


@pytest.mark.parametrize("table", TABLES)
def test_parquet(get, wanted, table):
    read = parquet.read_table(pa.BufferReader(get(query_of(table), RESPONSEFORMAT="parquet").content))
    rows = [
        {name: list(value) if isinstance(value, bytes) else value for name, value in row.items()}
        for row in read.to_pylist()
    ]
    assert differences(rows, wanted(table), table) == []
    assert read.schema.metadata is not None


@pytest.mark.parametrize("table", TABLES)
def test_arrow(get, wanted, table):
    content = get(query_of(table), RESPONSEFORMAT="arrow").content
    read = pa.ipc.open_stream(content).read_all()
    rows = [
        {name: list(value) if isinstance(value, bytes) else value for name, value in row.items()}
        for row in read.to_pylist()
    ]
    assert differences(rows, wanted(table), table) == []


@pytest.mark.parametrize("table", TABLES)
def test_fits_as_astropy_reads_it(get, wanted, table):
    """Text is ASCII there and blanks at its end are nothing; NULL is what TNULL, NaN or nothing say."""
    columns = DESCRIBED[f"roman.{table}"].columns
    content, rows = get(query_of(table), RESPONSEFORMAT="fits").content, wanted(table)
    with fits.open(io.BytesIO(content), logical_as_bytes=True) as file:
        file.verify("exception")
        assert file[1].header["QSTATUS"] == "OK"
        nulls = {one.name: one.null for one in file[1].columns}
        assert {c.name: c.unit for c in columns if c.unit} == {
            one.name: one.unit for one in file[1].columns if one.unit
        }
        data = file[1].data
        different = [
            f"row {number}, {column.name}: {got!r} is not {row[column.name]!r}"
            for column in columns
            for number, (got, row) in enumerate(zip(data[column.name], rows, strict=True))
            if not as_fits(got, row[column.name], column, nulls[column.name])
        ]
    assert different == []


def as_fits(got, right, column, null) -> bool:
    """Whether a cell of FITS is the stored value."""
    if column.datatype == "binary" or is_array(column):
        filled = [null if one is None and null is not None else one for one in right or []]
        return same(np.asarray(got).tolist(), filled, column.datatype)
    if column.datatype == "boolean":
        return got == {True: b"T", False: b"F", None: b""}[right]
    if column.datatype == "timestamp":
        return got == "" if right is None else datetime.fromisoformat(f"{got}+00:00") == right
    if isinstance(got, str):
        return got.rstrip() == "".join(one if " " <= one <= "~" else "?" for one in right or "").rstrip()
    if right is None:
        return bool(np.isnan(got)) if null is None else got == null
    return same(got.item(), right, column.datatype)


@pytest.mark.parametrize(("maxrec", "status"), [(0, "OVERFLOW"), (3, "OVERFLOW"), (N_ROW, "OK")])
def test_formats_that_can_say_whether_rows_were_cut_say_it(get, maxrec, status):
    query = "SELECT visit_id FROM roman.visit"
    given = {
        name: get(query, RESPONSEFORMAT=name, MAXREC=maxrec).content for name in ("fits", "arrow", "parquet")
    }
    with fits.open(io.BytesIO(given["fits"])) as file:
        assert (file[1].header["QSTATUS"], len(file[1].data)) == (status, maxrec)
    reader = pa.ipc.open_stream(given["arrow"])
    batches = list(reader.iter_batches_with_custom_metadata())
    assert batches[-1].custom_metadata[b"query_status"] == status.encode()
    assert sum(one.batch.num_rows for one in batches) == maxrec
    file = parquet.ParquetFile(pa.BufferReader(given["parquet"]))
    assert (file.metadata.metadata[b"query_status"], file.metadata.num_rows) == (status.encode(), maxrec)


_CASTS = (
    "SELECT detector, CAST(detector AS VARCHAR(20)) AS v, CAST(detector AS CHAR(4)) AS c, "
    "CAST(detector AS CHAR(7)) AS p, CAST(NULLIF(detector, 'WFI02') AS VARCHAR(3)) AS n FROM roman.detector"
)
_READERS = {
    "csv": pd.read_csv,
    "tsv": lambda content: pd.read_csv(content, sep="\t"),
    "parquet": pd.read_parquet,
    "arrow": lambda content: pa.ipc.open_stream(content).read_pandas(),
    "fits": lambda content: Table.read(content, character_as_bytes=False).to_pandas(),
}


@pytest.mark.parametrize("name", ["votable", "votable/td", *_READERS])
def test_texts_of_a_length_are_read_back(get, service, name):
    """Blanks at the end of CHAR are nothing to some readers."""
    if name in _READERS:
        table = _READERS[name](io.BytesIO(get(_CASTS, RESPONSEFORMAT=name).content))
    else:
        table = service.search(_CASTS, responseformat=name).to_table().to_pandas()
    rows = [[str(value).rstrip() for value in row] for row in table.fillna("").itertuples(index=False)]
    assert len(rows) == len({row[0] for row in rows}) == 18
    for full, at_most_20, four, seven, three in rows:
        assert (at_most_20, four, seven) == (full, full[:4], full)
        assert three == ("" if full == "WFI02" else full[:3])
