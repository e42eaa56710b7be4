"""The sources of an injection as they are given: from a catalog, or laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.injection.catalog import read_sources
from loaders.injection.layout import Population, grid_sources, random_sources
from loaders.injection.sources import ArtificialSources, Refusal, check_sources, off_image
from loaders.rejection import Rejected
from loaders.wfi.projection import SkyProjection


@dataclass(frozen=True)
class Layout:
    """Where the sources come from: a catalog, or else a number or a spacing (pixels) of a population."""

    catalog: Path | None = None
    number: int | None = None
    spacing: float | None = None
    population: Population | None = None

    def __post_init__(self) -> None:
        chosen = sum(one is not None for one in (self.catalog, self.number, self.spacing))
        if chosen != 1 or (self.catalog is None and self.population is None):
            raise ValueError(
                "sources come from one of a catalog, a number and a spacing, the last two with a population"
            )

    @property
    def source(self) -> str:
        """What to call it when a row is rejected."""
        if self.catalog is not None:
            return str(self.catalog)
        return "random layout" if self.number is not None else "grid layout"

    def said(self) -> dict[str, object]:
        """Plain values, for JSON."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}


def lay_out(layout: Layout, seed: int, projection: SkyProjection) -> ArtificialSources:
    """Read or make the sources; those that are laid out lie on the image of a projection.

    Raises
    ------
    Rejected
        Codes of `loaders.injection.catalog.read_sources`, and ``bad_spacing``.
    """
    if layout.catalog is not None:
        return read_sources(layout.catalog)
    assert layout.population is not None
    rng = np.random.default_rng([seed, 0])
    if layout.number is not None:
        return random_sources(projection, layout.number, layout.population, rng)
    assert layout.spacing is not None
    try:
        return grid_sources(projection, layout.spacing, layout.population, rng)
    except ValueError as error:
        raise Rejected(layout.source, str(error), "Give another spacing", "bad_spacing") from error


def drawable(
    given: ArtificialSources, projections: Sequence[SkyProjection]
) -> tuple[npt.NDArray[np.bool_], list[Refusal]]:
    """Find the sources that can be drawn and are on an image, and why the others are refused.

    Returns
    -------
    good : ndarray
        Shape (n,).
    refused : list
        The others, in order.
    """
    good, refused = check_sources(given)
    rows = np.flatnonzero(good)
    kept = given.take(good)
    seen, unseen = off_image(kept, [one.inside(*one.to_pixel(kept.ra, kept.dec)) for one in projections])
    good[rows[~seen]] = False
    moved = [Refusal(int(rows[one.row]), one.code, one.reason) for one in unseen]
    return good, sorted([*refused, *moved], key=lambda one: one.row)
