"""Spectra of a file of any telescope, in vacuum wavelengths and with standard errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.redshift.columns import flux_factor, in_angstrom, recognised, vacuum
from loaders.redshift.observation import first_of, observation_of
from loaders.redshift.spectrum import FWHM_SIGMA, Spectrum
from loaders.redshift.tables import SpectrumTable, read_tables
from loaders.rejection import Rejected

FloatArray = npt.NDArray[np.float64]

_RA = ("RA", "PLUG_RA", "RA_TARG", "RA_OBJ", "TARG_RA", "RA_OBJECT", "TARGET_RA", "SRCRA")
_DEC = ("DEC", "PLUG_DEC", "DEC_TARG", "DEC_OBJ", "TARG_DEC", "DEC_OBJECT", "TARGET_DEC", "SRCDEC")
_NAMES = ("SOURCE_ID", "SOURCEID", "OBJECT_ID", "OBJID", "OBJECT", "TARGETID", "NAME", "ID")
_SKIPPED = ("SPECOBJ", "SPALL", "SPZLINE", "FIBERMAP", "HDRTAB")
_SDSS_FLUX_UNIT = "1e-17 erg / (s cm2 Angstrom)"


@dataclass(frozen=True)
class Stated:
    """What the user says of files that do not say it.

    Parameters
    ----------
    resolution
        λ/FWHM.
    medium
        ``air`` or ``vacuum``; None where the file says it, or else vacuum.
    """

    resolution: float | None = None
    medium: str | None = None


def read_spectra(path: Path, stated: Stated) -> list[Spectrum]:
    """Read all spectra of a file.

    Returns
    -------
    list of Spectrum
        At least one. Several that have one name in the file get their numbers.

    Raises
    ------
    Rejected
        Codes of `tables.read_tables`, ``missing_column``, ``bad_unit``, ``array_shape``, ``no_spectrum``.
    """
    tables = [one for one in read_tables(path) if one.columns and one.name.upper() not in _SKIPPED]
    with_wave = [one for one in tables if _may_be_one(one)] or tables[:1]
    if not with_wave:
        remedy = "Give a table with columns of wavelength, flux and error"
        raise Rejected(str(path), "it has no table of a spectrum", remedy, "no_spectrum")
    out = []
    for table in with_wave:
        where = f"{path}[{table.name}]" if table.name else str(path)
        out += _spectra(table, where, stated, path.stem)
    return _with_distinct_names(out)


def _may_be_one(table: SpectrumTable) -> bool:
    """Whether a table has wavelengths and fluxes."""
    try:
        recognised(list(table.columns), "")
    except Rejected:
        return False
    return True


def _spectra(table: SpectrumTable, where: str, stated: Stated, stem: str) -> list[Spectrum]:
    """Spectra of a table: one, whose pixels are rows; or one a row, whose pixels are arrays in it."""
    role = recognised(list(table.columns), where)
    flux = np.asarray(table.columns[role["flux"]])
    if flux.ndim == 1:
        name = first_of(table.header, _NAMES)
        usual = table.name if table.name.upper() not in ("", "COADD", "EXTRACT1D", "SPECTRUM", "1") else stem
        given = {key: table.columns[column] for key, column in role.items()}
        return [_spectrum(table, role, given, where, stated, str(name or usual), table.header)]
    if flux.ndim != 2:
        remedy = "Give a row a pixel, or a row a spectrum"
        raise Rejected(where, f"{role['flux']} has the shape {flux.shape}", remedy, "array_shape")
    out = []
    for k in range(flux.shape[0]):
        given = {key: _row(table.columns[column], k) for key, column in role.items()}
        row = {
            name.upper(): v[k]
            for name, v in table.columns.items()
            if np.ndim(v) == 1 and len(v) == flux.shape[0]
        }
        keywords = {**table.header, **row}
        name = str(first_of(row, _NAMES) or f"{stem}-{k + 1}")
        out.append(_spectrum(table, role, given, f"{where} row {k + 1}", stated, name, keywords))
    return out


def _row(values: np.ndarray[Any, Any], k: int) -> np.ndarray[Any, Any]:
    """Of a column with an array a row, one; of wavelengths that all share, all."""
    return np.asarray(values[k] if values.ndim == 2 else values)


def _spectrum(
    table: SpectrumTable,
    role: Mapping[str, str],
    given: Mapping[str, np.ndarray[Any, Any]],
    where: str,
    stated: Stated,
    name: str,
    header: Mapping[str, Any],
) -> Spectrum:
    """One spectrum."""
    size = given["flux"].size
    for key, values in given.items():
        if values.shape != (size,):
            what = f"column {role[key]} has the shape {values.shape}, {role['flux']} has ({size},)"
            raise Rejected(where, what, "Give columns of the same length", "array_shape")
    wavelength = _wavelength(table, role, given, where, stated, header)
    flux, error = _calibrated(given, header)
    unit = table.units.get(role["flux"]) or header.get("BUNIT")
    if role["wavelength"].lower() == "loglam" and not unit:
        unit = _SDSS_FLUX_UNIT
    if {"flat", "sensitivity"} & set(given):
        unit = None
    factor, stored_unit = flux_factor(str(unit) if unit else None, wavelength)
    mask = _mask(given.get("mask"), size, role.get("mask", ""))
    ra, dec = (_degrees(first_of(header, names)) for names in (_RA, _DEC))
    both = ra is not None and dec is not None and 0 <= ra <= 360 and -90 <= dec <= 90
    order = np.argsort(wavelength, kind="stable")
    order = order[np.isfinite(wavelength[order])]
    order = order[np.concatenate([[True], np.diff(wavelength[order]) > 0])] if order.size else order
    resolution = _resolution(given, wavelength, header, stated)
    return Spectrum(
        name.strip(), wavelength[order], (flux * factor)[order], (error * factor)[order], mask[order],
        None if resolution is None else resolution[order],
        ra if both else None, dec if both else None, stored_unit, observation_of(header),
    )  # fmt: skip


def _wavelength(
    table: SpectrumTable,
    role: Mapping[str, str],
    given: Mapping[str, np.ndarray[Any, Any]],
    where: str,
    stated: Stated,
    header: Mapping[str, Any],
) -> FloatArray:
    """Wavelengths in Å in vacuum."""
    values = given["wavelength"].astype(np.float64)
    if role["wavelength"].lower() == "loglam":
        wavelength = 10.0**values
    else:
        wavelength = in_angstrom(values, table.units.get(role["wavelength"]), where)
    said = str(header.get("VACUUM", header.get("AIRORVAC", header.get("MEDIUM", "vacuum")))).lower()
    medium = stated.medium or ("air" if said in ("false", "0", "air", "f") else "vacuum")
    if stated.medium is None and str(header.get("CTYPE1", "")).startswith("AWAV"):
        medium = "air"
    if stated.medium is None and role["wavelength"].lower() == "awave":
        medium = "air"
    return vacuum(wavelength) if medium == "air" else wavelength


def _calibrated(
    given: Mapping[str, np.ndarray[Any, Any]], header: Mapping[str, Any]
) -> tuple[FloatArray, FloatArray]:
    """Flux and error; counts of slitless spectra are divided by what a flat spectrum gives.

    ``flat`` is that of grizli, whose flux has no contamination any more, ``sensitivity`` that of 3D-HST,
    whose flux still has it.
    """
    flux = given["flux"].astype(np.float64)
    if "error" in given:
        error = given["error"].astype(np.float64)
    else:
        inverse = "ivar" in given
        spread = given["ivar" if inverse else "variance"].astype(np.float64)
        positive = spread > 0
        safe = np.where(positive, spread, 1.0)
        error = np.where(positive, safe**-0.5 if inverse else safe**0.5, np.nan)
    if "sensitivity" in given and "contamination" in given:
        flux = flux - given["contamination"].astype(np.float64)
    for name in ("flat", "sensitivity"):
        if name in given:
            divisor = given[name].astype(np.float64)
            enough = (
                divisor > 0.05 * np.nanmax(divisor)
                if np.isfinite(divisor).any()
                else np.zeros(flux.size, bool)
            )
            divisor = np.where(enough, divisor, np.nan)
            flux, error = flux / divisor, error / divisor
    scale = float(header.get("FSCALE", 1.0))
    return flux * scale, error * scale


def _mask(values: np.ndarray[Any, Any] | None, size: int, name: str) -> npt.NDArray[np.bool_]:
    """Pixels that are bad: those with any bit set; ``quality`` that is a fraction is good from 0.5 on."""
    if values is None:
        return np.zeros(size, bool)
    if values.dtype.kind == "f":
        numbers = np.nan_to_num(values, nan=1.0)
        if name.lower() == "quality" and numbers.max(initial=0) <= 1:
            return np.asarray(numbers < 0.5)
        return np.asarray(numbers != 0)
    return np.asarray(values.astype(np.int64) != 0) if values.dtype.kind in "biu" else np.zeros(size, bool)


def _resolution(
    given: Mapping[str, np.ndarray[Any, Any]],
    wavelength: FloatArray,
    header: Mapping[str, Any],
    stated: Stated,
) -> FloatArray | None:
    """λ/FWHM: what the user says, a column, or a keyword; None where there is none."""
    if stated.resolution is not None:
        return np.full(wavelength.size, stated.resolution)
    if "lsf_pixels" in given:
        step = np.abs(np.gradient(np.log(wavelength)))
        width = given["lsf_pixels"].astype(np.float64) * step * FWHM_SIGMA
        return np.asarray(np.divide(1.0, width, out=np.full(width.size, np.nan), where=width > 0))
    if "resolution" in given:
        return np.asarray(given["resolution"], np.float64)
    for key in ("SPECRES", "SPEC_RP", "RESOLUTION", "R"):
        value = header.get(key)
        if isinstance(value, int | float) and value > 1:
            return np.full(wavelength.size, float(value))
    return None


def _degrees(value: Any) -> float | None:
    """A number of degrees; None where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _with_distinct_names(spectra: list[Spectrum]) -> list[Spectrum]:
    """Spectra whose names differ."""
    seen: dict[str, int] = {}
    out = []
    for one in spectra:
        seen[one.name] = number = seen.get(one.name, 0) + 1
        out.append(one if number == 1 else Spectrum(**(vars(one) | {"name": f"{one.name}#{number}"})))
    return out
