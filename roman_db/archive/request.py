"""What a product is to be of."""

from __future__ import annotations

from dataclasses import dataclass, fields

from roman_db.archive.product import Product
from roman_db.archive.refusal import ProductRefused

#: What some products need and others are not divided by.
_PARTS = (
    "season", "field", "program", "exposure", "detector", "element", "medium", "sequence", "file_number",
)  # fmt: skip
#: What is said of products of seasons alone, and of all others.
_OF_SEASONS, _OF_OTHERS = ("survey", "kind"), ("program_complete",)


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
        RAD's msos_processing_id: p for prompt products, r and two digits for those of a data release, which
        of spectra are data_release_id.
    exposure
        Dispersed exposure: the name of its file without ``_cal.asdf``.
    program
        Observing program.
    file_number
        File of a catalog that is divided, from 1.
    program_complete
        Whether the program is finished.
    exposure_id
        Identifier of the exposure, which is looked up.
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
    exposure: str | None = None
    program: int | None = None
    file_number: int | None = None
    program_complete: bool = False
    exposure_id: int | None = None

    @property
    def words(self) -> str:
        """What it is of, for people: ``season 1, field gbtds-3``; empty of all there is."""
        given = {name: getattr(self, name) for name in _PARTS}
        return ", ".join(f"{name} {value}" for name, value in given.items() if value is not None)


def check(product: Product, scope: Scope) -> None:
    """Check that a scope says what a product needs, and no more.

    Raises
    ------
    ProductRefused
        If it does not.
    """
    missing = [f"give --{_option(name)}" for name in product.scope if getattr(scope, name) is None]
    _refuse(product, missing + _too_much(product, scope))


def check_named(product: Product, scope: Scope) -> None:
    """Check that a scope says no more than a product knows, whatever is still to be looked up.

    Raises
    ------
    ProductRefused
        If it does.
    """
    _refuse(product, _too_much(product, scope))


def _too_much(product: Product, scope: Scope) -> list[str]:
    """Reasons why a product cannot be of what a scope says."""
    known = (*product.scope, *product.optional)
    reasons = [
        f"it is of all there are: leave out --{_option(name)}"
        for name in _PARTS
        if getattr(scope, name) is not None and name not in known
    ]
    foreign = _OF_OTHERS if "season" in product.scope else _OF_SEASONS
    reasons += [
        f"it does not depend on it: leave out --{_option(one.name)}"
        for one in fields(Scope)
        if one.name in foreign and getattr(scope, one.name) != one.default
    ]
    if scope.season == 0 and scope.sequence is not None:
        reasons.append("periods are counted in a season: give --season")
    return reasons


def _refuse(product: Product, reasons: list[str]) -> None:
    """Raise if there are reasons."""
    if reasons:
        raise ProductRefused(product.name, reasons)


def _option(name: str) -> str:
    """Name of an option of the command line."""
    return name.replace("_", "-")
