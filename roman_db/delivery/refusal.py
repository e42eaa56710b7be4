"""What goes wrong with deliveries, said to the person who has to act."""

from __future__ import annotations

from roman_db.query.error import QueryError


class DeliveryError(QueryError):
    """A delivery cannot be made, published or answered; the message says why and what to do."""
