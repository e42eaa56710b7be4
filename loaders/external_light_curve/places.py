"""A table of places for light curves that come without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from loaders.external_light_curve.columns import as_numbers, coded
from loaders.external_light_curve.layout import PlacesFile, recognise
from loaders.external_light_curve.read import read_table
from loaders.external_light_curve.table import LightCurveTable
from loaders.rejection import Rejected


def read_places(given: PlacesFile) -> dict[str, tuple[float, float]]:
    """Places by name, degrees ICRS; rows without a place or with one that is no direction are left out.

    Raises
    ------
    Rejected
        Codes of `loaders.external_light_curve.read.read_table`, and ``missing_column``.
    """
    table = read_table(Path(given.file))
    ra, dec = (as_numbers(table.columns[_column(table, given, part)]).values for part in ("ra", "dec"))
    names = coded(table.columns[_column(table, given, "object")])
    good = (np.abs(ra) <= 360) & (np.abs(dec) <= 90)
    places = zip(names, (ra % 360).tolist(), dec.tolist(), good, strict=True)
    return {name: (one_ra, one_dec) for name, one_ra, one_dec, is_good in places if is_good}


def chosen(places: Mapping[str, tuple[float, float]], names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Places of some names as they stand; else a number is found with and without leading zeros."""
    short = {_short(name): place for name, place in places.items()} | dict(places)
    found = {name: short.get(name, short.get(_short(name))) for name in names}
    return {name: place for name, place in found.items() if place is not None}


def _short(name: str) -> str:
    """A number without leading zeros; any other name as it is."""
    return str(int(name)) if name.isascii() and name.isdigit() else name


def _column(table: LightCurveTable, given: PlacesFile, part: str) -> str:
    """Name of the column of a part."""
    named: str | None = getattr(given, part)
    found = recognise(part, list(table.columns)) if named is None else named
    if found is None or found not in table.columns:
        what = f"no column is known as that of the {part} among {', '.join(table.columns)}"
        remedy = f"Name it in a layout file, under places: {part}"
        raise Rejected(str(table.path), what, remedy, "missing_column")
    return found
