"""Every type through every format and back, read by others' readers."""

import csv
import io
import json
import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
from astropy import units as u
from astropy.io import votable
from astropy.io.votable.tree import VOTableFile
from astropy.table import Table
from pyarrow import parquet

from roman_db.query import commands
from roman_db.query.output import FORMATS
from roman_db.query.statement import parse
from roman_db.query.stream import Request, open_result

#: One row of values, their SQL and what Python makes of them.
VALUES = {
    "bool_true": ("true", True),
    "small": ("CAST(-32768 AS smallint)", -32768),
    "large": ("CAST(9223372036854775807 AS bigint)", 9223372036854775807),
    "single": ("CAST(0.1 AS real)", float(np.float32(0.1))),
    "tiny": ("CAST(4.9e-324 AS double precision)", 5e-324),
    "third": ("CAST(1 AS double precision) / 3", 1 / 3),
    "number": ("1.5::numeric", 1.5),
    "nan": ("CAST('NaN' AS real)", math.nan),
    "infinite": ("CAST('-Infinity' AS double precision)", -math.inf),
    "words": ("'a <b> & \"c\", d'' \n\u03b1'", 'a <b> & "c", d\' \n\u03b1'),
    "empty": ("''", ""),
    "reals": ("ARRAY[1.5, 'NaN', 0.1]::real[]", [1.5, math.nan, float(np.float32(0.1))]),
    "integers": ("ARRAY[1, 2]::bigint[]", [1, 2]),
    "none_inside": ("'{}'::real[]", []),
    "moment": (
        "TIMESTAMPTZ '2027-01-02 03:04:05.678901+01'",
        datetime(2027, 1, 2, 2, 4, 5, 678901, tzinfo=UTC),
    ),
    "day": ("DATE '2027-01-02'", date(2027, 1, 2)),
    "document": ("""'{"a": [1, null]}'::jsonb""", {"a": [1, None]}),
    "coverage": ("'{[1,3),[5,9)}'::int8multirange", "{[1,3),[5,9)}"),
}
SQL = (
    "SELECT " + ", ".join(f"{sql} AS {name}" for name, (sql, _) in VALUES.items())
    + " UNION ALL SELECT " + ", ".join("NULL" for _ in VALUES)
)  # fmt: skip


def written(sql: str, format_name: str, max_rows: int | None = None) -> io.BytesIO:
    chosen = FORMATS[format_name]
    sink = io.BytesIO()
    with open_result(Request(parse(sql), max_rows, casts=chosen.casts)) as result:
        chosen.write(result, sink)
    return io.BytesIO(sink.getvalue())


def same(a, b) -> bool:
    """Equal, with NaN equal to itself."""
    if isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)) or a == b


def test_parquet(survey):
    first, second = parquet.read_table(written(SQL, "parquet")).to_pylist()
    first["document"] = json.loads(first["document"])
    for name, (_, value) in VALUES.items():
        assert same(first[name], value), name
        assert second[name] is None


def test_csv(survey):
    text = written(SQL, "csv").read().decode()
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    readers = {
        "bool_true": lambda t: t == "true",
        "words": str,
        "empty": str,
        "reals": lambda t: [float(x) for x in t.strip("{}").split(",")],
        "integers": lambda t: [int(x) for x in t.strip("{}").split(",")],
        "none_inside": lambda t: {"{}": []}[t],
        "moment": datetime.fromisoformat,
        "day": date.fromisoformat,
        "document": json.loads,
        "coverage": str,
    }
    for name, (_, value) in VALUES.items():
        read = readers.get(name, type(value))(first[name])
        assert same(float(np.float32(read)) if name == "single" else read, single(name, value)), name
        assert second[name] == ""
    assert text.splitlines()[-1] == "," * (len(VALUES) - 1)
    assert ',"",' in text  # the empty string is not NULL


def single(name: str, value):
    """Elements of arrays of single precision as doubles of the same digits."""
    return [1.5, math.nan, 0.1] if name == "reals" else value


def test_votable(survey):
    first, second = Table.read(written(SQL, "votable"), format="votable")
    for name in (
        "bool_true",
        "small",
        "large",
        "single",
        "tiny",
        "third",
        "number",
        "infinite",
        "words",
        "coverage",
    ):
        assert same(np.asarray(first[name]).item(), VALUES[name][1]), name
    assert list(first["integers"]) == [1, 2]
    assert same([float(x) for x in np.ma.filled(first["reals"], np.nan)], single("reals", None))
    assert len(first["none_inside"]) == 0
    assert first["moment"] == "2027-01-02T02:04:05.678901Z"
    assert first["day"] == "2027-01-02"
    assert json.loads(first["document"]) == VALUES["document"][1]
    for name in ("small", "large", "single", "number"):
        assert np.ma.is_masked(second[name])
    assert second["words"] == ""


def test_votable_is_valid(survey):
    document = written(SQL.replace(" AS words", ' AS "1 odd-name"'), "votable")
    assert votable.validate(document, output=io.StringIO())


def test_votable_says_that_rows_are_missing(survey):
    document = written("SELECT i FROM generate_series(1, 9) AS i", "votable", 4)
    parsed: VOTableFile = votable.parse(document)
    assert len(parsed.get_first_table().array) == 4
    assert [info.value for info in parsed.resources[0].infos if info.name == "QUERY_STATUS"] == [
        "OK",
        "OVERFLOW",
    ]


def test_null_among_the_elements_of_an_array_is_kept(survey):
    sql = "SELECT ARRAY[1, NULL]::bigint[] AS i, ARRAY[true, NULL] AS b, ARRAY['x,', NULL, '\"'] AS t"
    (row,) = parquet.read_table(written(sql, "parquet")).to_pylist()
    assert row == {"i": [1, None], "b": [True, None], "t": ["x,", None, '"']}
    (row,) = csv.DictReader(io.StringIO(written(sql, "csv").read().decode()))
    assert row == {"i": "{1,NULL}", "b": "{true,NULL}", "t": r'{"x,",NULL,"\""}'}
    table = Table.read(written(sql, "votable"), format="votable")
    assert list(np.ma.getmaskarray(table["i"][0])) == [False, True]


@pytest.mark.parametrize("format_name", ["parquet", "votable"])
def test_units_ucds_and_descriptions_travel(survey, format_name):
    stream = written("SELECT ra AS alpha, name, radius * 60 FROM roman.field", format_name)
    if format_name == "parquet":
        schema = parquet.read_schema(stream)
        assert schema.field("alpha").metadata[b"unit"] == b"deg"
        assert schema.field("alpha").metadata[b"ucd"] == b"pos.eq.ra;meta.main"
        assert b"field centre" in schema.field("alpha").metadata[b"description"]
        assert schema.metadata[b"IVOA.VOTable-Parquet.version"] == b"1.0"
        stream = io.BytesIO(schema.metadata[b"IVOA.VOTable-Parquet.content"])
    alpha, name, rest = votable.parse(stream).get_first_table().fields
    assert (alpha.name, u.Unit(alpha.unit), alpha.ucd) == ("alpha", u.deg, "pos.eq.ra;meta.main")
    assert "field centre" in alpha.description
    assert name.unit is None
    assert rest.unit is None
    assert rest.description is None


@pytest.mark.parametrize("format_name", ["parquet", "votable"])
@pytest.mark.parametrize("view", ["roman.light_curve", "roman.light_curve_array"])
def test_columns_of_views_travel(survey, view, format_name):
    """Under another name, in an expression of which the view is a part, and as arrays."""
    sql = f"SELECT l.flux_err AS error, l.midpoint_bjd_tdb FROM (SELECT * FROM {view} LIMIT 1) AS l"
    stream = written(sql, format_name)
    if format_name == "parquet":
        metadata = parquet.read_schema(stream).field("error").metadata
        assert (metadata[b"unit"], metadata[b"ucd"]) == (b"nJy", b"stat.error;phot.flux.density")
        assert metadata[b"description"].startswith(b"Standard error of flux, marginal over")
        stream = io.BytesIO(parquet.read_schema(stream).metadata[b"IVOA.VOTable-Parquet.content"])
    error, time = votable.parse(stream).get_first_table().fields
    assert (u.Unit(error.unit), error.ucd) == (u.nJy, "stat.error;phot.flux.density")
    assert error.description.startswith("Standard error of flux, marginal over")
    assert (u.Unit(time.unit), time.ucd) == (u.d, "time.epoch;obs.exposure")
    assert "(BJD) in TDB" in time.description


def test_table_for_people(survey):
    lines = (
        written("SELECT field_id, name, ra FROM roman.field ORDER BY 1 LIMIT 2", "table")
        .read()
        .decode()
        .splitlines()
    )
    assert [line.split() for line in lines] == [
        ["field_id", "name", "ra"], ["deg"], ["-" * 8, "-" * 7, "-" * 10],
        ["1", "gbtds-1", "267.533564"], ["2", "gbtds-2", "267.774816"], ["(2", "rows)"],
    ]  # fmt: skip
    assert lines[3].index("gbtds-1") == lines[0].index("name")  # text to the left
    assert lines[3].rindex("4") == lines[0].rindex("a")  # numbers to the right


def test_table_keeps_a_row_on_a_line(survey):
    text = written("SELECT repeat('x', 500) AS a, E'two\\nlines' AS b, NULL AS c", "table").read().decode()
    row = text.splitlines()[2]
    assert "…" in row
    assert "two lines" in row
    assert len(row) < 100


def test_an_empty_result_is_a_whole_file(survey):
    sql = "SELECT ra, name FROM roman.field WHERE false"
    assert parquet.read_table(written(sql, "parquet")).column_names == ["ra", "name"]
    assert written(sql, "csv").read() == b'"ra","name"\n'
    assert len(Table.read(written(sql, "votable"), format="votable")) == 0
    assert b"(0 rows)" in written(sql, "table").read()


def test_large_results_come_in_parts(survey):
    n = 300_000
    sql = f"SELECT i, i * 0.5::float8 AS x, repeat('x', 100) AS t FROM generate_series(1, {n}) AS i"
    with open_result(Request(parse(sql))) as result:
        sizes = [batch.num_rows for batch in result.batches]
    assert sum(sizes) == result.n_row == n
    assert max(sizes) < n
    table = parquet.read_table(written(sql, "parquet"))
    assert table["x"].to_numpy().sum() == 0.5 * n * (n + 1) / 2


def test_the_command_offers_all_formats():
    assert tuple(FORMATS) == commands.FORMATS
