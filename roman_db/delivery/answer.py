"""What the archive answers: a JSON file for each delivery that it looked at."""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from roman_db.delivery.refusal import DeliveryError


class FileAnswer(BaseModel):
    """What the archive says of one file; its own name for it, where it has one."""

    model_config = ConfigDict(extra="forbid")

    filename: str
    accepted: bool
    archive_identifier: str | None = None
    message: str | None = None


class Answer(BaseModel):
    """What the archive says of a delivery, which it names with the checksum of the manifest that it read."""

    model_config = ConfigDict(extra="forbid")

    delivery: str
    manifest_sha256: str
    accepted: bool
    message: str | None = None
    files: list[FileAnswer] = []

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.accepted and not all(file.accepted for file in self.files):
            raise ValueError("a delivery of which a file is refused is not accepted")
        if not self.accepted and not self.message and not any(file.message for file in self.files):
            raise ValueError("a refusal says why: give a message")
        return self

    @property
    def reason(self) -> str | None:
        """What it says, with what it says of files that are refused."""
        of_files = [
            f"{file.filename}: {file.message or 'refused'}" for file in self.files if not file.accepted
        ]
        return "; ".join([self.message or "", *of_files]).strip("; ") or None


def read(path: Path) -> Answer:
    """Read an answer.

    Raises
    ------
    DeliveryError
        If the file cannot be read or is none.
    """
    try:
        return Answer.model_validate_json(ordinary_bytes(path))
    except OSError as error:
        raise DeliveryError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise DeliveryError(f"{path} is no answer: {faults(error)}") from error


def ordinary_bytes(path: Path) -> bytes:
    """Content of a file; of a pipe one would wait for ever.

    Raises
    ------
    OSError
        If it cannot be read, or is no ordinary file.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "is no ordinary file")
    return path.read_bytes()


def faults(error: ValidationError) -> str:
    """All that is wrong with a document, each with its place."""
    places = [".".join(map(str, one["loc"])) for one in error.errors()]
    words = [one["msg"].removeprefix("Value error, ") for one in error.errors()]
    return "; ".join(f"{place}: {said}" if place else said for place, said in zip(places, words, strict=True))
