"""Artificial sources from a table: columns by their names, units converted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy import units

from loaders.catalog.read import read_catalog
from loaders.injection.sources import ArtificialSources
from loaders.rejection import Rejected

FloatArray = npt.NDArray[np.float64]

AB_ZERO_NJY = 3631e9
"""Flux density (nJy) of AB magnitude 0 (Oke & Gunn 1983, ApJ 266, 713)."""

_UNITS: Mapping[str, units.UnitBase] = {
    "ra": units.deg,
    "dec": units.deg,
    "flux": units.nJy,
    "half_light_radius": units.arcsec,
    "position_angle": units.deg,
}
_PROFILE = ("sersic_n", "half_light_radius", "axis_ratio", "position_angle")
_KNOWN = ("source_id", "ra", "dec", "flux", "magnitude", *_PROFILE)


def flux_of_magnitude(magnitude: FloatArray) -> FloatArray:
    """Flux densities (nJy) of AB magnitudes."""
    return np.asarray(AB_ZERO_NJY * 10 ** (-0.4 * magnitude))


def read_sources(path: Path) -> ArtificialSources:
    """Read artificial sources from Parquet, FITS, VOTable or ECSV.

    Parameters
    ----------
    path
        A table with ``ra, dec`` (deg ICRS unless a unit says otherwise), one of ``flux`` (nJy) and
        ``magnitude`` (AB), and perhaps ``source_id`` and ``sersic_n, half_light_radius, axis_ratio,
        position_angle``, empty for stars. No other columns.

    Returns
    -------
    ArtificialSources
        As they stand in the file: `check_sources` says which of them can be.

    Raises
    ------
    Rejected
        Codes of `loaders.catalog.read.open_catalog`, and ``unknown_columns``, ``missing_columns``,
        ``bad_unit``, ``not_numbers``.
    """
    table, file = read_catalog(path)
    _check_names(path, set(table))
    said = {name: getattr(column, "unit", None) for name, column in file.columns.items()}
    values = {name: _numbers(path, name, table[name], said[name]) for name in table if name != "source_id"}
    size = values["ra"].size
    flux = values["flux"] if "flux" in values else flux_of_magnitude(values["magnitude"])
    profile = [values.get(name, np.full(size, np.nan)) for name in _PROFILE]
    return ArtificialSources(_source_ids(path, table, size), values["ra"], values["dec"], flux, *profile)


def _check_names(path: Path, names: set[str]) -> None:
    """Make sure that all columns are known, and none is missing."""
    if unknown := sorted(names - set(_KNOWN)):
        what = f"unknown columns {', '.join(unknown)}"
        raise Rejected(str(path), what, f"Name the columns {', '.join(_KNOWN)}", "unknown_columns")
    missing = [name for name in ("ra", "dec") if name not in names]
    if len({"flux", "magnitude"} & names) != 1:
        missing.append("one of flux and magnitude")
    if missing:
        remedy = "Add ra, dec (deg), and flux (nJy) or magnitude (AB)"
        raise Rejected(str(path), f"the table lacks {', '.join(missing)}", remedy, "missing_columns")


def _numbers(path: Path, name: str, column: npt.ArrayLike, unit: object) -> FloatArray:
    """Values of a column in our unit, NaN where the table has none."""
    try:
        values = np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan)
    except (TypeError, ValueError) as error:
        what = "its values are no numbers"
        raise Rejected(f"{path}: {name}", what, "Give numbers", "not_numbers") from error
    if not unit or name not in _UNITS:
        return np.asarray(values)
    try:
        return np.asarray(values * units.Unit(str(unit)).to(_UNITS[name]))
    except (ValueError, TypeError) as error:
        what = f"unit {unit} cannot be converted to {_UNITS[name]}"
        raise Rejected(f"{path}: {name}", what, f"Give it in {_UNITS[name]}", "bad_unit") from error


def _source_ids(path: Path, table: Mapping[str, npt.ArrayLike], size: int) -> npt.NDArray[np.int64]:
    """Numbers of the sources: those of the table, or the rows."""
    if "source_id" not in table:
        return np.arange(size)
    try:
        column: np.ma.MaskedArray[Any, Any] = np.ma.asarray(table["source_id"])
        if np.ma.getmaskarray(column).any():
            raise ValueError("empty")
        return np.asarray(column).astype(np.int64)
    except (TypeError, ValueError) as error:
        what = "not every row has a whole number"
        raise Rejected(
            f"{path}: source_id", what, "Number the sources, or leave it out", "not_numbers"
        ) from error
