"""Which column of a catalog is which: rules, and the sources that they make of a chunk of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from loaders.catalog.read import Chunk
from loaders.catalog.sources import Sources
from loaders.catalog.table import CatalogFile, Column
from loaders.catalog.units import (
    AB_ZERO_POINT,
    CANONICAL_UNITS,
    convert,
    flux_density,
    is_magnitude,
    julian_year,
    magnitude_error_to_flux,
    magnitude_to_flux,
    numbers,
)
from loaders.rejection import Rejected

FloatArray = npt.NDArray[np.float64]

REFERENCE_EPOCH = 2027.0
"""Julian year in which positions are kept: the start of the survey."""

_NJY_PER_JY = 1e9


@dataclass(frozen=True)
class ColumnRule:
    """Where a column comes from.

    Parameters
    ----------
    column
        Name in the file.
    unit
        Unit to use instead of the one in the file; None for the file's.
    times_cos_dec
        For `pm_ra`: whether the file's values are multiplied by cos(dec) already.
    """

    column: str
    unit: str | None = None
    times_cos_dec: bool = True


@dataclass(frozen=True)
class FluxRule:
    """Where the flux in an optical element comes from.

    Parameters
    ----------
    column
        Name in the file.
    error
        Name of the column of standard errors, in the same unit; None if there is none.
    system
        ``flux`` for flux densities, ``AB`` or ``Vega`` for magnitudes.
    unit
        Unit to use instead of the one in the file; None for the file's.
    zero_point
        Flux density of magnitude 0 in Jy, for ``Vega``.
    """

    column: str
    error: str | None = None
    system: str = "flux"
    unit: str | None = None
    zero_point: float | None = None


@dataclass(frozen=True)
class CatalogMapping:
    """Rules for a catalog.

    Parameters
    ----------
    name
        Name of the catalog, under which its source identifiers are kept.
    columns
        By our column: `source_id`, `ra`, `dec`, their errors, motion, parallax, `ref_epoch`.
    fluxes
        By optical element.
    ref_epoch
        Epoch of all positions, Julian year, where no column gives it; None for `REFERENCE_EPOCH` if there
        are no proper motions.
    """

    name: str
    columns: Mapping[str, ColumnRule]
    fluxes: Mapping[str, FluxRule] = field(default_factory=dict)
    ref_epoch: float | None = None


def needed_columns(mapping: CatalogMapping) -> list[str]:
    """Names of the file's columns that a mapping reads, each once."""
    plain = [rule.column for rule in mapping.columns.values()]
    fluxes = [name for rule in mapping.fluxes.values() for name in (rule.column, rule.error) if name]
    return list(dict.fromkeys(plain + fluxes))


def check_mapping(mapping: CatalogMapping, file: CatalogFile) -> None:
    """Reject a mapping that cannot serve a file, before its rows are read.

    Parameters
    ----------
    mapping
        Rules.
    file
        Header of the catalog.

    Raises
    ------
    Rejected
        Codes ``no_position_columns``, ``missing_column``, ``no_epoch``, ``missing_unit``, ``unknown_unit``,
        ``wrong_unit``, ``no_zero_point``.
    """
    missing = [name for name in ("ra", "dec") if name not in mapping.columns]
    if missing:
        what = f"no column for {' and '.join(missing)} among {', '.join(file.columns) or 'none'}"
        remedy = "Name the columns of right ascension and declination in a mapping file"
        raise Rejected(str(file.path), what, remedy, "no_position_columns")
    for name in needed_columns(mapping):
        if name not in file.columns:
            what = f"the mapping asks for a column that is not among {', '.join(file.columns)}"
            raise Rejected(f"{file.path}: {name}", what, "Correct the mapping file", "missing_column")
    _check_epoch(mapping, file)
    empty = {name: np.empty(0) for name in needed_columns(mapping)}
    apply_mapping(Chunk(0, dict(empty)), _without_text(mapping, file), file)


def _without_text(mapping: CatalogMapping, file: CatalogFile) -> CatalogMapping:
    """Rules for columns of numbers: of text it is said with a sample when it is read, whatever its unit."""
    columns = {name: rule for name, rule in mapping.columns.items() if not file.columns[rule.column].is_text}
    fluxes = {name: rule for name, rule in mapping.fluxes.items() if not file.columns[rule.column].is_text}
    return replace(mapping, columns=columns, fluxes=fluxes)


def apply_mapping(chunk: Chunk, mapping: CatalogMapping, file: CatalogFile) -> Sources:
    """Make sources of a chunk of rows.

    Parameters
    ----------
    chunk
        Rows with the `needed_columns`.
    mapping
        Rules.
    file
        Header of the catalog, for units and messages.

    Returns
    -------
    Sources
        One for each row, unchecked: `ra` and `dec` may be NaN.

    Raises
    ------
    Rejected
        Codes ``not_numeric`` and those of units.
    """
    take = _Taker(chunk, file)
    plain = {name: take.column(mapping.columns.get(name), name) for name in CANONICAL_UNITS}
    if "ref_epoch" not in mapping.columns:
        plain["ref_epoch"] = np.full(len(chunk), mapping.ref_epoch or REFERENCE_EPOCH)
    motion = mapping.columns.get("pm_ra")
    if motion is not None and not motion.times_cos_dec:
        plain["pm_ra"] = plain["pm_ra"] * np.cos(np.radians(plain["dec"]))
    fluxes = {element: take.flux(rule) for element, rule in mapping.fluxes.items()}
    return Sources(
        row=chunk.first_row + np.arange(len(chunk), dtype=np.int64),
        source_id=take.identifiers(mapping.columns.get("source_id")),
        flux={element: values for element, (values, _) in fluxes.items()},
        flux_err={element: errors for element, (_, errors) in fluxes.items()},
        **plain,
    )


def magnitudes(chunk: Chunk, mapping: CatalogMapping, file: CatalogFile) -> dict[str, FloatArray]:
    """Magnitudes as they stand in a chunk of rows, by optical element; elements with fluxes are left out.

    Parameters are those of `apply_mapping`, after which nothing is left to refuse.
    """
    take = _Taker(chunk, file)
    found = {element: take.magnitude(rule) for element, rule in mapping.fluxes.items()}
    return {element: values for element, values in found.items() if values is not None}


def _check_epoch(mapping: CatalogMapping, file: CatalogFile) -> None:
    """Reject proper motions without an epoch from which to count them."""
    moves = "pm_ra" in mapping.columns or "pm_dec" in mapping.columns
    if moves and "ref_epoch" not in mapping.columns and mapping.ref_epoch is None:
        what = "proper motions, but no epoch of the positions"
        remedy = "State ref_epoch, a Julian year such as 2016.0, in a mapping file"
        raise Rejected(str(file.path), what, remedy, "no_epoch")


@dataclass(frozen=True)
class _Taker:
    """Takes columns out of a chunk, converted."""

    chunk: Chunk
    file: CatalogFile

    def column(self, rule: ColumnRule | None, name: str) -> FloatArray:
        """Column in our unit; NaN without a rule."""
        if rule is None:
            return np.full(len(self.chunk), np.nan)
        values, unit, where = self._numbers(rule.column, rule.unit)
        if name == "ref_epoch":
            return julian_year(values, unit, where)
        return convert(values, unit, CANONICAL_UNITS[name], where)

    def flux(self, rule: FluxRule) -> tuple[FloatArray, FloatArray]:
        """Flux density and standard error, nJy; NaN where unknown."""
        values, unit, where = self._numbers(rule.column, rule.unit)
        flux = _flux(rule, values, unit, where)
        if rule.error is None:
            return flux, np.full(flux.size, np.nan)
        errors, error_unit, where = self._numbers(rule.error, rule.unit)
        if rule.system == "flux" and not is_magnitude(unit, where):
            return flux, flux_density(errors, error_unit or unit, where)
        return flux, magnitude_error_to_flux(flux, errors)

    def magnitude(self, rule: FluxRule) -> FloatArray | None:
        """Magnitudes as they stand in the file; None if it has flux densities."""
        values, unit, where = self._numbers(rule.column, rule.unit)
        return values if rule.system != "flux" or is_magnitude(unit, where) else None

    def identifiers(self, rule: ColumnRule | None) -> npt.NDArray[np.object_]:
        """Source identifiers as text; None without a rule, and where masked or blank."""
        out = np.full(len(self.chunk), None, dtype=object)
        if rule is None:
            return out
        column = self.chunk.columns[rule.column]
        given = ~np.ma.getmaskarray(column)
        out[given] = [_text(value) for value in np.ma.getdata(column)[given].tolist()]
        return out

    def _numbers(self, column: str, unit: str | None) -> tuple[FloatArray, str | None, str]:
        where = f"{self.file.path}: column {column}"
        values: Column = self.chunk.columns[column]
        return numbers(values, where), unit or self.file.columns[column].unit, where


def _flux(rule: FluxRule, values: FloatArray, unit: str | None, where: str) -> FloatArray:
    """Flux density, nJy, of the file's values."""
    if rule.system == "flux":
        return flux_density(values, unit, where)
    if unit is not None and not is_magnitude(unit, where):
        remedy = "Map a column of magnitudes, or state system: flux in a mapping file"
        raise Rejected(where, f"unit {unit!r} is not that of magnitudes", remedy, "wrong_unit")
    zero_point = AB_ZERO_POINT if rule.system == "AB" else (rule.zero_point or 0) * _NJY_PER_JY
    if not zero_point > 0:
        remedy = "State zero_point in Jy in the mapping file"
        raise Rejected(where, f"{rule.system} magnitudes without a zero point", remedy, "no_zero_point")
    return magnitude_to_flux(values, zero_point)


def _text(value: object) -> str | None:
    """Identifier as text: bytes decoded, blanks stripped, whole floats as integers."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None
