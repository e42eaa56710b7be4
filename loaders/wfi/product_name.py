"""What the name of a Wide Field Instrument product says about it.

The Roman file-naming convention: ``r`` + program (5 digits), execution plan (2), pass (3), segment (3),
observation (3), visit (3), then exposure (4), detector, optical element and kind of product.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(
    r"r(?P<visit_id>\d{19})_(?P<exposure>\d{4})_(?P<detector>wfi\d{2})"
    r"_(?P<optical_element>[a-z0-9]+)_(?P<product>[a-z0-9]+)\.asdf",
    re.IGNORECASE,
)

VISIT_ID_PARTS: dict[str, slice] = {
    "program": slice(0, 5),
    "execution_plan": slice(5, 7),
    "pass_": slice(7, 10),
    "segment": slice(10, 13),
    "observation": slice(13, 16),
    "visit": slice(16, 19),
}
"""Which digits of a ``visit_id`` hold which number."""


@dataclass(frozen=True)
class ProductName:
    """The parts of a file name.

    Parameters
    ----------
    visit_id
        19 digits, leading zeros kept.
    exposure
        Number of the exposure within the visit.
    detector
        ``WFI01`` … ``WFI18``.
    optical_element
        ``F146`` … ``GRISM``.
    product
        Kind of product in lower case, ``cal`` for Level 2.
    """

    visit_id: str
    exposure: int
    detector: str
    optical_element: str
    product: str


def parse_product_name(name: str) -> ProductName | None:
    """Read a file name.

    Parameters
    ----------
    name
        File name without its folder.

    Returns
    -------
    ProductName or None
        None if the name does not follow the convention, as that of a copy may.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return ProductName(
        visit_id=match["visit_id"],
        exposure=int(match["exposure"]),
        detector=match["detector"].upper(),
        optical_element=match["optical_element"].upper(),
        product=match["product"].lower(),
    )


def visit_numbers(visit_id: str) -> dict[str, int]:
    """Split a visit identifier into its numbers.

    Parameters
    ----------
    visit_id
        19 digits.

    Returns
    -------
    dict
        ``program, execution_plan, pass_, segment, observation, visit``.

    Raises
    ------
    ValueError
        If it is not 19 digits.
    """
    if len(visit_id) != 19 or not (visit_id.isascii() and visit_id.isdigit()):
        raise ValueError(f"visit_id must be 19 digits, got {visit_id!r}")
    return {name: int(visit_id[part]) for name, part in VISIT_ID_PARTS.items()}
