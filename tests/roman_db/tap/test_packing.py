"""Files packed by gzip: the same bytes again, in whatever pieces they come, and never more than allowed."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roman_db.service_failure import BadRequest
from roman_db.tap.uploads.packing import Unpacker, unpacked


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 50), st.integers(0, 20))
def test_members_in_any_pieces_are_what_was_packed(members, length, padding):
    """Several members one after another are one file (RFC 1952, section 2.2)."""
    packed = b"".join(map(gzip.compress, members)) + bytes(padding)
    unpacker = Unpacker("mine", 1200)
    found = [unpacker.feed(packed[start : start + length]) for start in range(0, len(packed), length)]
    unpacker.end()
    assert b"".join(found) == b"".join(members)
    assert unpacked("mine", packed, 1200) == b"".join(members)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x1f\x8b", b"PAR1"])
def test_what_is_not_packed_stays(content):
    assert unpacked("mine", content, 0) == content


@pytest.mark.parametrize("n_member", [1, 3])
def test_no_byte_more_than_allowed_is_unpacked(n_member):
    packed = gzip.compress(bytes(1000)) * n_member
    assert unpacked("mine", packed, 1000 * n_member) == bytes(1000 * n_member)
    with pytest.raises(BadRequest, match=f"mine: it has more than {1000 * n_member - 1} bytes"):
        unpacked("mine", packed, 1000 * n_member - 1)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda packed: packed[:-1], "its end is missing"),
        (lambda packed: packed[:30] + bytes(8) + packed[38:], "damaged"),
        (lambda packed: packed[:-8] + bytes(8), "damaged"),
        (lambda packed: packed + b"more", "damaged"),
    ],
)
def test_damaged_files_are_refused(damage, words):
    packed = gzip.compress(bytes(range(256)))
    with pytest.raises(BadRequest, match=f"UPLOAD mine: it is packed by gzip, and {words}"):
        unpacked("UPLOAD mine", damage(packed), 1000)
