"""Folders of products: whether they can be written is said before the work is done, and in one line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loaders.rejection import Rejected


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Write into a folder.

    Raises
    ------
    Rejected
        Code ``unwritable_folder``, if the operating system does not let us.
    """
    try:
        yield
    except OSError as error:
        what = f"cannot be written ({error.strerror or error})"
        remedy = "Check the permissions and the disk, or name another folder: ROMAN_DB_PRODUCTS"
        raise Rejected(str(folder), what, remedy, "unwritable_folder") from error


def writable_folder(folder: Path) -> Path:
    """Make a folder, and make sure that files can be written there.

    Raises
    ------
    Rejected
        Code ``unwritable_folder``.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
