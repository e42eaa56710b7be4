"""Uploads of some kilobytes that would be gigabytes of values: refused, and never made."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from pyarrow import parquet

from roman_db.service_failure import BadRequest
from roman_db.tap.uploads.limits import UploadLimits
from roman_db.tap.uploads.reading import read_file

_LIMITS = UploadLimits(size=2**20, rows=10**6, columns=500)
_MEMORY = "would take .* bytes of memory"


def as_parquet(columns: dict[str, pa.Array]) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()


def repeated_text() -> bytes:
    """A terabyte: a text of a megabyte in a million rows."""
    once = pa.DictionaryArray.from_arrays(np.zeros(10**6, np.int32), ["x" * 10**6])
    return as_parquet({"a": once})


def zeros(n_column: int, n_row: int) -> bytes:
    return as_parquet(dict.fromkeys(map(str, range(n_column)), pa.array(np.zeros(n_row))))


def votable(field: str, table: str = "", data: str = "<TABLEDATA><TR><TD>a</TD></TR></TABLEDATA>") -> bytes:
    return (
        f'<VOTABLE version="1.4"><RESOURCE><TABLE {table}><FIELD name="a" {field}/><DATA>{data}</DATA>'
        "</TABLE></RESOURCE></VOTABLE>"
    ).encode()


def header(kind: str, **cards: object) -> bytes:
    """A table of FITS whose header says what there is not; what is behind it is a block of zeros."""
    head = fits.Header([("XTENSION", kind), ("BITPIX", 8), ("NAXIS", 2), *cards.items()])
    return fits.PrimaryHDU().header.tostring().encode() + head.tostring().encode() + bytes(2880)


def overlapping() -> bytes:
    """A hundred columns, each of which is the whole row."""
    cards: dict[str, object] = {"NAXIS1": 10**4, "NAXIS2": 100, "PCOUNT": 0, "GCOUNT": 1, "TFIELDS": 100}
    for k in range(1, 101):
        cards |= {f"TTYPE{k}": f"c{k}", f"TFORM{k}": "A10000", f"TBCOL{k}": 1}
    return header("TABLE", **cards)


_BINTABLE = {"PCOUNT": 0, "GCOUNT": 1, "TFIELDS": 1, "TTYPE1": "a"}
_BOMBS = {
    "text of Parquet": (repeated_text, _MEMORY),
    "numbers of Parquet": (lambda: zeros(60, 10**6), _MEMORY),
    "rows of Parquet": (lambda: zeros(1, 10**6 + 1), "at most 1000000 rows"),
    "columns of Parquet": (lambda: zeros(501, 1), "at most 500 columns"),
    "text of VOTable": (lambda: votable('datatype="char" arraysize="1000000"'), _MEMORY),
    "bounded array of VOTable": (lambda: votable('datatype="double" arraysize="1000000*"'), _MEMORY),
    "array of VOTable": (lambda: votable('datatype="double" arraysize="100000x100000"'), _MEMORY),
    "rows of VOTable": (lambda: votable('datatype="double"', 'nrows="1000000000000"'), _MEMORY),
    "stream of VOTable": (
        lambda: votable(
            'datatype="double" arraysize="100000*"',
            data=f'<BINARY><STREAM encoding="base64">{"AAAA" * 3000}</STREAM></BINARY>',
        ),
        _MEMORY,
    ),
    "stream of nothing": (
        lambda: votable(
            'datatype="char" arraysize="0"', data='<BINARY><STREAM encoding="base64">AAAA</STREAM></BINARY>'
        ),
        "must have a byte",
    ),
    "rows of FITS": (
        lambda: header("BINTABLE", NAXIS1=8, NAXIS2=10**9, TFORM1="D", **_BINTABLE),
        "at most 1000000 rows",
    ),
    "text of FITS": (
        lambda: header("BINTABLE", NAXIS1=10**6, NAXIS2=10**4, TFORM1="1000000A", **_BINTABLE),
        _MEMORY,
    ),
    "arrays of FITS": (
        lambda: header("BINTABLE", NAXIS1=8, NAXIS2=300, TFORM1="1PB(2000)", **_BINTABLE),
        "has arrays",
    ),
    "overlapping columns of FITS": (overlapping, _MEMORY),
}


@pytest.mark.parametrize("name", _BOMBS)
def test_a_bomb_is_refused(name):
    make, words = _BOMBS[name]
    with pytest.raises(BadRequest, match=words):
        read_file("mine", make(), _LIMITS)


_CHILD = """
import resource, sys
from roman_db.service_failure import BadRequest
from roman_db.tap.uploads.limits import UploadLimits
from roman_db.tap.uploads.reading import read_file
from tests.roman_db.tap.test_bombs import _BOMBS, _LIMITS
read_file("mine", b"a\\n1\\n", _LIMITS)
bombs = [make() for make, _ in _BOMBS.values()]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for bomb in bombs:
    try:
        read_file("mine", bomb, _LIMITS)
    except BadRequest:
        continue
    sys.exit("a bomb was read")
print(max(map(len, bombs)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.heavy
def test_no_bomb_takes_memory():
    """In a process of its own, which has made them all before: none is large, and the peak hardly grows."""
    done = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True)
    largest, grown_kb = map(int, done.stdout.split())
    assert largest < 2**20
    assert grown_kb < 50_000


def test_text_that_repeats_is_read_as_it_is():
    """What is no bomb comes whole, with what is missing, whether the file has it as a dictionary or not."""
    texts = ["first", None, "", "Käse"] * 1000
    for values in (pa.array(texts), pa.array(texts).dictionary_encode(), pa.array(texts, pa.large_string())):
        _, rows = read_file("mine", as_parquet({"a.b": values, "n": pa.array(range(4000))}), _LIMITS)
        assert rows.column(0).to_pylist() == texts
        assert rows.column(1).to_pylist() == list(range(4000))
