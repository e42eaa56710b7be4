"""Identifiers of products: ``obs_publisher_did`` of ``ivoa.obscore``, and what ID of a request may be."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: As ``ivoa.publisher_did`` makes them.
PREFIX = "ivo://roman.ssc/msos?"
_PRODUCT = re.compile(
    r"(?P<kind>exposure|reference_image|difference_image|object|light_curve|event|spectrum)/(?P<number>\d{1,18}|\d{19})"
    r"(?:/(?P<element>[A-Za-z0-9_.+-]{1,40}))?"
)
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Product:
    """One product.

    Parameters
    ----------
    given
        Identifier as it was given.
    kind
        exposure, reference_image, difference_image, object, light_curve, event or spectrum.
    number
        Its number in the table of its kind; of a light curve that of the object.
    element
        Optical element of a light curve; None for all, and for other kinds.
    """

    given: str
    kind: str
    number: int
    element: str | None = None


def identifier(kind: str, number: int, element: str | None = None) -> str:
    """Identifier of a product."""
    return f"{PREFIX}{kind}/{number}" + (f"/{element}" if element else "")


def read_identifier(text: str) -> Product | None:
    """Product that an identifier names, the bare number of an object included; None where it names none."""
    name = text[len(PREFIX) :] if text.lower().startswith(PREFIX) else text
    if name.isascii() and name.isdigit():
        name = f"object/{name}"
    found = _PRODUCT.fullmatch(name)
    if found is None or int(found["number"]) > _LARGEST:
        return None
    if found["element"] is not None and found["kind"] != "light_curve":
        return None
    return Product(text, found["kind"], int(found["number"]), found["element"])
