"""Read a Level-2 exposure: metadata alone, or with its pixels and its projection onto the sky."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from roman_datamodels.datamodels import ImageModel

from loaders.rejection import Rejected
from loaders.wfi.calibration import njy_per_unit, to_rate
from loaders.wfi.keywords import exposure_metadata
from loaders.wfi.metadata import ExposureMetadata
from loaders.wfi.product_file import DECODING_ERRORS, level2_model, one_line
from loaders.wfi.projection import SkyProjection
from loaders.wfi.quality import SATURATED, usable_pixels
from loaders.wfi.wcs import projection_of_wcs

Float32Array = npt.NDArray[np.float32]

_ARRAYS = ("data", "err", "var_poisson", "dq")


@dataclass(frozen=True)
class Level2Image:
    """One detector image, its units settled.

    Parameters
    ----------
    metadata
        What the file says of the exposure.
    data, err, var_poisson
        Shape (ny, nx), float32: rate in DN/s, its total standard error, and the part of the variance that is
        Poisson noise, (DN/s)². As in the file: `err` is 0 or NaN where there is no measurement.
    dq
        Shape (ny, nx), uint32: data quality bits of `roman_datamodels.dqflags.pixel`.
    njy_per_unit
        Flux density in nJy of a source that makes one DN/s; positive.
    projection
        Pixels to sky (ICRS) and back.
    injection
        Name of the experiment whose artificial sources are in the image; None for an image of the sky.
    """

    metadata: ExposureMetadata
    data: Float32Array
    err: Float32Array
    var_poisson: Float32Array
    dq: npt.NDArray[np.uint32]
    njy_per_unit: float
    projection: SkyProjection
    injection: str | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of pixels (ny, nx)."""
        return self.data.shape[0], self.data.shape[1]


def read_metadata(path: Path | str) -> ExposureMetadata:
    """Read what a file says of its exposure, without its pixels.

    Parameters
    ----------
    path
        Level-2 file.

    Returns
    -------
    ExposureMetadata

    Raises
    ------
    Rejected
        If the file cannot be used; see `loaders.wfi.product_file` and `loaders.wfi.keywords` for the codes.
        Damage within the pixels goes unnoticed: `read_level2` finds it.
    """
    path = Path(path)
    with level2_model(path, pixels=False) as model:
        return exposure_metadata(model.meta, path)


def read_level2(path: Path | str) -> Level2Image:
    """Read an exposure.

    Parameters
    ----------
    path
        Level-2 file.

    Returns
    -------
    Level2Image

    Raises
    ------
    Rejected
        If the file cannot be used: the codes of `read_metadata`, and ``no_wcs``, ``unusable_wcs``,
        ``array_shape``, ``no_flux_calibration``, ``all_nan``, ``fully_saturated``, ``no_usable_pixels``,
        ``no_signal``.
    """
    path = Path(path)
    with level2_model(path, pixels=True) as model:
        metadata = exposure_metadata(model.meta, path)
        shape = image_shape(model, path)
        factor = njy_per_unit(metadata, path)
        scale = to_rate(metadata, model.meta.get("cal_step", {}).get("flux"))
        image = Level2Image(
            metadata=metadata,
            data=_scaled(_array(model, "data", path), scale),
            err=_scaled(_array(model, "err", path), abs(scale)),
            var_poisson=_scaled(_array(model, "var_poisson", path), scale**2),
            dq=np.array(_array(model, "dq", path), dtype=np.uint32),
            njy_per_unit=factor,
            projection=projection_of_wcs(lambda: model.meta.wcs, shape, path),
            injection=_injection(model),
        )
    _check_pixels(image, path)
    return image


def _injection(model: ImageModel) -> str | None:
    """Experiment whose artificial sources are in an image, as `loaders.injection` writes it."""
    said = model.meta.get("injection")
    return None if said is None else str(said.get("run", "unknown"))


def image_shape(model: ImageModel, path: Path) -> tuple[int, int]:
    """Shape (ny, nx) that all arrays of an image have.

    Raises
    ------
    Rejected
        Codes ``array_shape``, ``corrupted``.
    """
    shapes = {name: _array(model, name, path).shape for name in _ARRAYS}
    shape = shapes["data"]
    for name, other in shapes.items():
        if other != shape or 0 in other:
            what = (
                f"shape {other} does not fit data of shape {shape}" if other != shape else "no pixels in it"
            )
            remedy = "Process the exposure again"
            raise Rejected(f"{path}: {name}", what, remedy, "array_shape")
    return shape[0], shape[1]


def _array(model: ImageModel, name: str, path: Path) -> npt.NDArray[np.generic]:
    """Array of the image as the file holds it."""
    try:
        return np.asarray(model[name])
    except DECODING_ERRORS as error:
        what = f"the array does not fit its binary block: {one_line(error)}"
        remedy = "Fetch the file again from the archive"
        raise Rejected(f"{path}: {name}", what, remedy, "corrupted") from error


def _scaled(array: npt.NDArray[np.generic], factor: float) -> Float32Array:
    """Copy as float32, in native byte order, times a factor."""
    copy = np.array(array, dtype=np.float32)
    if factor != 1:
        copy *= np.float32(factor)
    return copy


def _check_pixels(image: Level2Image, path: Path) -> None:
    """Reject an image without a single usable pixel, or without anything in them."""
    usable = usable_pixels(image.data, image.err, image.var_poisson, image.dq)
    if image.data[usable].any():
        return
    if usable.any():
        what, code = (
            "all usable pixels are exactly 0, although their variance says that they scatter",
            "no_signal",
        )
    else:
        what, code = _why_unusable(image)
    raise Rejected(f"{path}: data", what, "Process the exposure again, or leave it out", code)


def _why_unusable(image: Level2Image) -> tuple[str, str]:
    """Say what is wrong with an image of which no pixel is usable."""
    if not np.isfinite(image.data).any():
        nan = np.isnan(image.data)
        kind = "NaN" if nan.all() else "NaN or infinite" if nan.any() else "infinite"
        return f"all pixels are {kind}", "all_nan"
    if (image.dq & np.uint32(SATURATED)).all():
        return "all pixels are saturated, and none has a usable slope", "fully_saturated"
    return "no pixel has an error and no flag that forbids its use", "no_usable_pixels"
