"""Coverage of the sky as a MOC 2.0, in the three forms that the standard has."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mocpy import MOC

#: Order of the ranges that are stored, and that of a coverage unless another is asked for.
FINEST, USUAL_ORDER = 29, 14


def coverage_of_ranges(ranges: Iterable[tuple[int, int]], order: int) -> MOC:
    """Coverage of ranges of nested HEALPix pixels of order 29, the end of each not included.

    Parameters
    ----------
    order
        Order of its smallest cells: what a range touches is covered.
    """
    from mocpy import MOC  # noqa: PLC0415  # it draws: 26 MB that no other service needs

    pairs = np.array(list(ranges), dtype=np.uint64).reshape(-1, 2)
    moc = MOC.from_depth29_ranges(FINEST, pairs)
    return moc if order == FINEST else moc.degrade_to_order(order)


def _fits(moc: MOC) -> bytes:
    out = io.BytesIO()
    moc.serialize(format="fits").writeto(out)
    return out.getvalue()


def _json(moc: MOC) -> bytes:
    return json.dumps(moc.serialize(format="json")).encode()


def _ascii(moc: MOC) -> bytes:
    return str(moc.serialize(format="str")).encode()


#: Forms by their name in a request: media type, and function that writes it.
FORMS: Mapping[str, tuple[str, Callable[[MOC], bytes]]] = {
    "fits": ("application/fits", _fits),
    "json": ("application/json", _json),
    "ascii": ("text/plain", _ascii),
}
