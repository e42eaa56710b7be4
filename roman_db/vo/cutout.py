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
from roman_db.vo.shapes import Region

#: Names of the planes in files of exposures and of reference images, and in FITS.
_PLANES = (("data", "SCI"), ("err", "ERR"), ("uncertainty", "ERR"), ("dq", "DQ"), ("mask", "DQ"))
#: Points of an outline in a pixel, at least.
_PER_PIXEL = 4
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


def cutout(path: Path, region: Region | None, cards: Mapping[str, Any]) -> bytes | None:
    """FITS file with the part of an image in which a region lies; None where it lies beside the image.

    Parameters
    ----------
    path
        The image.
    region
        The region; None for the whole image.
    cards
        Further keywords of the primary header.

    Raises
    ------
    Missing
        If the file is not at hand, or cannot be read.
    """
    with open_image(path) as image:
        box = pixel_box(image, region)
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


def pixel_box(image: Image, region: Region | None) -> tuple[slice, slice] | None:
    """Rows and columns in which a region lies; None where it lies beside the image.

    What region and image share reaches farthest where the outline of the one lies in the other.
    """
    n_y, n_x = image.shape
    if region is None:
        return slice(0, n_y), slice(0, n_x)
    outline = SkyToPixel(image.to_sky, image.shape)(region.outline())
    shared = _between(outline)
    shared = shared[_is_on(shared, image.shape)]
    if not _is_on(outline, image.shape).all():
        border = _border(image.shape)
        shared = np.concatenate([shared, border[region.contains(image.to_sky(border))]])
    if not len(shared):
        return None
    low, high = (np.floor(end + 0.5).astype(int) for end in (shared.min(axis=0), shared.max(axis=0)))
    x, y = (slice(min(low[n], size - 1), min(high[n] + 1, size)) for n, size in ((0, n_x), (1, n_y)))
    return y, x


def _is_on(pixels: FloatArray, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Whether pixels (x, y), shape (n, 2), are on an image of a shape (ny, nx); NaN is not."""
    return np.asarray(((pixels >= -0.5) & (pixels <= np.array(shape[::-1]) - 0.5)).all(axis=1))


def _between(outline: FloatArray) -> FloatArray:
    """Points along an outline, shape (n, 2), a fraction of a pixel apart; where it is NaN there are none."""
    steps = np.roll(outline, -1, axis=0) - outline
    is_known = np.isfinite(steps).all(axis=1)
    size = int(_PER_PIXEL * np.abs(steps[is_known]).max(initial=0)) + 1
    share = np.arange(size)[:, None] / size
    return (outline[is_known, None] + share * steps[is_known, None]).reshape(-1, 2)


def _border(shape: tuple[int, int]) -> FloatArray:
    """Points (x, y) on the edges of an image of some pixels (ny, nx), a pixel apart, shape (n, 2)."""
    x, y = (np.arange(size + 1) - 0.5 for size in shape[::-1])
    edges = [(x, np.full_like(x, end)) for end in y[[0, -1]]] + [
        (np.full_like(y, end), y) for end in x[[0, -1]]
    ]
    return np.concatenate([np.stack(edge, axis=1) for edge in edges])


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
