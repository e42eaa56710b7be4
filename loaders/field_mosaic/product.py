"""Mosaics of fields as files: RAD's ``wfi_mosaic``, written from arrays on disk and read in parts."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asdf
import numpy as np
import roman_datamodels
from astropy import coordinates, units
from astropy.modeling.models import Pix2Sky_Gnomonic, RotateNative2Celestial, Scale, Shift
from astropy.table import Table
from astropy.time import Time
from gwcs import WCS, coordinate_frames
from roman_datamodels.datamodels import MosaicModel

from loaders.field_mosaic.build import Mosaic
from loaders.field_mosaic.grid import FloatArray, MosaicGrid
from loaders.output_folder import writing
from loaders.rejection import Rejected

DETECTOR_SCALE = 0.11
"""Arcsec along a side of a pixel of the detectors."""

_NOT_APPLICABLE = "N/A"


@dataclass(frozen=True)
class MosaicKeywords:
    """What the file says of the mosaic besides its pixels.

    Parameters
    ----------
    field, season
        Name of the field and number of the season.
    optical_element
        Optical element.
    start, end, mean
        Begin of the first and end of the last exposure, and their mean epoch.
    exposure_time, max_exposure_time
        Of the exposures of an image, s: mean and largest over the images.
    images
        Files of the images that are in it, in order: bit k of ``context`` stands for image k.
    skies
        Background that was taken off each, MJy/sr.
    """

    field: str
    season: int
    optical_element: str
    start: Time
    end: Time
    mean: Time
    exposure_time: float
    max_exposure_time: float
    images: Sequence[Path]
    skies: Sequence[float]


def _unfinished(path: Path) -> str:
    """How the names of folders begin in which mosaics of the field, season and element are made."""
    return f".writing-{path.name.rpartition('_run')[0]}-"


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """A folder beside a file that is to be written, for what it is made of; gone at the end.

    What earlier attempts left that were killed goes first: it may be all the disk has.
    """
    for left in path.parent.glob(f"{_unfinished(path)}*"):
        shutil.rmtree(left, ignore_errors=True)
    with (
        writing(path.parent),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=_unfinished(path)) as folder,
    ):
        yield Path(folder)


def remove_earlier(path: Path) -> None:
    """Remove mosaics that are superseded, or were never registered, once another is."""
    for other in path.parent.glob(f"{path.name.rpartition('_run')[0]}_run*_mosaic.asdf"):
        if other != path:
            other.unlink(missing_ok=True)


def write_mosaic(path: Path, mosaic: Mosaic, keywords: MosaicKeywords, scratch: Path) -> None:
    """Write a mosaic; the file is there when it is whole, or not at all. No more than a part is in memory.

    Parameters
    ----------
    path
        File to write.
    mosaic
        The mosaic.
    keywords
        What else there is to say.
    scratch
        Folder on the disk of the file.

    Raises
    ------
    Rejected
        If the folder cannot be written.
    """
    model = MosaicModel()
    with asdf.open(keywords.images[0], lazy_tree=True) as file, roman_datamodels.open(file) as first:
        given = {name: copy.deepcopy(dict(first.meta[name])) for name in ("program", "observation")}
    model["meta"] = _meta(path, mosaic, keywords, given)
    for name in ("data", "err", "weight", "var_poisson", "var_rnoise", "context"):
        model[name] = np.asarray(getattr(mosaic.planes, name))
    with writing(path.parent):
        whole = scratch / path.name
        model.save(whole)
        whole.replace(path)


def _meta(path: Path, mosaic: Mosaic, keywords: MosaicKeywords, given: dict[str, Any]) -> dict[str, Any]:
    """Keywords of a mosaic."""
    names = ("title", "investigator_name", "category", "subcategory", "science_category")
    numbers, wcs = mosaic.statistics, mosaic_wcs(mosaic.grid)
    files = [image.name for image in keywords.images]
    return {
        "calibration_software_name": "roman-db",
        "calibration_software_version": version("roman-db"),
        "filename": path.name,
        "file_date": Time.now(),
        "model_type": "MosaicModel",
        "origin": "IPAC/SSC",
        "product_type": "l3",
        "telescope": "ROMAN",
        "association": {"name": _NOT_APPLICABLE},
        "cal_logs": [f"roman-db: season {keywords.season} of field {keywords.field}, {len(files)} images"],
        "cal_step": {
            "flux": "COMPLETE",
            "outlier_detection": "COMPLETE",
            "skymatch": "COMPLETE",
            "resample": "COMPLETE",
        },
        "coadd_info": {
            "time_first": keywords.start,
            "time_last": keywords.end,
            "time_mean": keywords.mean,
            "exposure_time": keywords.exposure_time,
            "max_exposure_time": keywords.max_exposure_time,
        },
        "coordinates": {"reference_frame": "ICRS"},
        "individual_image_meta": {"basic": Table({"filename": files})},
        "instrument": {"name": "WFI", "optical_element": keywords.optical_element},
        "observation": _observation(given["observation"]),
        "program": {name: given["program"].get(name) for name in names},
        "resample": _resample(mosaic, files),
        "statistics": {
            "image_median": numbers.median,
            "image_rms": numbers.deviation,
            "good_pixel_fraction": numbers.fraction_covered,
        },
        "wcs": wcs,
        "wcsinfo": _wcsinfo(mosaic.grid),
        "field_mosaic": {
            "field": keywords.field,
            "season": keywords.season,
            "images": files,
            "sky": [float(sky) for sky in keywords.skies],
        },
    }


def _observation(first: dict[str, Any]) -> dict[str, Any]:
    """Identifiers of a season: those that its exposures share."""
    names = ("execution_plan", "pass", "segment", "observation", "visit", "exposure", "exposure_grouping")
    return dict.fromkeys(names) | {"program": int(first["program"])}


def _resample(mosaic: Mosaic, files: Sequence[str]) -> dict[str, Any]:
    """How it was resampled: the noise is that of drops of a fine pixel."""
    return {
        "good_bits": _NOT_APPLICABLE,
        "members": list(files),
        "pixel_scale_ratio": mosaic.grid.pixel_scale / DETECTOR_SCALE,
        "pixfrac": 1 / mosaic.oversampling,
        "pointings": len(files),
        "weight_type": "ivm",
    }


def mosaic_wcs(grid: MosaicGrid) -> WCS:
    """The grid as a WCS of the file."""
    step = grid.pixel_scale / 3600
    transform = (
        Shift(-float(grid.x_ref)) & Shift(-float(grid.y_ref))
        | Scale(-step) & Scale(step)
        | Pix2Sky_Gnomonic()
        | RotateNative2Celestial(grid.ra, grid.dec, 180.0)
    )
    detector = coordinate_frames.Frame2D(name="detector", axes_order=(0, 1), unit=(units.pix, units.pix))
    sky = coordinate_frames.CelestialFrame(
        name="world", reference_frame=coordinates.ICRS(), unit=(units.deg, units.deg)
    )
    wcs = WCS([(detector, transform), (sky, None)])
    ny, nx = grid.shape
    wcs.bounding_box = ((-0.5, nx - 0.5), (-0.5, ny - 0.5))
    return wcs


def _wcsinfo(grid: MosaicGrid) -> dict[str, Any]:
    """The grid in keywords."""
    ny, nx = grid.shape
    middle = grid.to_sky(np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2]))
    above = grid.to_sky(np.array([(nx - 1) / 2]), np.array([(ny + 1) / 2]))
    (ra,), (dec,) = middle
    east = float((above[0][0] - ra) * np.cos(np.radians(dec)))
    corners = grid.to_sky(
        np.array([-0.5, nx - 0.5, nx - 0.5, -0.5]), np.array([-0.5, -0.5, ny - 0.5, ny - 0.5])
    )
    return {
        "ra_ref": grid.ra,
        "dec_ref": grid.dec,
        "x_ref": grid.x_ref,
        "y_ref": grid.y_ref,
        "rotation_matrix": [[-1.0, 0.0], [0.0, 1.0]],
        "pixel_scale_ref": grid.pixel_scale / 3600,
        "pixel_scale": grid.pixel_scale / 3600,
        "projection": "TAN",
        "s_region": "POLYGON ICRS " + " ".join(f"{a:.9f} {d:.9f}" for a, d in zip(*corners, strict=True)),
        "ra": float(ra),
        "dec": float(dec),
        "orientation_ref": 0.0,
        "orientation": float(np.degrees(np.arctan2(east, above[1][0] - dec))),
        "skycell_name": _NOT_APPLICABLE,
        "image_shape": [ny, nx],
    }


def read_small(path: Path, most: int) -> tuple[FloatArray, int]:
    """Read a mosaic as means of square blocks, some rows at a time.

    Parameters
    ----------
    path
        File that `write_mosaic` wrote.
    most
        Blocks along an axis, at most.

    Returns
    -------
    small : ndarray
        Shape (ny, nx): mean surface brightness of the pixels that there are, MJy/sr; NaN without one.
    side : int
        Pixels along a side of a block; those beyond the last whole block are left out.

    Raises
    ------
    Rejected
        If the file cannot be read.
    """
    try:
        with asdf.open(path, memmap=True, lazy_load=True) as file:
            return _blocks(np.asarray(file["roman"]["data"]), most)
    except (AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        what = f"it cannot be read as a mosaic: {' '.join(str(error).split())[:100]}"
        raise Rejected(
            str(path), what, "Remove it, then make it again: roman-db run season", "bad_mosaic"
        ) from error


def _blocks(data: np.ndarray, most: int) -> tuple[FloatArray, int]:
    """Means of blocks of an array; NaN does not count."""
    side = max(-(-max(data.shape) // most), 1)
    side = min(side, *data.shape)
    ny, nx = (length // side for length in data.shape)
    out = np.full((ny, nx), np.nan)
    for row in range(ny):
        strip = np.asarray(data[row * side : (row + 1) * side, : nx * side], dtype=np.float64)
        cells = strip.reshape(strip.shape[0], nx, -1)
        known = np.isfinite(cells).sum(axis=(0, 2))
        total = np.nansum(cells, axis=(0, 2))
        out[row] = np.where(known > 0, total / np.maximum(known, 1), np.nan)
    return out, side
