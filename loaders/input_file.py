"""First look at a file that somebody gave: whether it is there, can be read, and what it begins with."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

from loaders.rejection import Rejected

_SHOWN = 30


def read_bytes(path: Path, wanted: str, size: int = -1) -> bytes:
    """Read the first bytes of a file, or all.

    Parameters
    ----------
    path
        File.
    wanted
        What should have been given, for the message if it is a folder: a noun with its article.
    size
        How many bytes to read at most; -1 for all.

    Raises
    ------
    Rejected
        Codes ``missing_file`` (also for a folder or a device), ``unreadable_file``.
    """
    where = str(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise Rejected(where, "it is a folder", f"Give {wanted}", "missing_file")
        # To open a pipe would wait for its other end for ever.
        if not stat.S_ISREG(mode):
            raise Rejected(where, "it is no regular file", f"Give {wanted}", "missing_file")
        with path.open("rb") as stream:
            return stream.read(size)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Rejected(where, "no such file", "Check the path", "missing_file") from error
    except OSError as error:
        raise unreadable(path, error) from error


def file_checksum(path: Path) -> str:
    """Compute the SHA-256 checksum of a whole file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fingerprint(path: Path) -> tuple[str | None, int | None]:
    """Checksum (SHA-256) and size in bytes of what somebody gave; None where it is no readable file."""
    try:
        # To open a pipe would wait for its other end for ever.
        if not path.is_file():
            return None, None
        return file_checksum(path), path.stat().st_size
    except OSError:
        return None, None


@dataclass(frozen=True)
class LoadedFile:
    """A file as it was when it was loaded; checksum and size are None where they were not noted.

    ``what`` is what ``roman-db load`` calls it.
    """

    path: Path
    sha256: str | None
    size_bytes: int | None
    what: str = "exposure"

    def require_unchanged(self) -> None:
        """Refuse a file that is gone, or another than the one that was loaded.

        Raises
        ------
        Rejected
            Codes ``missing_file`` and ``changed_file``.
        """
        if not self.path.is_file():
            remedy = f"Put the file back, or load the {self.what} from where it is now"
            raise Rejected(str(self.path), "the file is not there", remedy, "missing_file")
        if self.sha256 is None:
            return
        if self.path.stat().st_size != self.size_bytes or file_checksum(self.path) != self.sha256:
            what = "it is not the file that was loaded: size or checksum differ"
            remedy = f"Put that file back, or load this one: roman-db load {self.what} --replace FILE"
            raise Rejected(str(self.path), what, remedy, "changed_file")


def unreadable(path: Path, error: OSError) -> Rejected:
    """Rejection of a file or folder that the operating system does not let us read."""
    what = f"cannot be read ({error.strerror or error})"
    return Rejected(str(path), what, "Check the permissions and the disk", "unreadable_file")


def beginning(start: bytes) -> str:
    """Say for people what a file begins with: its first line if it is text, else some bytes.

    Parameters
    ----------
    start
        First bytes of the file.
    """
    text = start.decode("utf-8", "replace")
    line = next(iter(text.splitlines()), "")[:_SHOWN].rstrip("\ufffd").strip()
    if line.isprintable() and "\ufffd" not in line and "\0" not in text:
        return f"text that begins “{line}”"
    return f"binary data that begins {start[:8].hex(' ')} (hexadecimal)"
