"""Cutouts of exposures and reference images (ASDF) in FITS."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asdf
import numpy as np
import numpy.typing as npt
from astropy import units as u
from astropy.io import fits

from roman_db.service_failure import BadRequest, Failure
from roman_db.vo.image_plane import FloatArray, SkyToPixel, ToSky, fits_wcs

#: Names of the planes in files of exposures and of reference images, and in FITS.
_PLANES = (("data", "SCI"), ("err", "ERR"), ("uncertainty", "ERR"), ("dq", "DQ"), ("mask", "DQ"))
#: Error of the WCS, pixels, that is not handed out any more.
_LARGEST_ERROR = 0.1


class Missing(Failure):
    """A product whose file is not at hand."""

    status = 404


@dataclass(frozen=True)
class Image:
    """An open image.

    Parameters
    ----------
    planes
        Arrays by their names in FITS, of one shape (ny, nx); read when they are sliced.
    to_sky
        Its WCS.
    unit
        Unit of SCI; empty where the file has none.
    """

    planes: Mapping[str, Any]
    to_sky: ToSky
    unit: str

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels (ny, nx)."""
        n_y, n_x = self.planes["SCI"].shape
        return n_y, n_x


def cutout(path: Path, outline: FloatArray | None, cards: Mapping[str, Any]) -> bytes | None:
    """FITS file with the part of an image in which a region lies; None where it lies beside the image.

    Parameters
    ----------
    path
        The image.
    outline
        Points on the outline of the region (ICRS, deg), shape (n, 2); None for the whole image.
    cards
        Further keywords of the primary header.

    Raises
    ------
    Missing
        If the file is not at hand, or cannot be read.
    """
    with open_image(path) as image:
        box = pixel_box(image, outline)
        return None if box is None else _fits(image, box, cards)


@contextmanager
def open_image(path: Path) -> Iterator[Image]:
    """Open an image while the context lasts; raises `Missing` where that cannot be done."""
    try:
        opened = asdf.open(path, lazy_load=True)
    except (OSError, ValueError) as error:
        raise Missing("the file of the image is not at hand") from error
    with opened as file:
        try:
            tree = file["roman"]
            planes = {name: tree[ours] for ours, name in _PLANES if ours in tree}
            unit = getattr(planes["SCI"], "unit", None)
            found = Image(
                {name: getattr(plane, "value", plane) for name, plane in planes.items()},
                _to_sky(tree["meta"]["wcs"]),
                "" if unit is None else u.Unit(unit).to_string("generic"),
            )
        except (KeyError, AttributeError, ValueError) as error:
            raise Missing("the file of the image cannot be read") from error
        yield found


def _to_sky(wcs: Any) -> ToSky:
    """Places (deg) of pixels, by a WCS of `gwcs`."""
    scale = [float(u.Unit(one).to(u.deg)) for one in wcs.output_frame.unit]

    def places(pixels: FloatArray) -> FloatArray:
        found = wcs(*pixels.T, with_bounding_box=False)
        values = [getattr(one, "value", one) for one in found]
        return np.stack([np.asarray(one, np.float64) * scale[n] for n, one in enumerate(values)], axis=1)

    return places


def pixel_box(image: Image, outline: FloatArray | None) -> tuple[slice, slice] | None:
    """Rows and columns in which a region lies; None where it lies beside the image."""
    n_y, n_x = image.shape
    if outline is None:
        return slice(0, n_y), slice(0, n_x)
    pixels = SkyToPixel(image.to_sky, image.shape)(outline)
    if np.isnan(pixels).any():
        if np.isnan(pixels).all():
            return None
        raise BadRequest(
            "the region is much larger than the image: ask for the whole image, or a smaller one"
        )
    low, high = np.floor(pixels.min(axis=0) + 0.5).astype(int), np.floor(pixels.max(axis=0) + 0.5).astype(int)
    x, y = (slice(max(low[n], 0), min(high[n] + 1, size)) for n, size in ((0, n_x), (1, n_y)))
    return None if x.start >= x.stop or y.start >= y.stop else (y, x)


def _fits(image: Image, box: tuple[slice, slice], cards: Mapping[str, Any]) -> bytes:
    """FITS file of a part of an image."""
    rows, columns = box
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    wcs, error = fits_wcs(image.to_sky, (columns.start, rows.start), shape)
    if error > _LARGEST_ERROR:
        raise BadRequest("the distortion of so large a part cannot be said in FITS: ask for a smaller one")
    header = wcs.to_header(relax=True)
    primary = fits.PrimaryHDU()
    for name, value in cards.items():
        primary.header[name] = value
    primary.header["WCSERR"] = (round(error, 6), "largest error of the WCS [pixel]")
    primary.header["XSTART"] = (columns.start, "first column of the image, from 0")
    primary.header["YSTART"] = (rows.start, "first row of the image, from 0")
    planes = [fits.ImageHDU(_native(plane[box]), header, name=name) for name, plane in image.planes.items()]
    if image.unit:
        for plane in planes:
            if plane.name != "DQ":
                plane.header["BUNIT"] = image.unit
    out = io.BytesIO()
    fits.HDUList([primary, *planes]).writeto(out)
    return out.getvalue()


def _native(plane: Any) -> npt.NDArray[Any]:
    """Pixels as FITS can have them: it knows no truth values, and no numbers of two bytes but integers."""
    values = np.array(plane)
    wider = {np.dtype(bool): np.uint8, np.dtype(np.float16): np.float32}.get(values.dtype)
    return values if wider is None else values.astype(wider)
