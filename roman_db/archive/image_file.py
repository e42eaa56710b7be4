"""Reference images as products: stored files of RAD's ``msos_stack`` with the keywords of the archive."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import asdf
from astropy.time import Time

#: Where the file has the keywords of ``wfi_microlensing_reference_frame_level_3``, below ``roman.meta``.
GROUP = "msos_reference_frame"
_COPIED_AT_A_TIME = 1 << 20


def write_image(source: Path, sha256: str, keywords: Mapping[str, object], sink: BinaryIO) -> None:
    """Copy an image and replace its keywords; its pixels stay packed as they are.

    Parameters
    ----------
    source
        File of the image.
    sha256
        Checksum with which it was registered.
    keywords
        Keywords of the product, for `GROUP`; name and date are those of the whole file, too.
    sink
        File to write, open for reading as well.

    Raises
    ------
    OSError
        If the source cannot be read.
    ValueError
        If it is not what was registered, or is no valid image with these keywords.
    """
    copy_registered(source, sha256, sink)
    sink.seek(0)
    with asdf.open(sink, mode="rw", lazy_tree=True) as file:
        meta = file["roman"]["meta"]
        meta[GROUP] = dict(keywords)
        meta["filename"] = str(keywords["filename"])
        meta["file_date"] = Time(keywords["file_date"], scale="utc")
        file.update()


def copy_registered(source: Path, sha256: str, sink: BinaryIO) -> None:
    """Copy a file that must be what was registered.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If its content has another checksum.
    """
    checksum = hashlib.sha256()
    with source.open("rb") as stream:
        while block := stream.read(_COPIED_AT_A_TIME):
            checksum.update(block)
            sink.write(block)
    if checksum.hexdigest() != sha256:
        raise ValueError(f"{source} is not the file that was registered (SHA-256): make it again")
