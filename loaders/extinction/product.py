"""The map of extinction as files: HEALPix of many orders and of one in FITS, and a table in ASDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asdf
import numpy as np
import numpy.typing as npt
import yaml
from astropy import units as u
from astropy.io import fits
from astropy.table import Column, Table
from astropy.time import Time

from loaders.extinction.cell import PAIRS
from loaders.extinction.configuration import ELEMENTS, REFERENCE, default_mapping
from loaders.typed_yaml import merge
from loaders.wfi.catalog_product import write_whole

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_OF_ELEMENT = {
    "extinction": ("A_{}", u.mag, "Extinction in {}"),
    "extinction_err": ("A_{}_ERR", u.mag, "Standard error of A_{}, with what all cells share"),
    "extinction_covariance_f146": ("A_{}_COV", u.mag**2, "Covariance of the extinctions in {} and F146"),
    "clump_mag": ("CLUMP_{}", u.mag, "AB magnitude of the red clump in {}"),
    "clump_mag_err": ("CLUMP_{}_ERR", u.mag, "Its standard error, from the stars of the cell alone"),
    "clump_mag_intrinsic": ("CLUMP0_{}", u.mag, "AB magnitude of the red clump in {} without dust, assumed"),
}
"""Columns of the table in the database: names, units and descriptions in files."""


@dataclass(frozen=True)
class Provenance:
    """What made a map: run, commit, revision of the schema, and what the configuration changed."""

    load_run_id: int
    code_version: str
    schema_version: str
    changes: Mapping[str, Any]

    def configuration(self) -> dict[str, Any]:
        """What was assumed."""
        return merge(default_mapping(), self.changes)


@dataclass(frozen=True)
class ExtinctionMap:
    """The cells of a map.

    Parameters
    ----------
    order, index
        Shape (n,): nested HEALPix pixels (ICRS), no two of which overlap.
    values
        By optical element and column of ``roman.extinction``, shape (n,) each; NaN where not known.
    n_star, status
        By optical element, shape (n,) each.
    provenance
        What made it.
    """

    order: IntArray
    index: IntArray
    values: Mapping[str, Mapping[str, FloatArray]]
    n_star: Mapping[str, IntArray]
    status: Mapping[str, npt.NDArray[np.str_]]
    provenance: Provenance

    def __len__(self) -> int:
        return self.order.size

    @classmethod
    def from_columns(cls, columns: Mapping[str, Sequence[Any]], provenance: Provenance) -> ExtinctionMap:
        """Make a map of columns of the table; each cell has one row an element."""
        element = np.array(columns["optical_element"])
        mine = {one: np.flatnonzero(element == one) for one in ELEMENTS}
        place = {name: np.array(columns[name], np.int64) for name in ("healpix_order", "healpix_index")}
        order, index = (place[name][mine[REFERENCE]] for name in place)
        for one, rows in mine.items():
            same = [np.array_equal(place[name][rows], place[name][mine[REFERENCE]]) for name in place]
            if not all(same):
                raise ValueError(f"cells of {one} are not those of {REFERENCE}: make the map again")
        number = {name: np.array(columns[name], np.float64) for name in _OF_ELEMENT}
        values = {one: {name: number[name][rows] for name in _OF_ELEMENT} for one, rows in mine.items()}
        n_star = {one: np.array(columns["n_star"], np.int64)[rows] for one, rows in mine.items()}
        status = {one: np.array(columns["status"])[rows] for one, rows in mine.items()}
        return cls(order, index, values, n_star, status, provenance)

    def reddening(self, pair: tuple[str, str]) -> tuple[FloatArray, FloatArray]:
        """Colour excess (mag) of the first against the second element, one of them F146, and its error.

        Returns
        -------
        reddening, error : ndarray
            Shape (n,); NaN where one of them is not known. The errors of both extinctions are correlated.
        """
        blue, red = (self.values[one] for one in pair)
        other = blue if pair[1] == REFERENCE else red
        variance = blue["extinction_err"] ** 2 + red["extinction_err"] ** 2
        variance = variance - 2 * other["extinction_covariance_f146"]
        return blue["extinction"] - red["extinction"], np.sqrt(np.maximum(variance, 0.0))


def map_table(current: ExtinctionMap) -> Table:
    """The map as a table, a row a cell, without its place."""
    columns = []
    for one in ELEMENTS:
        for name, (title, unit, text) in _OF_ELEMENT.items():
            values = current.values[one][name].astype(np.float32)
            columns.append(Column(values, name=title.format(one), unit=unit, description=text.format(one)))
        columns.append(Column(current.n_star[one].astype(np.int32), name=f"N_{one}", description="Stars"))
        said = "fitted, or why there is no clump"
        columns.append(Column(current.status[one], name=f"STATUS_{one}", description=said))
    for pair in PAIRS:
        title = f"E_{pair[0]}_{pair[1]}"
        excess, error = (some.astype(np.float32) for some in current.reddening(pair))
        columns.append(Column(excess, name=title, unit=u.mag, description="Reddening"))
        columns.append(Column(error, name=f"{title}_ERR", unit=u.mag, description="Its standard error"))
    return Table(columns)


def write_fits(current: ExtinctionMap, path: Path) -> None:
    """Write a FITS file with two tables; it is there when it is whole, or not at all.

    ``MULTIORDER`` has the cells as they are, numbered by NUNIQ, ``4 * 4**order + index`` (IVOA, MOC 2.0,
    section 4.3.1). ``HEALPIX`` has all of them cut into pixels of the finest order, as packages read that
    know one order only: nested, explicit numbers (Calabretta & Roukema 2007; keywords of the HEALPix primer).
    """
    table = map_table(current)
    cells = table.copy()
    uniq = (np.int64(4) << 2 * current.order) + current.index
    cells.add_column(Column(uniq, name="UNIQ", description="NUNIQ number of the cell"), 0)
    ascending = np.argsort(uniq)
    finest = int(current.order.max())
    moc = {
        "PIXTYPE": "HEALPIX", "ORDERING": "NUNIQ", "COORDSYS": "C", "INDXSCHM": "EXPLICIT",
        "MOCORDER": finest, "MOCVERS": "2.0", "MOCDIM": "SPACE",
    }  # fmt: skip
    plain, pixels = _one_order(current, table, finest)
    one_order = {
        "PIXTYPE": "HEALPIX", "ORDERING": "NESTED", "COORDSYS": "C", "INDXSCHM": "EXPLICIT",
        "OBJECT": "PARTIAL", "NSIDE": 2**finest, "OBS_NPIX": pixels, "BAD_DATA": "NaN",
    }  # fmt: skip
    hdus = fits.HDUList(
        [
            _primary(current.provenance),
            _hdu(cells[ascending], "MULTIORDER", moc),
            _hdu(plain, "HEALPIX", one_order),
        ]
    )
    write_whole(path, hdus.writeto)


def write_asdf(current: ExtinctionMap, path: Path) -> None:
    """Write an ASDF file: ``roman.meta`` says what was assumed, ``roman.extinction`` has the cells."""
    table = map_table(current)
    place = {"healpix_order": current.order.astype(np.int16), "healpix_index": current.index}
    table.add_columns([Column(values, name=name) for name, values in place.items()], indexes=[0, 0])
    made = current.provenance
    meta = _meta(made) | {"configuration": made.configuration(), "frame": "ICRS", "ordering": "nested"}
    tree = asdf.AsdfFile({"roman": {"meta": meta, "extinction": table}})
    write_whole(path, tree.write_to)


def _one_order(current: ExtinctionMap, table: Table, finest: int) -> tuple[Table, int]:
    """All cells cut into pixels of an order, in ascending order, and their number; texts are left out."""
    times = 4 ** (finest - current.order)
    row = np.repeat(np.arange(len(current)), times)
    within = np.arange(row.size) - np.repeat(np.cumsum(times) - times, times)
    pixel = current.index[row] * times[row] + within
    ascending = np.argsort(pixel)
    numeric = [name for name in table.colnames if table[name].dtype.kind != "U"]
    out = table[numeric][row[ascending]]
    out.add_column(Column(pixel[ascending], name="PIXEL"), 0)
    return out, pixel.size


def _hdu(table: Table, name: str, keywords: Mapping[str, Any]) -> fits.BinTableHDU:
    """A table with keywords."""
    hdu = fits.BinTableHDU(table, name=name)
    hdu.header.update(keywords)
    return hdu


def _primary(made: Provenance) -> fits.PrimaryHDU:
    """What made the map, and as comments all that was assumed."""
    hdu = fits.PrimaryHDU()
    names = ("TELESCOP", "INSTRUME", "ORIGIN", "CREATOR", "DATE", "RUN", "COMMIT", "SCHEMA")
    hdu.header.update(zip(names, _meta(made).values(), strict=True))
    text = yaml.safe_dump(made.configuration(), sort_keys=False, width=68)
    for line in ("Assumed (YAML):", *text.splitlines()):
        hdu.header.add_comment(line)
    return hdu


def _meta(made: Provenance) -> dict[str, Any]:
    """What made the map."""
    return {
        "telescope": "ROMAN",
        "instrument": "WFI",
        "origin": "roman-db",
        "software": f"roman-db {version('roman-db')}",
        "file_date": Time.now().utc.isot,
        "load_run_id": made.load_run_id,
        "code_version": made.code_version,
        "schema_version": made.schema_version,
    }
