"""From a table to points: objects, bands, BJD (TDB) and flux densities, and rows that are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.catalog.units import flux_density, magnitude_error_to_flux, magnitude_to_flux
from loaders.external_light_curve.columns import CodedTexts, as_numbers, coded, same_text
from loaders.external_light_curve.layout import Layout
from loaders.external_light_curve.table import LightCurveTable
from loaders.external_light_curve.times import FIRST_JD, LAST_JD, to_bjd_tdb
from loaders.rejection import Rejected

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_NJY_PER_JY = 1e9
_SMALLEST = 1.2e-38
"""Least error that single precision, in which fluxes are stored, tells from zero."""

BRIGHTEST = 1e15
"""nJy, that is -6.1 mag (AB): thirty times as bright as the brightest star in any band (R Doradus in K)."""

FAINTEST = 40.0
"""Magnitude that no telescope reaches: 99.999 and the like say that there is none."""

RESOLUTION = float(np.finfo(np.float32).eps)
"""Step of single precision, as a share of a flux: twice what storing it may change."""


@dataclass(frozen=True)
class ExternalPoints:
    """Points, n of them, by object, band and time; ra and dec are NaN where the table has no place.

    Parameters
    ----------
    row
        Shape (n,): number of the row in the file.
    name, band
        Shape (n,): texts; where they are given as arrays, they are coded.
    ra, dec
        Shape (n,): degrees ICRS, of the object.
    bjd_tdb
        Shape (n,): days.
    flux, flux_err
        Shape (n,): nJy; errors above 0.
    flags
        Shape (n,): photometry flags.
    """

    row: npt.NDArray[np.int64]
    name: CodedTexts
    band: CodedTexts
    ra: FloatArray
    dec: FloatArray
    bjd_tdb: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    flags: npt.NDArray[np.uint16]

    def __post_init__(self) -> None:
        for text in ("name", "band"):
            object.__setattr__(self, text, coded(getattr(self, text)))

    def __len__(self) -> int:
        return int(self.row.size)

    def curve_number(self) -> IntArray:
        """Number of the light curve of each point, shape (n,): ascending by name and band."""
        return self.name.code.astype(np.int64) * len(self.band.distinct) + self.band.code

    def take(self, chosen: npt.NDArray[np.generic]) -> ExternalPoints:
        """Some of the points, by a mask or by indices."""
        return ExternalPoints(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class RefusedRow:
    """A row that is not loaded: its number, a code, what is wrong, and what to do."""

    row: int
    code: str
    reason: str
    remedy: str


class _Refusals:
    """Collects what is wrong with rows; the first fault of a row counts."""

    def __init__(self, rows: npt.NDArray[np.int64]) -> None:
        self._rows = rows
        self.good = np.ones(rows.size, dtype=bool)
        self.refused: list[RefusedRow] = []

    def add(self, which: Iterable[int], code: str, reason: str, remedy: str, values: object = None) -> None:
        """Refuse rows at some places; `{}` in the reason stands for the value of the row."""
        for k in which:
            if self.good[k]:
                self.good[k] = False
                said = reason if values is None else reason.format(values[k])  # type: ignore[index]
                self.refused.append(RefusedRow(int(self._rows[k]), code, said, remedy))


def points_of(
    table: LightCurveTable, layout: Layout, known: Mapping[str, tuple[float, float]] | None = None
) -> tuple[ExternalPoints, list[RefusedRow]]:
    """Make points of a table.

    Parameters
    ----------
    table
        As it stands.
    layout
        As `loaders.external_light_curve.layout.recognised` gives it.
    known
        Places (ra, dec; degrees ICRS) by name of objects, for where the table has none.

    Returns
    -------
    points
        Rows that can be used, in the order of name, band and time.
    refused
        All others, in the order of the file: codes ``wrong_columns``, ``not_a_number``, ``nan_point``,
        ``zero_error``, ``time_out_of_range``, ``duplicate_time``, ``one_epoch``, ``bad_position``,
        ``implausible_flux``.

    Raises
    ------
    Rejected
        Codes of units, and ``no_zero_point``.
    """
    refusals = _Refusals(table.rows)
    refusals_of_shape(table, refusals)
    time = _column(table, layout.time, refusals, "time")
    ra, dec = _place(table, layout, refusals)
    name, band = _texts(table, layout.object), _bands(table, layout)
    ra, dec = _completed(ra, dec, name, known or {})
    flux, error = _fluxes(table, layout, band, refusals)
    bjd = to_bjd_tdb(time + layout.time_offset, str(layout.time_system), *_directions(ra, dec))
    stated = {"time": time, "error": as_numbers(table.columns[str(layout.error)]).values}
    _check(refusals, stated, bjd, flux, error)
    flags = np.zeros(len(table), np.uint16)
    if layout.flags is not None:
        given = np.nan_to_num(_column(table, layout.flags, refusals, "flags"))
        flags = np.clip(given, 0, 65535).astype(np.uint16)
    points = ExternalPoints(table.rows, name, band, ra, dec, bjd, flux, _resolved(flux, error), flags)
    return _in_order(points, refusals)


def _resolved(flux: FloatArray, error: FloatArray) -> FloatArray:
    """Errors not below what single precision tells apart: else rounding alone makes a curve variable."""
    return np.maximum(error, RESOLUTION * np.abs(flux))


def refusals_of_shape(table: LightCurveTable, refusals: _Refusals) -> None:
    """Refuse lines that have other columns than the table."""
    for place, what in table.bad.items():
        refusals.add([place], "wrong_columns", what, "Correct the line")


def _column(table: LightCurveTable, name: str | None, refusals: _Refusals, part: str) -> FloatArray:
    """Numbers of a column."""
    numbers = as_numbers(table.columns[str(name)])
    for place, text in numbers.bad.items():
        reason = f"the {part} (column {name}) is {text[:30]!r}, which is no number"
        refusals.add([place], "not_a_number", reason, "Correct the value, or leave the row out")
    return numbers.values


def _texts(table: LightCurveTable, given: str | None) -> CodedTexts:
    """Texts of a column or, where there is no such column, the same for all rows."""
    if given in table.columns:
        return coded(table.columns[str(given)])
    return same_text(str(given), len(table))


def _bands(table: LightCurveTable, layout: Layout) -> CodedTexts:
    """Bands of the rows, by the names that they have here."""
    band = _texts(table, layout.band)
    for stated, wanted in (layout.bands or {}).items():
        band = band.renamed({stated: wanted})
    return band


def _place(table: LightCurveTable, layout: Layout, refusals: _Refusals) -> tuple[FloatArray, FloatArray]:
    """Place of the object of every row, NaN without one."""
    parts = []
    for given, part, limit in ((layout.ra, "ra", 360.0), (layout.dec, "dec", 90.0)):
        if given is None:
            parts.append(np.full(len(table), np.nan))
            continue
        if given in table.columns:
            values = _column(table, given, refusals, part)
        else:
            values = np.full(len(table), _constant(given, part, str(table.path)))
        wrong = ~(np.abs(values) <= limit) & ~np.isnan(values)
        reason = f"{part} is {{}}, which is no angle in degrees"
        refusals.add(np.flatnonzero(wrong), "bad_position", reason, "Give ICRS degrees", values)
        parts.append(np.where(wrong, np.nan, values))
    return parts[0] % 360.0, np.array(parts[1])


def _constant(given: str, part: str, where: str) -> float:
    """A number that holds for all rows."""
    try:
        return float(given)
    except ValueError as error:
        what = f"{part} is {given!r}, which is neither a column nor a number"
        raise Rejected(where, what, "Name a column, or give ICRS degrees", "missing_column") from error


def _completed(
    ra: FloatArray, dec: FloatArray, name: CodedTexts, known: Mapping[str, tuple[float, float]]
) -> tuple[FloatArray, FloatArray]:
    """Places of all rows, of objects that are known where the table has none."""
    if not known or not (missing := np.isnan(ra) | np.isnan(dec)).any():
        return ra, dec
    of_name = np.array([known.get(one, (np.nan, np.nan)) for one in name.distinct])[name.code]
    return np.where(missing, of_name[:, 0], ra), np.where(missing, of_name[:, 1], dec)


def _directions(ra: FloatArray, dec: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Directions for light travel times; objects without a place are refused later, and may be anywhere."""
    return np.nan_to_num(ra), np.nan_to_num(dec)


def _fluxes(
    table: LightCurveTable, layout: Layout, band: CodedTexts, refusals: _Refusals
) -> tuple[FloatArray, FloatArray]:
    """Flux densities and errors, nJy."""
    value = _column(table, layout.value, refusals, "value")
    error = _column(table, layout.error, refusals, "error")
    where = f"{table.path}: column {layout.value}"
    if layout.system == "flux":
        unit = layout.unit or table.units.get(str(layout.value))
        if unit is None:
            remedy = "Give --unit, such as nJy, or unit in a layout file"
            raise Rejected(where, "the column has no unit", remedy, "missing_unit")
        unit_of_error = layout.unit or table.units.get(str(layout.error)) or unit
        return flux_density(value, unit, where), flux_density(error, unit_of_error, where)
    reason = f"its magnitude is {{}}, and such fainter than {FAINTEST:g} stand for what was not measured"
    remedy = "Leave the row out"
    refusals.add(np.flatnonzero(value > FAINTEST), "implausible_flux", reason, remedy, value)
    zero_point = np.full(len(band.distinct), np.nan)
    for code in np.unique(band.code).tolist():
        point = layout.zero_point_of(band.distinct[code])
        if point is None:
            what = f"Vega magnitudes in {band.distinct[code]} without a zero point"
            remedy = (
                "Give --zero-point, the flux density in Jy of magnitude 0, or zero_point in a layout file"
            )
            raise Rejected(where, what, remedy, "no_zero_point")
        zero_point[code] = point * _NJY_PER_JY
    with np.errstate(over="ignore"):
        flux = np.asarray(zero_point[band.code] * magnitude_to_flux(value, 1.0))
    return flux, magnitude_error_to_flux(flux, error)


def _check(
    refusals: _Refusals,
    stated: Mapping[str, FloatArray],
    bjd: FloatArray,
    flux: FloatArray,
    error: FloatArray,
) -> None:
    """Refuse rows whose numbers cannot be a point; of time and error it is said what the file has."""
    for part, values in (("time", stated["time"]), ("value", flux), ("error", error)):
        reason, remedy = f"the {part} is not known (NaN or empty)", "Leave the row out"
        refusals.add(np.flatnonzero(np.isnan(values)), "nan_point", reason, remedy)
    remedy = "Give the error of the point, or leave the row out"
    refusals.add(
        np.flatnonzero(error <= 0), "zero_error", "the error is {}, not above 0", remedy, stated["error"]
    )
    far = np.flatnonzero(~((bjd > FIRST_JD) & (bjd < LAST_JD)))
    reason = "the time {} is not between 1990 and 2060"
    refusals.add(far, "time_out_of_range", reason, "Give --time-system and --time-offset", stated["time"])
    for part, values in (("flux", np.abs(flux)), ("error", error)):
        reason = f"its {part} is {{:.3g}} nJy, and no star has {BRIGHTEST:g}"
        way = "Check --system, --unit and --zero-point, or leave the row out"
        refusals.add(np.flatnonzero(~(values < BRIGHTEST)), "implausible_flux", reason, way, values)
    tiny = np.flatnonzero(~(error > _SMALLEST))
    refusals.add(tiny, "zero_error", "the error is {}, 0 in single precision", remedy, stated["error"])


def _in_order(points: ExternalPoints, refusals: _Refusals) -> tuple[ExternalPoints, list[RefusedRow]]:
    """Sort the good points, and refuse those at the time of another, and those that are alone."""
    order = _sorted(points, np.flatnonzero(refusals.good))
    curve = points.curve_number()[order]
    again = np.flatnonzero((np.diff(points.bjd_tdb[order]) == 0) & (np.diff(curve) == 0)) + 1
    reason = "there is an earlier row of this object and band at the same time"
    refusals.add(order[again], "duplicate_time", reason, "Keep one of them")
    left, curve = np.delete(order, again), np.delete(curve, again)
    _, which, number = np.unique(curve, return_inverse=True, return_counts=True)
    is_alone = number[which] == 1
    reason = "it is the only usable point of its object in its band"
    refusals.add(left[is_alone], "one_epoch", reason, "Give light curves of two points at least")
    refused = sorted(refusals.refused, key=lambda one: one.row)
    return points.take(left[~is_alone]), refused


def _sorted(points: ExternalPoints, good: IntArray) -> IntArray:
    """Some points by name, band and time; files nearly always have them so."""
    curve, time = points.curve_number()[good], points.bjd_tdb[good]
    step = np.diff(curve)
    if np.all((step > 0) | ((step == 0) & (np.diff(time) >= 0))):
        return good
    return good[np.lexsort((time, curve))]
