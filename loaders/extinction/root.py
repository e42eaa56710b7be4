"""The map of one root cell, from its stars to rows: what a worker computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from loaders.extinction.adaptive import split_cells
from loaders.extinction.bands import make_bands
from loaders.extinction.cell import CellResult, Surroundings, element_columns, measure_cell
from loaders.extinction.configuration import Configuration, configuration_from_mapping
from loaders.extinction.geometry import Cell, distance_modulus
from loaders.extinction.stars import Stars


def map_root(root: Cell, stars: Stars, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of ``roman.extinction`` of a root cell: one a cell and optical element; NaN where not known.

    Parameters
    ----------
    root
        The cell.
    stars
        Its stars.
    changes
        What the configuration changes of the defaults.
    """
    configuration = configuration_from_mapping(changes)
    bands = make_bands(configuration)

    def surroundings(cell: Cell) -> Surroundings:
        return Surroundings(configuration, bands, _modulus(cell, configuration))

    def measure(cell: Cell, some: Stars, guess: float | None) -> CellResult:
        return measure_cell(some, surroundings(cell), guess)

    return [
        {"healpix_order": leaf.cell.order, "healpix_index": leaf.cell.index} | row
        for leaf in split_cells(root, stars, measure, configuration.cells)
        for row in element_columns(leaf.result, surroundings(leaf.cell))
    ]


def _modulus(cell: Cell, configuration: Configuration) -> float:
    """Distance modulus of the clump at the centre of a cell."""
    longitude, latitude = (np.array([x]) for x in cell.centre())
    return float(distance_modulus(longitude, latitude, configuration.distance)[0])
