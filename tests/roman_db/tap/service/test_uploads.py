"""Tables that come with a query: what is read of them is what was sent, and what is hostile does no harm."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pyarrow as pa
import pytest
import requests
from astropy import units as u
from astropy.io import votable
from astropy.table import MaskedColumn, Table
from pyarrow import csv, parquet

from roman_db.service_failure import BadRequest
from roman_db.tap.adql import schema_catalog, translate
from roman_db.tap.connections import Held, QueryLimits
from roman_db.tap.uploads.limits import UploadLimits
from roman_db.tap.uploads.reading import read_file
from roman_db.tap.uploads.request import upload_names
from roman_db.tap.uploads.upload import Column, made_upload, usable_names
from tests.queries.filling import DEC, N_OBJECT, RA
from tests.roman_db.conftest import forget, point_at
from tests.roman_db.tap.service.waiting import eventually

_LIMITS = UploadLimits(size=10**6, rows=1000, columns=20)


@pytest.fixture
def table() -> Table:
    """Rows with gaps, as a user may have them."""
    return Table(
        {
            "name": ["first", "a<b & 'c'", "Käse"],
            "ra": np.array([267.5, 1 / 3, 359.99999999999994]) * u.deg,
            "flux": MaskedColumn(np.array([1.5, 2.5, -3e30], np.float32), mask=[False, True, False]),
            "number": MaskedColumn(np.array([2**62, -7, 0], np.int64), mask=[False, False, True]),
            "is_good": np.array([True, False, True]),
        }
    )


def as_votable(table: Table, serialization: str = "tabledata") -> bytes:
    sink = io.BytesIO()
    votable.from_table(table).to_xml(sink, tabledata_format=serialization)
    return sink.getvalue()


def as_fits(table: Table) -> bytes:
    sink = io.BytesIO()
    ascii_alone = table.copy()
    ascii_alone["name"][2] = "Kaese"
    ascii_alone.write(sink, format="fits")
    return sink.getvalue()


def as_arrow(table: Table) -> pa.Table:
    columns = {
        name: [None if one is np.ma.masked else one.item() for one in table[name]] for name in table.colnames
    }
    types = [pa.string(), pa.float64(), pa.float32(), pa.int64(), pa.bool_()]
    return pa.table(
        [pa.array(one, type_) for one, type_ in zip(columns.values(), types, strict=True)], table.colnames
    )


def as_parquet(table: Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(as_arrow(table), sink)
    return sink.getvalue()


def as_csv(table: Table) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(as_arrow(table), sink)
    return sink.getvalue()


@pytest.fixture
def ask(address):
    """Function that asks with files in a form and gives the rows of Parquet."""

    def rows(query: str, **files: bytes) -> list[dict]:
        upload = ";".join(f"{name},param:{name}" for name in files)
        form = {"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "parquet", "UPLOAD": upload}
        parts = {name: (f"{name}.dat", content) for name, content in files.items()}
        response = requests.post(f"{address}/sync", data=form, files=parts, timeout=60)
        assert response.status_code == 200, response.text
        return parquet.read_table(pa.BufferReader(response.content)).to_pylist()

    return rows


@pytest.mark.parametrize(
    "written",
    [as_votable, lambda one: as_votable(one, "binary2"), as_fits, as_parquet, as_csv],
    ids=["tabledata", "binary2", "fits", "parquet", "csv"],
)
@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_table_comes_back_as_it_was_sent(ask, table, written, packed):
    rows = ask("SELECT * FROM TAP_UPLOAD.mine", mine=packed(written(table)))
    wanted = as_arrow(table).to_pylist()
    if written is as_fits:
        wanted[2]["name"] = "Kaese"
    for row in rows:
        row["flux"] = None if row["flux"] is None else np.float32(row["flux"]).item()
        row["flux"] = None if row["flux"] is not None and np.isnan(row["flux"]) else row["flux"]
    assert rows == wanted


def test_a_whole_request_may_be_packed(address, table):
    """The table is packed, and the form in which it is, too."""
    form = {"LANG": "ADQL", "QUERY": "SELECT number FROM TAP_UPLOAD.mine", "UPLOAD": "mine,param:mine"}
    parts = {"mine": ("mine.csv.gz", gzip.compress(as_csv(table)))}
    whole = requests.Request("POST", f"{address}/sync", data=form | {"FORMAT": "csv"}, files=parts).prepare()
    headers = {"Content-Type": whole.headers["Content-Type"], "Content-Encoding": "gzip"}
    body = gzip.compress(whole.body)
    answer = requests.post(whole.url, data=body, headers=headers, timeout=60)
    assert answer.text.split() == ['"number"', str(2**62), "-7"]
    for content, encoding, words in (
        (body[:-9], "gzip", "its end is missing"), (whole.body, "gzip", "damaged"),
        (body, "br", "packed by gzip"),
    ):  # fmt: skip
        headers["Content-Encoding"] = encoding
        refused = requests.post(whole.url, data=content, headers=headers, timeout=60)
        assert (refused.status_code, words in refused.text) == (400, True)


def test_a_request_that_grows_is_refused_before_it_is_unpacked(address):
    """A hundred kilobytes that would be a hundred megabytes, as the body and as a file."""
    bomb = gzip.compress(b"a\n" + bytes(10**8))
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    as_body = requests.post(f"{address}/sync", data=bomb, headers=headers, timeout=60)
    form = {"LANG": "ADQL", "QUERY": "SELECT * FROM TAP_UPLOAD.mine", "UPLOAD": "mine,param:mine"}
    as_file = requests.post(f"{address}/sync", data=form, files={"mine": ("m.csv.gz", bomb)}, timeout=60)
    for refused in (as_body, as_file):
        assert (refused.status_code, "bytes when it is unpacked" in refused.text) == (400, True)


def test_times_of_a_votable_are_times(ask):
    texts = ["2027-02-01T12:00:00.25Z", "", "1999-12-31T23:59:59"]
    document = votable.from_table(Table({"seen": texts}))
    document.get_first_table().fields[0].xtype = "timestamp"
    sink = io.BytesIO()
    document.to_xml(sink)
    rows = ask("SELECT * FROM TAP_UPLOAD.mine WHERE seen < TIMESTAMP('2028-01-01')", mine=sink.getvalue())
    assert [row["seen"].isoformat() for row in rows] == [
        "2027-02-01T12:00:00.250000+00:00",
        "1999-12-31T23:59:59+00:00",
    ]


def test_units_and_ucds_are_those_of_the_file(service, table):
    found = service.search("SELECT ra, flux FROM TAP_UPLOAD.mine", uploads={"mine": table})
    assert found.to_table()["ra"].unit == u.deg
    assert found.to_table()["flux"].mask.tolist() == [False, True, False]


def test_places_are_matched_with_the_catalog(ask, stored):
    """Each place is an object's, moved by a milliarcsecond; one is far from all."""
    objects = stored("SELECT object_id, ra, dec FROM roman.object ORDER BY object_id")
    places = pa.table(
        {
            "place": list(range(len(objects) + 1)),
            "ra": [one["ra"] for one in objects] + [RA + 10],
            "dec": [one["dec"] + 1e-3 / 3600 for one in objects] + [DEC],
        }
    )
    sink = io.BytesIO()
    parquet.write_table(places, sink)
    rows = ask(
        "SELECT m.place, o.object_id FROM TAP_UPLOAD.mine AS m JOIN roman.object AS o "
        "ON DISTANCE(m.ra, m.dec, o.ra, o.dec) < 0.01/3600 ORDER BY m.place",
        mine=sink.getvalue(),
    )
    assert [(row["place"], row["object_id"]) for row in rows] == [
        (place, one["object_id"]) for place, one in enumerate(objects)
    ]
    assert len(rows) == N_OBJECT


def test_light_curves_of_many_objects_come_in_one_call(ask, stored):
    """Of ten thousand identifiers those that there are, each with all its points."""
    objects = [one["object_id"] for one in stored("SELECT object_id FROM roman.object")]
    sink = io.BytesIO()
    parquet.write_table(pa.table({"id": objects + list(range(10_000 - len(objects)))}), sink)
    rows = ask(
        "SELECT l.object_id, COUNT(*) AS n, SUM(l.flux) AS total FROM roman.light_curve AS l "
        "JOIN TAP_UPLOAD.mine AS m ON l.object_id = m.id GROUP BY l.object_id ORDER BY l.object_id",
        mine=sink.getvalue(),
    )
    wanted = stored(
        "SELECT object_id, count(*) AS n, sum(flux) AS total FROM roman.light_curve GROUP BY 1 ORDER BY 1"
    )
    assert [(row["object_id"], row["n"]) for row in rows] == [(one["object_id"], one["n"]) for one in wanted]
    assert np.allclose(
        [row["total"] for row in rows], [one["total"] for one in wanted], rtol=1e-5, equal_nan=True
    )


def test_a_job_has_its_tables_too(service, table):
    job = service.submit_job("SELECT COUNT(*) AS n FROM TAP_UPLOAD.mine", uploads={"mine": table})
    job.run()
    assert eventually(lambda: job.phase in ("COMPLETED", "ERROR"))
    job.raise_if_error()
    assert job.fetch_result()["n"].tolist() == [len(table)]


def test_two_tables_may_be_joined_and_none_is_left(ask, table, stored):
    rows = ask(
        "SELECT a.name, b.number FROM TAP_UPLOAD.one AS a JOIN TAP_UPLOAD.other AS b ON a.ra = b.ra "
        "WHERE b.number < 0",
        one=as_csv(table),
        other=as_parquet(table),
    )
    assert rows == [{"name": "a<b & 'c'", "number": -7}]
    assert eventually(lambda: stored("SELECT 1 FROM pg_class WHERE relname LIKE 'upload%'") == [])


def test_names_of_columns_are_made_usable():
    hostile = [
        "a",
        "A",
        "ctid",
        "",
        'x"; DROP TABLE roman.object; --',
        "tab\there",
        "é" * 40,
        "é" * 41,
        " a ",
    ]
    names = usable_names(hostile)
    assert len({name.lower() for name in names}) == len(hostile)
    assert names[:5] == ["a", "A_2", "ctid_2", "column_4", hostile[4]]
    assert all(0 < len(name.encode()) <= 63 for name in names)
    assert not any(ord(one) < 32 for name in names for one in name)


def test_hostile_names_are_names_and_nothing_else(ask, stored):
    names = ['x"; DROP TABLE roman.object; --', "select", "xmin", "%s", "a b", "A", "a"]
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays([pa.array([k]) for k in range(len(names))], names=names), sink)
    (row,) = ask("SELECT * FROM TAP_UPLOAD.mine", mine=sink.getvalue())
    assert list(row.values()) == list(range(len(names)))
    assert next(iter(row)) == names[0]
    assert ask('SELECT "a b" AS n FROM TAP_UPLOAD.mine', mine=sink.getvalue()) == [{"n": 4}]
    assert len(stored("SELECT 1 FROM roman.object")) == N_OBJECT


_LINK = b'<VOTABLE><RESOURCE><TABLE><FIELD name="a" datatype="int"/><DATA><BINARY><STREAM href="%s"/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>'  # noqa: E501
_BOMB = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><VOTABLE>&d;</VOTABLE>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_LINK % b"file:///etc/hostname", "not behind a link"),
        ((_LINK % b"http://localhost/").decode().encode("utf-16"), "cannot be read|not behind a link"),
        (_BOMB, "no document type"),
        (b"<html></html>", "cannot be read"),
        (b"PAR1 and then nothing", "the Parquet file cannot be read"),
        (b"SIMPLE  = nothing", "the FITS file"),
        (b"\xff\xfe\x00a,b\n1,2", "the CSV file cannot be read"),
        (b"", "the CSV file cannot be read"),
        (b"a\n" + b"1\n" * 1001, "at most 1000 rows, this one has 1001"),
        (b",".join([b"a"] * 21) + b"\n" + b",".join([b"1"] * 21), "at most 20 columns"),
    ],
)
def test_what_is_no_table_is_refused(content, words):
    with pytest.raises(BadRequest, match=words):
        read_file("mine", content, _LIMITS)


def test_arrays_are_refused():
    table = Table({"a": np.zeros((2, 3))})
    with pytest.raises(BadRequest, match="has arrays"):
        read_file("mine", as_votable(table), _LIMITS)
    rows = pa.table({"a": [[1, 2], [3]]})
    sink = io.BytesIO()
    parquet.write_table(rows, sink)
    with pytest.raises(BadRequest, match="column a of an upload has values of type list"):
        read_file("mine", sink.getvalue(), _LIMITS)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({str(k): ["x" * 3000] for k in range(500)}, "a row has more than the database can store"),
        ({"t": pa.array([-(2**62)], pa.timestamp("us", "UTC"))}, "cannot store"),
    ],
    ids=["a long row", "a time before all"],
)
def test_what_the_database_cannot_store_is_no_fault_of_the_database(address, columns, words):
    form = {"LANG": "ADQL", "QUERY": "SELECT * FROM TAP_UPLOAD.mine", "UPLOAD": "mine,param:mine"}
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    answer = requests.post(
        f"{address}/sync", data=form, files={"mine": ("m.pq", sink.getvalue())}, timeout=60
    )
    assert (answer.status_code, "UPLOAD mine: " in answer.text, words in answer.text) == (400, True, True)


def test_too_many_bytes_are_refused(address):
    form = {"LANG": "ADQL", "QUERY": "SELECT * FROM TAP_UPLOAD.mine", "UPLOAD": "mine,param:mine"}
    response = requests.post(
        f"{address}/sync", data=form, files={"mine": ("mine.csv", b"a\n" + b"1\n" * 2**25)}, timeout=60
    )
    assert response.status_code == 400
    assert "at most" in response.text


def test_more_bytes_than_the_tier_has_are_refused(address, stored):
    """The service takes more than those may send who do not sign in."""
    ((most,),) = (
        row.values() for row in stored("SELECT upload_bytes FROM ops.account_tier WHERE tier = 'anonymous'")
    )
    form = {"LANG": "ADQL", "QUERY": "SELECT COUNT(*) AS n FROM TAP_UPLOAD.mine", "UPLOAD": "mine,param:mine"}
    for size, status in ((most, 200), (most + 1, 400)):
        content = (b"a\n" + (b"x" * 99 + b"\n") * (size // 100 + 1))[:size]
        response = requests.post(
            f"{address}/sync", data=form, files={"mine": ("mine.csv", content)}, timeout=60
        )
        assert response.status_code == status
    assert f"at most {most} bytes, this one has {most + 1}" in response.text


@pytest.mark.parametrize(
    "value",
    [
        "mine",
        "mine,ftp://localhost/a",
        "mine,file:///etc/passwd",
        "mine,param:a;MINE,param:b",
        "1a,param:a",
        "a.b,param:a",
    ],
)
def test_what_names_no_table_is_refused(value):
    with pytest.raises(BadRequest, match="UPLOAD"):
        upload_names([("UPLOAD", value)])


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("DISTANCE(m.ra, m.dec, o.ra, o.dec) < 1./3600", "object_q3c_idx"),
        ("m.place = o.object_id", "object_pkey"),
    ],
)
def test_a_match_goes_by_an_index_of_the_catalog(service_database, monkeypatch, condition, index):
    """EXPLAIN on a connection that has the table, as the service makes it."""
    point_at(service_database, monkeypatch)
    rows = pa.table({"place": list(range(1000)), "ra": [RA] * 1000, "dec": [DEC] * 1000})
    upload = made_upload("mine", 0, [Column(name) for name in rows.column_names], rows)
    query = f"SELECT m.place, o.object_id FROM TAP_UPLOAD.mine AS m JOIN roman.object AS o ON {condition}"
    sql = translate(query, schema_catalog().with_tables([upload.table])).sql
    held = Held(QueryLimits(timeout_s=20, memory_mb=16), [upload])
    try:
        with held.connection.cursor(adbc_stmt_kwargs={"adbc.postgresql.use_copy": False}) as cursor:
            cursor.execute("SET enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
    finally:
        held.close()
        forget()
    assert f"using {index} on object" in plan or f"on {index}" in plan
