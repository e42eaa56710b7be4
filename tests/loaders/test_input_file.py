from __future__ import annotations

from pathlib import Path

import pytest

from loaders.input_file import beginning, read_bytes
from loaders.rejection import Rejected


def test_first_bytes_or_all(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_bytes(path, "a file", 4) == b"0123"
    assert read_bytes(path, "a file") == b"0123456789"


@pytest.mark.parametrize(
    ("name", "code", "what"),
    [
        ("none", "missing_file", "no such file"),
        ("file/below", "missing_file", "no such file"),
        ("", "missing_file", "it is a folder"),
        ("/dev/null", "missing_file", "it is no regular file"),
        # Nothing is mapped at address 0, so reading this file fails for everybody.
        ("/proc/self/mem", "unreadable_file", "cannot be read (Input/output error)"),
    ],
)
def test_what_is_no_file_or_cannot_be_read(tmp_path, name, code, what):
    (tmp_path / "file").touch()
    with pytest.raises(Rejected) as caught:
        read_bytes(Path(tmp_path, name), "a catalog")
    assert (caught.value.code, caught.value.what) == (code, what)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"ra,dec\n1,2\n", "text that begins “ra,dec”"),
        ("α=1\r\n".encode(), "text that begins “α=1”"),
        (b"x" * 80, f"text that begins “{'x' * 30}”"),
        (b"\x1f\x8b\x08\x00", "binary data that begins 1f 8b 08 00 (hexadecimal)"),
    ],
)
def test_beginning_for_people(start, said):
    assert beginning(start) == said
