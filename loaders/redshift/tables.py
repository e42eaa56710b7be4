"""Tables of files, one spectrum or many, as columns with units."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asdf
import numpy as np
from astropy.io import fits
from astropy.table import Table

from loaders.input_file import beginning, read_bytes
from loaders.rejection import Rejected

_HEAD = 4096


@dataclass(frozen=True)
class SpectrumTable:
    """A table.

    Parameters
    ----------
    name
        What the file calls it: the name of the extension or of the branch; empty where it has none.
    columns
        By name: arrays of shape (n,), or (s, n) of s spectra.
    units
        By name of the column, where the file states one.
    header
        Keywords of the table, and of the file where the table has none of that name; keys in capitals.
    """

    name: str
    columns: dict[str, np.ndarray[Any, Any]]
    units: dict[str, str]
    header: dict[str, Any]


def read_tables(path: Path) -> list[SpectrumTable]:
    """Read all tables and images of spectra of a file: FITS, ASDF, VOTable or ECSV, told from the content.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``empty_file``, ``unknown_format``,
        ``unreadable_spectrum``.
    """
    head = read_bytes(path, "one file: a spectrum", _HEAD)
    if not head:
        raise Rejected(str(path), "the file is empty", "Fetch or write it again", "empty_file")
    with _rejecting(path):
        if head.startswith(b"SIMPLE  ="):
            return _fits(path)
        if head.startswith(b"#ASDF"):
            return _asdf(path)
        if b"<VOTABLE" in head:
            return [_table(Table.read(path, format="votable"))]
        if head.lstrip().startswith(b"# %ECSV"):
            return [_table(Table.read(path, format="ascii.ecsv"))]
    what = f"neither FITS, ASDF, VOTable nor ECSV: it is {beginning(head)}"
    remedy = "Decompress it" if head.startswith(b"\x1f\x8b") else "Convert it to one of these"
    raise Rejected(str(path), what, remedy, "unknown_format")


@contextmanager
def _rejecting(path: Path) -> Iterator[None]:
    """Make of what readers raise a rejection of the file; what they warn of is no concern of the user."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Rejected:
        raise
    except Exception as error:
        what = f"cannot be read as a spectrum ({type(error).__name__}: {' '.join(str(error).split())[:150]})"
        raise Rejected(str(path), what, "Fetch or write it again", "unreadable_spectrum") from error


def _table(table: Table) -> SpectrumTable:
    """A table of astropy."""
    columns = {name: _filled(table[name]) for name in table.colnames}
    units = {name: str(table[name].unit) for name in table.colnames if table[name].unit is not None}
    header = {str(key).upper(): value for key, value in table.meta.items()}
    return SpectrumTable(str(table.meta.get("name", "")), columns, units, header)


def _filled(column: Any) -> np.ndarray[Any, Any]:
    """Values of a column; NaN where a number is masked."""
    values = np.ma.asarray(getattr(column, "value", column))
    if values.dtype.kind == "f":
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    return np.asarray(np.ma.filled(values))


def _fits(path: Path) -> list[SpectrumTable]:
    """Tables of a FITS file; where there is none, its images as columns on the wavelengths of the first."""
    with fits.open(path, memmap=False) as file:
        primary = dict(file[0].header)
        found = [
            _fits_table(hdu, primary)
            for hdu in file
            if isinstance(hdu, fits.BinTableHDU) and hdu.data is not None
        ]
        images = {
            hdu.name or str(k): hdu for k, hdu in enumerate(file) if hdu.is_image and hdu.data is not None
        }
        if images and not any(
            "wave" in name.lower() or "lam" in name.lower() for one in found for name in one.columns
        ):
            return [_fits_images(images, primary)]
    return found


def _fits_table(hdu: fits.BinTableHDU, primary: Mapping[str, Any]) -> SpectrumTable:
    """A binary table."""
    columns, units = {}, {}
    for column in hdu.columns:
        values = np.asarray(hdu.data[column.name])
        columns[column.name] = values.astype(values.dtype.newbyteorder("="))
        if column.unit:
            units[column.name] = column.unit
    header = {**primary, **{key: value for key, value in hdu.header.items() if value != ""}}
    return SpectrumTable(hdu.name, columns, units, header)


def _fits_images(images: Mapping[str, Any], primary: Mapping[str, Any]) -> SpectrumTable:
    """Images of one or two dimensions, along whose last axis the wavelength runs (spPlate, IRAF, UVES)."""
    first = next(iter(images.values()))
    header = {**primary, **dict(first.header)}
    columns = {name: np.asarray(hdu.data, np.float64) for name, hdu in images.items() if hdu.data.ndim <= 2}
    flux = next(iter(images))
    columns["flux"] = columns.pop(flux)
    pixel = np.arange(columns["flux"].shape[-1])
    units = {"flux": str(header["BUNIT"])} if header.get("BUNIT") else {}
    if "COEFF0" in header:
        columns["loglam"] = header["COEFF0"] + header["COEFF1"] * pixel
    elif "CRVAL1" in header:
        step = header.get("CDELT1", header.get("CD1_1", 1.0))
        at = header["CRVAL1"] + step * (pixel + 1 - header.get("CRPIX1", 1.0))
        columns["loglam" if header.get("DC-FLAG") == 1 else "wavelength"] = at
        if header.get("CUNIT1"):
            units["wavelength"] = str(header["CUNIT1"])
    return SpectrumTable("", columns, units, header)


def _asdf(path: Path) -> list[SpectrumTable]:
    """Every branch of an ASDF tree that holds a wavelength."""
    with asdf.open(path, memmap=False, lazy_load=False) as file:
        return list(_branches(file.tree, ""))


def _branches(tree: Any, name: str) -> Iterator[SpectrumTable]:
    """Tables of a branch and of those below it."""
    if isinstance(tree, Table):
        yield _table(tree)
        return
    if not isinstance(tree, Mapping):
        return
    arrays = {str(key): value for key, value in tree.items() if len(getattr(value, "shape", ())) > 0}
    columns = {
        key: _filled(value) for key, value in arrays.items() if not isinstance(value, str | Mapping | Table)
    }
    if any(key.lower() in ("wavelength", "wave", "wl", "lambda") for key in columns):
        units = {key: str(arrays[key].unit) for key in columns if hasattr(arrays[key], "unit")}
        plain = {k: v for k, v in tree.items() if isinstance(v, str | int | float)}
        for key in columns:
            stated = tree.get(f"{key}_unit", tree.get("unit_" + {"wavelength": "wl"}.get(key, key)))
            if stated is not None:
                units[key] = str(stated)
        meta = tree.get("meta")
        more = (
            {k: v for k, v in meta.items() if isinstance(v, str | int | float)}
            if isinstance(meta, Mapping)
            else {}
        )
        header = {str(key).upper(): value for key, value in (more | plain).items()}
        yield SpectrumTable(name, columns, units, header)
        return
    for key, value in tree.items():
        if str(key) not in ("asdf_library", "history"):
            yield from _branches(value, str(key))
