"""Text of requests as PostgreSQL can store it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a text has no character of number 0")
    return text


#: Text of a model; one with NUL is refused as any other that is not as it should be.
Storable = Annotated[str, AfterValidator(_without_nul)]
