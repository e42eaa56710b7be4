"""Folders that cannot be written are refused with what the operating system says, and what to do."""

import errno

import pytest

from loaders.output_folder import writable_folder, writing
from loaders.rejection import Rejected


def test_a_folder_is_made_and_left_empty(tmp_path):
    folder = writable_folder(tmp_path / "some" / "where")
    assert list(folder.iterdir()) == []
    assert writable_folder(folder) == folder


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Rejected, match=r"Not a directory.*ROMAN_DB_PRODUCTS") as refused:
        writable_folder(tmp_path / "file" / "below")
    assert refused.value.code == "unwritable_folder"
    assert refused.value.where == str(tmp_path / "file" / "below")


def test_a_disk_that_is_full(tmp_path):
    with pytest.raises(Rejected, match="No space left"), writing(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
