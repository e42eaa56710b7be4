"""Submissions opened: a folder as it is, a zip or tar file into a folder, once nothing in it can do harm."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from loaders.contribution.refusal import Refused

MOST_FILES = 10_000
#: What is packed harder than this is packed to do harm: arrays of zeros reach a thousand, catalogs ten.
_MOST_RATIO = 200
_SMALL_BYTES = 1 << 20
_COPIED_AT_A_TIME = 1 << 20
#: What the libraries say of what is damaged, encrypted, packed in a way that they do not know, or too large.
_DAMAGES = (
    OSError,
    EOFError,
    RuntimeError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
_OPENERS = "a folder, or a file .zip, .tar or .tar.gz"


@dataclass(frozen=True)
class Member:
    """An entry of an archive: its name, its size when unpacked, and what it is if it is no plain file."""

    name: str
    size: int
    oddity: str | None = None


@contextmanager
def opened(path: Path, scratch: Path) -> Iterator[Path]:
    """Give the folder of a submission.

    Parameters
    ----------
    path
        Folder, or packed file.
    scratch
        Empty folder to unpack into; what it has room for is the most that is unpacked.

    Raises
    ------
    Refused
        With everything in it that is no plain file below it, twice there, or too much.
    """
    if path.is_dir():
        _check(path, _walked(path), None, None)
        yield path
        return
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                members = [_of_zip(one) for one in packed.infolist() if not one.is_dir()]
                _check(path, members, path.stat().st_size, scratch)
                _extract(members, packed.open, scratch)
        elif path.is_file() and tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                members = [_of_tar(one) for one in tar if not one.isdir()]
                _check(path, members, path.stat().st_size, scratch)
                _extract(members, lambda name: _member(tar, name), scratch)
        else:
            raise Refused(str(path), [f"it is not {_OPENERS}"])
    except _DAMAGES as error:
        raise Refused(str(path), [f"it cannot be unpacked ({error})"]) from error
    yield scratch


def _check(path: Path, members: Iterable[Member], packed: int | None, scratch: Path | None) -> None:
    """Raise unless all members are harmless; nothing has been written then."""
    found = list(members)
    reasons = [f"{one.name!r} {one.oddity}" for one in found if one.oddity]
    reasons += [f"{one.name!r} leads out of the submission" for one in found if _leads_out(one.name)]
    folded = Counter(one.name.casefold() for one in found)
    reasons += [f"{name!r} is there {count} times" for name, count in folded.items() if count > 1]
    if len(found) > MOST_FILES:
        reasons.append(f"it has {len(found)} files, and {MOST_FILES} are the most")
    size = sum(one.size for one in found)
    if packed is not None and size > max(_SMALL_BYTES, _MOST_RATIO * packed):
        reasons.append(f"its {packed} bytes become {size}: more than {_MOST_RATIO} times as many")
    elif scratch is not None and size > (free := shutil.disk_usage(scratch).free):
        reasons.append(f"it has {size} bytes unpacked, and the disk of {scratch} has {free} free")
    if reasons:
        raise Refused(str(path), reasons)


def _extract(members: Iterable[Member], reader: object, scratch: Path) -> None:
    """Write the members; one that gives more than it said is cut off with an error."""
    for one in members:
        target = scratch / one.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with reader(one.name) as source, target.open("xb") as sink:  # type: ignore[operator]
            _copy(source, sink, one)


def _copy(source: IO[bytes], sink: IO[bytes], member: Member) -> None:
    """Copy a member, and no more of it than it said it has."""
    left = member.size
    while chunk := source.read(_COPIED_AT_A_TIME):
        left -= len(chunk)
        if left < 0:
            raise OSError(f"{member.name!r} has more than the {member.size} bytes that it says")
        sink.write(chunk)


def _walked(folder: Path) -> Iterator[Member]:
    """Yield what is below a folder; links are not followed."""
    for parent, folders, names in os.walk(folder):
        for name in (*names, *(one for one in folders if (Path(parent) / one).is_symlink())):
            path = Path(parent) / name
            mode = path.lstat().st_mode
            oddity = None if stat.S_ISREG(mode) else "is a link" if stat.S_ISLNK(mode) else "is no plain file"
            yield Member(str(path.relative_to(folder)), path.lstat().st_size, oddity)


def _of_zip(entry: zipfile.ZipInfo) -> Member:
    """Entry of a zip file."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    oddity = "is encrypted" if entry.flag_bits & 1 else None
    if kind not in (0, stat.S_IFREG):
        oddity = "is a link" if kind == stat.S_IFLNK else "is no plain file"
    return Member(entry.filename, entry.file_size, oddity)


def _of_tar(entry: tarfile.TarInfo) -> Member:
    """Entry of a tar file."""
    is_link = entry.issym() or entry.islnk()
    oddity = None if entry.isreg() else "is a link" if is_link else "is no plain file"
    return Member(entry.name, entry.size, oddity)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """Content of an entry of a tar file."""
    found = tar.extractfile(name)
    if found is None:
        raise OSError(f"{name!r} has no content")
    return found


def _leads_out(name: str) -> bool:
    """Whether a name leads out of the folder that it is unpacked into, on any system."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name
