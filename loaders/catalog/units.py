"""Units of catalog columns: read them, convert them, and say which column is at fault if that fails."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from astropy import units as u

from loaders.catalog.table import Column
from loaders.rejection import Rejected

FloatArray = npt.NDArray[np.float64]

CANONICAL_UNITS: dict[str, u.UnitBase] = {
    "ra": u.deg,
    "dec": u.deg,
    "ra_err": u.mas,
    "dec_err": u.mas,
    "pm_ra": u.mas / u.yr,
    "pm_dec": u.mas / u.yr,
    "pm_ra_err": u.mas / u.yr,
    "pm_dec_err": u.mas / u.yr,
    "parallax": u.mas,
    "parallax_err": u.mas,
    "ref_epoch": u.yr,
}
"""Unit in which each column is kept."""

AB_ZERO_POINT = 3631e9
"""Flux density of AB magnitude 0 in nJy (Oke & Gunn 1983, ApJ 266, 713, rounded as is usual)."""

JULIAN_DATE_2000 = 2_451_545.0
JULIAN_YEAR = 365.25
_MJD_ZERO = 2_400_000.5
_LEAST_JULIAN_DATE = 1_000_000.0
_MAGNITUDE_TO_FLUX_ERROR = 0.4 * np.log(10)


def numbers(column: Column, where: str) -> FloatArray:
    """Values of a column as float64, masked ones NaN.

    Raises
    ------
    Rejected
        Code ``not_numeric`` if the column holds text.
    """
    if column.dtype.kind not in "biuf":
        sample = next((str(value) for value in column[:100]), None)
        what = "it holds text, not numbers" + ("" if sample is None else f", such as {sample[:30]!r}")
        raise Rejected(where, what, "Convert the column to decimal numbers", "not_numeric")
    return np.asarray(np.ma.filled(column.astype(np.float64), np.nan))


def parse_unit(text: str | None, where: str, wanted: str) -> u.UnitBase:
    """Read a unit as any of the standards writes it.

    Parameters
    ----------
    text
        Unit as stated; None if none is.
    where
        File and column, for messages.
    wanted
        What unit the column needs, for messages.

    Raises
    ------
    Rejected
        Codes ``missing_unit``, ``unknown_unit``.
    """
    remedy = f"State a unit that converts to {wanted}, in the file or in a mapping file"
    if text is None:
        raise Rejected(where, "the column has no unit", remedy, "missing_unit")
    for standard in (None, "vounit", "fits", "cds"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", u.UnitsWarning)
                return u.Unit(text, format=standard, parse_strict="raise")
        except ValueError:
            continue
    raise Rejected(where, f"unit {text!r} is not understood", remedy, "unknown_unit")


def convert(values: FloatArray, text: str | None, target: u.UnitBase, where: str) -> FloatArray:
    """Convert values to a unit of the same dimension.

    Raises
    ------
    Rejected
        Codes ``missing_unit``, ``unknown_unit``, ``wrong_unit``.
    """
    unit = parse_unit(text, where, str(target))
    try:
        factor = unit.to(target)
    except u.UnitConversionError as error:
        what = f"unit {text!r} does not convert to {target}"
        remedy = "Map the right column, or correct its unit in a mapping file"
        raise Rejected(where, what, remedy, "wrong_unit") from error
    return np.asarray(values * factor)


def julian_year(values: FloatArray, text: str | None, where: str) -> FloatArray:
    """Convert epochs, in years or as (Modified) Julian Dates in days, to Julian years.

    Raises
    ------
    Rejected
        As `convert`.
    """
    if parse_unit(text, where, "yr") != u.d:
        return convert(values, text, u.yr, where)
    days = convert(values, text, u.d, where)
    julian = np.where(days < _LEAST_JULIAN_DATE, days + _MJD_ZERO, days)
    return np.asarray(2000.0 + (julian - JULIAN_DATE_2000) / JULIAN_YEAR)


def is_magnitude(text: str | None, where: str) -> bool:
    """Whether a unit is that of magnitudes.

    Raises
    ------
    Rejected
        As `parse_unit`.
    """
    return parse_unit(text, where, "nJy") in (u.mag, u.mag(u.AB))


def flux_density(values: FloatArray, text: str | None, where: str) -> FloatArray:
    """Convert flux densities, or AB magnitudes whose unit says so, to nJy; a maggy is AB magnitude 0.

    Raises
    ------
    Rejected
        Codes ``missing_unit``, ``unknown_unit``, ``wrong_unit``, and ``no_zero_point`` for magnitudes whose
        unit leaves the zero point open.
    """
    unit = parse_unit(text, where, "nJy")
    if unit == u.mag(u.AB):
        return magnitude_to_flux(values, AB_ZERO_POINT)
    if unit == u.mag:
        remedy = "State system: AB, or system: Vega with zero_point in Jy, in a mapping file"
        raise Rejected(where, "magnitudes without a zero point", remedy, "no_zero_point")
    if unit.is_equivalent(u.mgy):
        return np.asarray(values * unit.to(u.mgy) * AB_ZERO_POINT)
    return convert(values, text, u.nJy, where)


def magnitude_to_flux(magnitude: FloatArray, zero_point: float) -> FloatArray:
    """Flux density in nJy of magnitudes whose magnitude 0 is `zero_point` nJy."""
    # What is too bright for a number is infinite, and its row is refused.
    with np.errstate(over="ignore"):
        return np.asarray(zero_point * 10 ** (-0.4 * magnitude))


def magnitude_error_to_flux(flux: FloatArray, error: FloatArray) -> FloatArray:
    """Standard error in the unit of `flux` of a standard error in magnitudes, to first order."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(_MAGNITUDE_TO_FLUX_ERROR * np.abs(flux) * error)
