"""Why a product is not written."""

from __future__ import annotations

from collections.abc import Sequence

from roman_db.query.error import QueryError


class ProductRefused(QueryError):
    """A product that would not be what the archive expects; every reason is told at once."""

    def __init__(self, product: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join([f"{product} is not written:", *(f"  {reason}" for reason in reasons)]))


class NothingThere(ProductRefused):
    """There is nothing of which a product could be made."""


class NotWritten(ProductRefused):
    """A product cannot be written where it is to be, whatever is in it: it is worth another try."""
