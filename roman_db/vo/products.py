"""Products by their identifiers: what is known of them, each kind by one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from roman_db.tap.accounting import RoleConnections
from roman_db.vo.data_link import Link, links_of, not_found
from roman_db.vo.identifier import Product, read_identifier
from roman_db.vo.stored import rows_of

#: Kinds that are known by what another is known by.
_KNOWN_AS = {"light_curve": "object"}
Known = dict[tuple[str, int], dict[str, Any]]


async def links_of_all(given: Sequence[str], connections: RoleConnections, address: str) -> list[Link]:
    """Links of products, in the order in which they are given."""
    products = {one: read_identifier(one) for one in given}
    known = await known_of([one for one in products.values() if one is not None], connections)
    links: list[Link] = []
    for text, product in products.items():
        if product is None:
            links.append(not_found(text))
        else:
            links += links_of(product, facts_of(product, known), address)
    return links


async def known_of(products: Sequence[Product], connections: RoleConnections) -> Known:
    """What is known of products, by kind and number."""
    numbers: dict[str, list[int]] = {}
    for one in products:
        numbers.setdefault(_KNOWN_AS.get(one.kind, one.kind), []).append(one.number)
    known: Known = {}
    for kind, of_kind in numbers.items():
        rows = await rows_of(connections, f"{kind}_links", numbers=of_kind)
        known |= {(kind, row["number"]): row for row in rows}
    return known


def facts_of(product: Product, known: Known) -> dict[str, Any] | None:
    """What is known of a product; None where there is none."""
    return known.get((_KNOWN_AS.get(product.kind, product.kind), product.number))
