"""Text of uploaded VOTables comes whole, whatever length its column declares."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess

import pytest
from astropy.table import Table

from roman_db.tap.uploads.limits import UploadLimits
from roman_db.tap.uploads.reading import read_file

_LIMITS = UploadLimits(size=2**20, rows=10**6, columns=500)
_TEXTS = ["ab", "", "abcdef", "abc"]


def document(field: str, data: str) -> bytes:
    """A table with a column of text and one of numbers."""
    fields = f'<FIELD name="a" {field}/><FIELD name="b" datatype="int"/>'
    table = f"<TABLE>{fields}<DATA>{data}</DATA></TABLE>"
    return f'<VOTABLE version="1.4"><!-- {field} --><RESOURCE>{table}</RESOURCE></VOTABLE>'.encode()


def written_out() -> str:
    rows = "".join(f"<TR><TD>{text}</TD><TD>{k}</TD></TR>" for k, text in enumerate(_TEXTS))
    return f"<TABLEDATA>{rows}</TABLEDATA>"


def streamed(kind: str, encoding: str) -> str:
    """Rows as VOTable 1.4, sections 5.3 and 5.4, has them: a text with its length before it."""
    flags = b"\0" if kind == "BINARY2" else b""
    rows = [
        flags + len(text).to_bytes(4, "big") + text.encode(encoding) + k.to_bytes(4, "big")
        for k, text in enumerate(_TEXTS)
    ]
    content = base64.b64encode(b"".join(rows)).decode()
    return f'<{kind}><STREAM encoding="base64">{content}</STREAM></{kind}>'


def read(content: bytes) -> tuple[list[str], list[int]]:
    _, rows = read_file("mine", content, _LIMITS)
    return rows.column(0).to_pylist(), rows.column(1).to_pylist()


@pytest.mark.parametrize(
    "field",
    [
        'datatype="char" arraysize="3*"',
        'datatype="unicodeChar" arraysize="3*"',
        "arraysize = '3*'\n datatype='char'",
        """ucd='meta.id' description='arraysize="2" &gt;>' arraysize="3*" datatype="char\"""",
        'datatype="char" arraysize="3"',
        'datatype="char"',
        'datatype="char" arraysize="*"',
        'datatype="char" arraysize="100000000*"',
    ],
)
def test_rows_that_are_written_out(field):
    assert read(document(field, written_out())) == (_TEXTS, [0, 1, 2, 3])


@pytest.mark.parametrize("kind", ["BINARY", "BINARY2"])
@pytest.mark.parametrize(("datatype", "encoding"), [("char", "ascii"), ("unicodeChar", "utf-16-be")])
@pytest.mark.parametrize("bound", ["3*", "100000000*", "*"])
def test_rows_of_a_stream(kind, datatype, encoding, bound):
    field = f'datatype="{datatype}" arraysize="{bound}"'
    assert read(document(field, streamed(kind, encoding))) == (_TEXTS, [0, 1, 2, 3])


@pytest.mark.parametrize("form", ["tabledata", "binary", "binary2"])
def test_what_astropy_writes(form):
    """It declares the length of the longest, so that streams have all texts at that length."""
    sink = io.BytesIO()
    Table({"a": _TEXTS, "b": [0, 1, 2, 3]}).write(sink, format="votable", tabledata_format=form)
    assert read(sink.getvalue()) == (_TEXTS, [0, 1, 2, 3])


@pytest.mark.skipif(shutil.which("stilts") is None, reason="STILTS is not installed")
@pytest.mark.parametrize("form", ["votable-tabledata", "votable-binary2"])
def test_what_stilts_writes(form, tmp_path):
    given = tmp_path / "given.vot"
    given.write_bytes(document('datatype="char" arraysize="3*"', streamed("BINARY", "ascii")))
    words = ["stilts", "tpipe", f"in={given}", "ifmt=votable", f"ofmt={form}", "out=-"]
    done = subprocess.run(words, capture_output=True, check=True)
    texts, numbers = read(done.stdout)
    assert numbers == [0, 1, 2, 3]
    assert texts == _TEXTS
