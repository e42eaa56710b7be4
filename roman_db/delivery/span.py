"""Of what a delivery is: a rule and a span of days of a survey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from roman_db.archive.product import Product
from roman_db.archive.request import Scope


@dataclass(frozen=True)
class Span:
    """What a rule asks for.

    Parameters
    ----------
    rule
        Rule, as in ``ops.delivery_rule``.
    survey, season
        Survey layout, and season; 0 for the whole survey.
    start_mjd, end_mjd
        First day, and the first after, MJD TDB.
    sequence
        Period of eight days of the season, from 1; None for seasons and surveys.
    """

    rule: str
    survey: str
    season: int
    start_mjd: int
    end_mjd: int
    sequence: int | None

    def name(self, version: int) -> str:
        """Name of a version: of its folder, and what the archive is to call it.

        >>> Span("daily", "gbtds", 1, 61480, 61481, 5).name(2)
        'gbtds_s01_daily_61480_v2'
        """
        return f"{self.series}_v{version}"

    @property
    def series(self) -> str:
        """What the names of all versions begin with."""
        return f"{self.survey}_s{self.season:02d}_{self.rule}_{self.start_mjd}"

    @property
    def arguments(self) -> dict[str, Any]:
        """The same for ``ops.load_run``."""
        return asdict(self)


@dataclass(frozen=True)
class Part:
    """A product of a delivery, of one part of what it covers.

    Parameters
    ----------
    product
        The product.
    scope
        Part of the survey that it describes.
    is_required
        Whether the delivery is refused without it.
    is_of_days
        Whether the delivery is of a day or of eight.
    """

    product: Product
    scope: Scope
    is_required: bool
    is_of_days: bool = False

    @property
    def label(self) -> str:
        """Name of the product and its part: ``event_catalog season 1``."""
        said = {
            name: value
            for name, value in asdict(self.scope).items()
            if name in ("season", "field", "detector", "element", "medium", "sequence") and value is not None
        }
        return " ".join([self.product.name, *(f"{name} {value}" for name, value in said.items())])

    @property
    def is_of_season_so_far(self) -> bool:
        """Whether it holds all of the season that there is, though it is delivered with some days."""
        return self.is_of_days and self.scope.sequence is None


def part(product: Product, span: Span, place: Mapping[str, str], is_required: bool) -> Part:
    """Part of a delivery.

    Parameters
    ----------
    place
        ``field``, ``detector`` and ``element``, or ``medium``, as far as the product has them.
    """
    known = (*product.scope, *product.optional)
    given: dict[str, Any] = {name: value for name, value in place.items() if name in known}
    sequence = span.sequence if "sequence" in known else None
    scope = Scope(span.season, span.survey, sequence=sequence, **given)
    return Part(product, scope, is_required, is_of_days=span.sequence is not None)
