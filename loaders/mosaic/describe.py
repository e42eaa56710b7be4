"""What the database keeps of a Level-3 mosaic."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.time import Time

from loaders.input_file import fingerprint
from loaders.rejection import Rejected
from loaders.static_catalog.image import SkyImage
from loaders.static_catalog.mosaic import read_mosaic
from loaders.wfi.footprint import footprint
from loaders.wfi.projection import SkyProjection
from loaders.wfi.wcs import projection_of_wcs

_NO_CELL = "N/A"
_ELEMENT = re.compile(r"_f\d{3}(?=_|$)")

#: Pixels by which the grids of two mosaics may differ anywhere and be one grid.
GRID_TOLERANCE = 0.05


@dataclass(frozen=True)
class PixelGrid:
    """The pixels of a mosaic on the sky.

    Parameters
    ----------
    name
        Of the cell in the tessellation of the sky; made of the position where the mosaic says none.
    ra, dec
        The middle, deg ICRS.
    orientat
        Position angle of the y axis in the middle, deg, north through east, -180 to 180.
    pixel_scale
        Arcsec: root of the area of a pixel in the middle.
    n_x, n_y
        Pixels along x and y.
    """

    name: str
    ra: float
    dec: float
    orientat: float
    pixel_scale: float
    n_x: int
    n_y: int

    def is_same(self, other: PixelGrid) -> bool:
        """Whether the pixels of two grids lie on one another to `GRID_TOLERANCE`, whatever their names."""
        if (self.n_x, self.n_y) != (other.n_x, other.n_y):
            return False
        reach = np.hypot(self.n_x, self.n_y) / 2
        east = (self.ra - other.ra + 180) % 360 - 180
        shift = np.hypot(east * np.cos(np.radians(self.dec)), self.dec - other.dec) * 3600 / self.pixel_scale
        turn = abs(np.radians((self.orientat - other.orientat + 180) % 360 - 180)) * reach
        stretch = abs(self.pixel_scale / other.pixel_scale - 1) * reach
        return bool(max(shift, turn, stretch) <= GRID_TOLERANCE)


@dataclass(frozen=True)
class MosaicDescription:
    """A mosaic as it is to be stored; times are MJD in TDB, see ``roman.mosaic``."""

    path: Path
    sha256: str
    size_bytes: int
    set_name: str
    optical_element: str
    grid: PixelGrid
    file_date: datetime
    time_first_mjd_tdb: float
    time_last_mjd_tdb: float
    time_mean_mjd_tdb: float
    exposure_time: float
    n_exposure: int
    pixfrac: float
    fraction_usable: float
    footprint: npt.NDArray[np.int64]


def describe_mosaic(path: Path) -> MosaicDescription:
    """Read a Level-3 file and tell what is stored of it.

    Raises
    ------
    Rejected
        Codes of `read_mosaic` and `projection_of_wcs`; ``no_members`` if it names none that went into it,
        ``artificial_sources``, ``bad_time``.
    """
    mosaic = read_mosaic(path)
    sha256, size = fingerprint(path)
    assert sha256 is not None
    assert size is not None
    _check(path, mosaic)
    ny, nx = mosaic.data.shape
    projection = projection_of_wcs(lambda: mosaic.wcs, (ny, nx), path)
    coadd = mosaic.meta.coadd_info
    with warnings.catch_warnings():
        # Leap seconds of the survey's years are not announced yet.
        warnings.filterwarnings("ignore", message=".*dubious year.*")
        first, last, mean = (float(coadd[name].tdb.mjd) for name in ("time_first", "time_last", "time_mean"))
        file_date = _datetime(mosaic.meta.file_date)
    if not first <= mean <= last:
        what = f"the times {first:.5f}, {mean:.5f} and {last:.5f} (first, mean, last; MJD) are not in order"
        raise Rejected(f"{path}: meta.coadd_info", what, "Make the mosaic again", "bad_time")
    return MosaicDescription(
        path=path.absolute(),
        sha256=sha256,
        size_bytes=size,
        set_name=set_name(path.name),
        optical_element=mosaic.optical_element,
        grid=pixel_grid(mosaic, projection),
        file_date=file_date,
        time_first_mjd_tdb=first,
        time_last_mjd_tdb=last,
        time_mean_mjd_tdb=mean,
        exposure_time=float(coadd.exposure_time),
        n_exposure=len(mosaic.meta.resample.members),
        pixfrac=float(mosaic.meta.resample.pixfrac),
        fraction_usable=float(mosaic.good.mean()),
        footprint=footprint(projection),
    )


def set_name(filename: str) -> str:
    """Name of a mosaic's file without its ending, level and optical element.

    Examples
    --------
    >>> set_name("r00001_full_270p65x50y49_f158_coadd.asdf")
    'r00001_full_270p65x50y49'
    """
    return _ELEMENT.sub("", filename.removesuffix(".asdf").removesuffix("_coadd"))


def pixel_grid(mosaic: SkyImage, projection: SkyProjection) -> PixelGrid:
    """The grid that the pixels of a mosaic are."""
    ny, nx = projection.shape
    middle = np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2])
    (ra,), (dec,) = projection.to_sky(*middle)
    east, north = projection.jacobian(*middle)[0][:, 1]
    given = getattr(mosaic.meta.wcsinfo, "skycell_name", None)
    name = given if given not in (None, "", _NO_CELL) else f"J{ra:09.5f}{dec:+09.5f}"
    orientation = float(np.degrees(np.arctan2(east, north)))
    return PixelGrid(name, float(ra), float(dec), orientation, mosaic.pixel_scale, nx, ny)


def _check(path: Path, mosaic: SkyImage) -> None:
    """Refuse what cannot be used although it is a mosaic."""
    if "injection" in mosaic.meta:
        what = "artificial sources were added to it"
        raise Rejected(str(path), what, "Load the mosaic that they were added to", "artificial_sources")
    if not mosaic.meta.resample.members:
        what = "it names no exposure, from which its PSF would be known"
        raise Rejected(f"{path}: meta.resample.members", what, "Make the mosaic again", "no_members")


def _datetime(moment: Any) -> datetime:
    """Moment in UTC with its time zone."""
    stamp: datetime = Time(moment).utc.to_datetime()
    return stamp.replace(tzinfo=UTC)
