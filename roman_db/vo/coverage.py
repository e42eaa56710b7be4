"""Coverage of the sky as a MOC 2.0, in the three forms that the standard has."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from mocpy import MOC

#: Order of the ranges that are stored, and that of a coverage unless another is asked for.
FINEST, USUAL_ORDER = 29, 14


def coverage_of_ranges(ranges: npt.NDArray[np.uint64], order: int) -> MOC:
    """Coverage of ranges of nested HEALPix pixels of order 29, the end of each not included.

    Parameters
    ----------
    ranges
        Their first pixels and ends, shape (n, 2).
    order
        Order of its smallest cells: what a range touches is covered.
    """
    from mocpy import MOC  # noqa: PLC0415  # it draws: 26 MB that no other service needs

    moc = MOC.from_depth29_ranges(FINEST, ranges)
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
