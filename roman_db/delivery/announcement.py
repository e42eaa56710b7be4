"""Notifications that data are available for us: JSON files that the sender of the data writes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from roman_db.delivery.answer import faults, ordinary_bytes
from roman_db.delivery.manifest import sha256_of
from roman_db.delivery.refusal import DeliveryError


class NotifiedFile(BaseModel):
    """A file that is available: its name without a folder, its SHA-256 checksum and its size."""

    model_config = ConfigDict(extra="forbid")

    filename: Annotated[str, Field(pattern=r"^[^/\s]+$")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(gt=0)]


class Notification(BaseModel):
    """What is available, and when it was where on its way; times name their zone."""

    model_config = ConfigDict(extra="forbid")

    sender: Annotated[str, Field(min_length=1)]
    observed_until: AwareDatetime | None = None
    on_ground_at: AwareDatetime | None = None
    at_soc_at: AwareDatetime | None = None
    files: Annotated[list[NotifiedFile], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        count = Counter(file.filename for file in self.files)
        if twice := sorted(name for name, number in count.items() if number > 1)[:5]:
            raise ValueError(f"it names files twice: {', '.join(twice)}")
        return self


def read(path: Path) -> tuple[Notification, str]:
    """Read a notification, and return it with its SHA-256 checksum.

    Raises
    ------
    DeliveryError
        If the file cannot be read or is none; all faults are told at once.
    """
    try:
        content = ordinary_bytes(path)
        return Notification.model_validate_json(content), sha256_of(content)
    except OSError as error:
        raise DeliveryError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise DeliveryError(f"{path} is no notification: {faults(error)}") from error
