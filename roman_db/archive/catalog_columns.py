"""Whether the file of a source catalog says what the database says, to the last bit.

The file has more columns than the database; those that both have must be equal. A band is part of the names
of columns in catalogs of several: ``psf_f158_flux``, ``psf_gof_f158``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

#: What stands for an unknown number in columns of integers in the file; the database has NULL.
_NO_INTEGER = -1
#: Columns of photometry, and where the band stands in their names: before this piece, or at the end.
_BEFORE = ("_flux_err", "_flux")
_AFTER_STEM = {"ra_psf_err": "ra_psf_{}_err", "dec_psf_err": "dec_psf_{}_err"}
_APERTURES = {"aper_flux": "", "aper_flux_err": "_err", "matched_flux": "", "matched_flux_err": "_err"}

Columns = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Band:
    """An optical element in a catalog.

    Parameters
    ----------
    tag, matched_tag
        How names of columns have it, as measured and after convolution to the PSF of the reference: f158,
        f158mf213; empty and None in catalogs of one band.
    aper_radius
        Radii of the apertures, arcsec.
    prefix
        What stands before all names of what was forced.
    """

    tag: str
    matched_tag: str | None
    aper_radius: tuple[float, ...]
    prefix: str = ""


def band_of(element: str, reference: str | None, aper_radius: Sequence[float]) -> Band:
    """Band of a catalog.

    Parameters
    ----------
    element
        Optical element.
    reference
        That to whose PSF others were matched; None in a catalog of one band.
    aper_radius
        Radii of the apertures, arcsec.

    >>> band_of("F158", "F213", [0.4]).matched_tag
    'f158mf213'
    """
    if reference is None:
        return Band("", None, tuple(aper_radius))
    tag, other = element.lower(), reference.lower()
    return Band(tag, tag if tag == other else f"{tag}m{other}", tuple(aper_radius))


def as_arrays(table: pa.Table) -> dict[str, npt.NDArray[Any]]:
    """Columns of a table by name, shape (n,), or (n, k) of lists of length k.

    NULL is NaN where numbers are floating, and masked else. A column of lists that has none is left out.
    """
    found: dict[str, npt.NDArray[Any]] = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_list(column.type):
            if column.null_count < len(column):
                found[name] = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
        elif pa.types.is_floating(column.type):
            found[name] = pc.fill_null(column, float("nan")).to_numpy(zero_copy_only=False)
        else:
            filled = pc.fill_null(column, pa.scalar(0).cast(column.type)).to_numpy(zero_copy_only=False)
            found[name] = np.ma.array(filled, mask=column.is_null().to_numpy(zero_copy_only=False))
    return found


def file_columns(photometry: Columns, band: Band) -> dict[str, npt.NDArray[Any]]:
    """Columns of ``roman.source_photometry`` under the names of the file.

    Parameters
    ----------
    photometry
        Columns by name, shape (n,), those of apertures (n, n_radius).
    band
        The band that they are of.
    """
    found: dict[str, npt.NDArray[Any]] = {}
    for name, values in photometry.items():
        if name in _APERTURES:
            tag = band.matched_tag if name.startswith("matched") else band.tag
            if tag is not None:
                found |= _apertures(values, tag, _APERTURES[name], band.aper_radius)
        elif not name.startswith("matched"):
            found[_with_band(name, band.tag)] = values
        elif band.matched_tag is not None:
            found[_with_band(name.removeprefix("matched_"), band.matched_tag)] = values
    return {f"{band.prefix}{name}": values for name, values in found.items()}


def differences(file: Columns, stored: Columns) -> Iterator[str]:
    """Say of each stored column how it differs from that of the file; nothing where all are equal.

    Where the rows are not as many, nothing further is compared.

    Parameters
    ----------
    file
        Columns of the file by name.
    stored
        Those of the database under the names of the file; NULL is masked or NaN.
    """
    for name, expected in stored.items():
        if name not in file:
            if not np.ma.getmaskarray(expected).all() and not _all_nan(expected):
                yield f"{name}: the file has no such column"
        elif len(file[name]) != len(expected):
            yield f"{name}: {len(file[name])} rows in the file, {len(expected)} in the database"
            return
        elif wrong := int((~_same(file[name], expected)).sum()):
            yield f"{name}: {wrong} of {len(expected)} rows differ from those of the database"


def _same(file: npt.NDArray[Any], expected: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which values are the same, in the type of the database."""
    missing = np.ma.getmaskarray(expected)
    plain = np.ma.getdata(expected)
    given = np.asarray(file)
    if plain.dtype.kind == "f":
        given = given.astype(plain.dtype)
        return np.asarray((given == plain) | (np.isnan(given) & (missing | np.isnan(plain))))
    return np.asarray(np.where(missing, given == _NO_INTEGER, given == plain))


def _all_nan(values: npt.NDArray[Any]) -> bool:
    """Whether there is no value at all."""
    plain = np.ma.getdata(values)
    return bool(plain.dtype.kind == "f" and np.isnan(plain).all())


def _apertures(
    values: npt.NDArray[Any], tag: str, end: str, radii: Sequence[float]
) -> dict[str, npt.NDArray[Any]]:
    """One column an aperture, named by its radius in tenths of an arcsec."""
    return {
        _with_band(f"aper{round(radius * 10):02d}_flux{end}", tag): values[:, k]
        for k, radius in enumerate(radii)
    }


def _with_band(name: str, tag: str) -> str:
    """Name of a column in the file."""
    if not tag:
        return name
    if name in _AFTER_STEM:
        return _AFTER_STEM[name].format(tag)
    for end in _BEFORE:
        if name.endswith(end):
            return f"{name.removesuffix(end)}_{tag}{end}"
    return f"{name}_{tag}"
