"""A Level-3 mosaic as arrays in nJy, with its noise."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asdf
import numpy as np
import roman_datamodels
from asdf.exceptions import ValidationError
from roman_datamodels.datamodels import MosaicModel

from loaders.input_file import read_bytes
from loaders.rejection import Rejected
from loaders.static_catalog.correlation import FloatArray, drizzle_correlation
from loaders.static_catalog.image import BoolArray, Float32Array, SkyImage, pixel_area
from loaders.wfi.asdf_blocks import missing_end

_NJY_OF_MEGAJANSKY = 1e15
_FETCH = "Fetch the file again from the archive"
_MAKE_AGAIN = "Make the mosaic again, or leave it out"


def read_mosaic(path: Path) -> SkyImage:
    """Read a Level-3 file.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``empty_file``, ``not_asdf``, ``truncated``,
        ``corrupted``, ``schema_violation``, ``not_level3``, and those of `mosaic_of`.
    """
    start = read_bytes(path, "a Level-3 file (_coadd.asdf)", 5)
    if not start:
        raise Rejected(str(path), "the file is empty", _FETCH, "empty_file")
    if start != b"#ASDF":
        raise Rejected(str(path), "expected ASDF, found something else", "Give a Level-3 file", "not_asdf")
    if missing := missing_end(path):
        raise Rejected(str(path), f"the end of the file is missing: {missing}", _FETCH, "truncated")
    with warnings.catch_warnings():
        # Leap seconds of the survey's years are not announced yet.
        warnings.filterwarnings("ignore", message=".*dubious year.*")
        # A file that was renamed is called by its name, not by what it says.
        warnings.filterwarnings("ignore", message=".*does not match filename.*")
        model = _opened(path)
        with model:
            if not isinstance(model, MosaicModel):
                what = f"the product is {type(model).__name__}, not a MosaicModel"
                raise Rejected(str(path), what, "Give a Level-3 mosaic", "not_level3")
            return mosaic_of(model, str(path))


def _opened(path: Path) -> Any:
    """Open and validate, or reject."""
    try:
        with asdf.config_context() as config:
            config.validate_on_read = True
            # What is decoded only when it is looked up is gone with the file, and the metadata are kept.
            return roman_datamodels.open(path, memmap=False, lazy_tree=False)
    except ValidationError as error:
        what = f"not allowed by its RAD schema: {_one_line(error)}"
        raise Rejected(
            str(path), what, "Make the mosaic with a current pipeline", "schema_violation"
        ) from error
    except (ValueError, OSError, RuntimeError, TypeError, AttributeError) as error:
        raise Rejected(str(path), f"damaged: {_one_line(error)}", _FETCH, "corrupted") from error


def _one_line(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:100]


def mosaic_of(model: MosaicModel, name: str) -> SkyImage:
    """Take what is needed from a RAD ``wfi_mosaic``.

    Parameters
    ----------
    model
        The product, in memory or open.
    name
        What to call it in messages.

    Raises
    ------
    Rejected
        Codes ``no_wcs``, ``array_shape``, ``bad_resample``, ``all_nan``, ``no_variance``.
    """
    planes = {key: _plane(model, key, name) for key in ("data", "var_poisson", "var_rnoise")}
    _check_shapes(planes, name)
    scale, factor = _scale(model, planes["data"].shape, name)
    data = planes["data"] * np.float32(factor)
    read = planes["var_rnoise"] * np.float32(factor**2)
    variance = read + planes["var_poisson"] * np.float32(factor**2)
    for extra in ("var_flat", "var_sky"):
        if extra in model:
            variance += np.nan_to_num(_plane(model, extra, name)) * np.float32(factor**2)
    good = np.isfinite(data) & np.isfinite(variance) & (read > 0)
    _check_good(data, good, name)
    return SkyImage(
        name=name,
        optical_element=str(model.meta.instrument.optical_element),
        data=data,
        variance=variance,
        read_variance=read,
        good=good,
        wcs=model.meta.wcs,
        pixel_scale=scale,
        correlation=_correlation(model, name),
        meta=model.meta,
    )


def _plane(model: MosaicModel, key: str, name: str) -> Float32Array:
    if key not in model:
        raise Rejected(f"{name}: {key}", "the array is missing", _MAKE_AGAIN, "array_shape")
    return np.array(model[key], dtype=np.float32)


def _check_shapes(planes: Mapping[str, Float32Array], name: str) -> None:
    shapes = {key: plane.shape for key, plane in planes.items()}
    if len(set(shapes.values())) > 1 or 0 in shapes["data"] or len(shapes["data"]) != 2:
        raise Rejected(name, f"arrays of shapes {shapes} make no image", _MAKE_AGAIN, "array_shape")


def _scale(model: MosaicModel, shape: tuple[int, ...], name: str) -> tuple[float, float]:
    """Arcsec a pixel in the middle, and nJy a pixel of one MJy/sr."""
    if getattr(model.meta, "wcs", None) is None:
        raise Rejected(f"{name}: meta.wcs", "the WCS is missing", _MAKE_AGAIN, "no_wcs")
    area = pixel_area(model.meta.wcs, (shape[0], shape[1]))
    if not area > 0:
        raise Rejected(f"{name}: meta.wcs", f"a pixel has the area {area} deg**2", _MAKE_AGAIN, "no_wcs")
    return float(np.sqrt(area) * 3600), area * float(np.radians(1) ** 2 * _NJY_OF_MEGAJANSKY)


def _correlation(model: MosaicModel, name: str) -> FloatArray:
    resample = model.meta.resample
    try:
        return drizzle_correlation(float(resample.pixfrac), float(resample.pixel_scale_ratio))
    except ValueError as error:
        raise Rejected(f"{name}: meta.resample", str(error), _MAKE_AGAIN, "bad_resample") from error


def _check_good(data: Float32Array, good: BoolArray, name: str) -> None:
    if not np.isfinite(data).any():
        raise Rejected(f"{name}: data", "all pixels are NaN or infinite", _MAKE_AGAIN, "all_nan")
    if not good.any():
        what = "no pixel has data and a positive variance of its read noise"
        raise Rejected(f"{name}: var_rnoise", what, _MAKE_AGAIN, "no_variance")
