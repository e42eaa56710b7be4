"""What a product is to be of."""

from __future__ import annotations

from dataclasses import dataclass

from roman_db.archive.product import Product
from roman_db.archive.refusal import ProductRefused

#: What some products need and others are not divided by.
_PARTS = ("field", "detector", "element", "medium", "sequence")


@dataclass(frozen=True)
class Scope:
    """Part of the survey that a product describes.

    Parameters
    ----------
    season
        Season, from 1; 0 for all there is; None of products that know no seasons.
    survey
        Survey layout.
    field, detector, element
        Field by its name, detector and optical element, of products that need them.
    medium
        What was injected into, in the words of the archive: images, lightcurve or rhie.
    sequence
        Period of eight days of the season, from 1.
    kind
        Kind of photometry.
    processing_id
        RAD's msos_processing_id: p for prompt products, r and two digits for those of a data release.
    """

    season: int | None = None
    survey: str = "gbtds"
    field: str | None = None
    detector: str | None = None
    element: str | None = None
    medium: str | None = None
    sequence: int | None = None
    kind: str = "psf"
    processing_id: str = "p"


def check(product: Product, scope: Scope) -> None:
    """Check that a scope says what a product needs, and no more.

    Raises
    ------
    ProductRefused
        If it does not.
    """
    given = {name: getattr(scope, name) for name in _PARTS}
    reasons = [] if scope.season is not None else ["give --season"]
    reasons += [f"give --{name}" for name in product.scope if given[name] is None]
    reasons += [
        f"it is of all there are: leave out --{name}"
        for name, value in given.items()
        if value is not None and name not in (*product.scope, *product.optional)
    ]
    if scope.season == 0 and scope.sequence is not None:
        reasons.append("periods are counted in a season: give --season")
    if reasons:
        raise ProductRefused(product.name, reasons)
