"""Artificial sources in a Level-2 exposure: from file to file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from roman_datamodels.datamodels import ImageModel

from loaders.injection.inject import Measurement, inject
from loaders.injection.light import PreparedPsf, View
from loaders.injection.names import describe_injection
from loaders.injection.pixels import Pixels
from loaders.injection.sources import ArtificialSources
from loaders.simulation.parameters import MultiAccumTable
from loaders.simulation.product import write_product
from loaders.wfi.calibration import njy_per_unit, to_rate
from loaders.wfi.keywords import exposure_metadata
from loaders.wfi.level2 import image_shape
from loaders.wfi.metadata import ExposureMetadata
from loaders.wfi.product_file import level2_model
from loaders.wfi.wcs import projection_of_wcs

FloatArray = npt.NDArray[np.float64]

_PLANES, _READS = ("data", "err", "var_poisson"), "var_rnoise"


@dataclass(frozen=True)
class Job:
    """What is to be done to one image.

    Parameters
    ----------
    source, output
        The file that is read, and the one that is written.
    sources
        All artificial sources.
    factor
        Shape (n,): fluxes in this image over those of the sources; None for 1.
    seed
        Seed of its photons.
    run
        Name of the experiment.
    """

    source: Path
    output: Path
    sources: ArtificialSources
    factor: FloatArray | None
    seed: int
    run: str

    def said(self, number: int) -> dict[str, Any]:
        """What the product says of it; ``number`` sources are on its pixels."""
        return {"run": self.run, "seed": self.seed, "n_source": number}


def inject_level2(job: Job, psf: PreparedPsf) -> npt.NDArray[np.bool_]:
    """Write an exposure with artificial sources; the exposure itself is left as it is.

    Returns
    -------
    ndarray
        Shape (n,): sources on its pixels.

    Raises
    ------
    Rejected
        If the file cannot be used (`loaders.wfi.product_file`), or nothing can be injected
        (`loaders.injection.inject.inject`).
    """
    with level2_model(job.source, pixels=True) as model:
        metadata = exposure_metadata(model.meta, job.source)
        pixels = _pixels(model, metadata, job.source)
        view = _view(model, metadata, psf, job.source)
        inject(pixels, view, job.sources, Measurement(reads_of(metadata), job.seed), job.factor)
        _store(model, pixels, _rate_scale(model, metadata))
        inside = view.inside(job.sources)
        describe_injection(model, job.source, job.output, job.said(int(inside.sum())))
        write_product(job.output, model)
    return inside


def _rate_scale(model: ImageModel, metadata: ExposureMetadata) -> float:
    """Factor from the units of the file to DN/s."""
    return to_rate(metadata, model.meta.get("cal_step", {}).get("flux"))


def _view(model: ImageModel, metadata: ExposureMetadata, psf: PreparedPsf, path: Path) -> View:
    """How the exposure sees the sky."""
    projection = projection_of_wcs(lambda: model.meta.wcs, image_shape(model, path), path)
    return View(projection, psf, njy_per_unit(metadata, path))


def _pixels(model: ImageModel, metadata: ExposureMetadata, path: Path) -> Pixels:
    """Pixels in DN/s, copied. The variance of reads, which a file need not have, is the rest of the error."""
    image_shape(model, path)
    scale = _rate_scale(model, metadata)
    powers = (scale, abs(scale), scale**2)
    data, err, poisson = (
        _scaled(np.array(model[name]), power) for name, power in zip(_PLANES, powers, strict=True)
    )
    if _has_reads(model):
        reads = _scaled(np.array(model[_READS]), scale**2)
    else:
        rest = np.square(err, dtype=np.float32) - poisson.astype(np.float32)
        reads = np.where(rest > 0, rest, np.float32(0))
    return Pixels(data, err, poisson, reads, np.array(model.dq, dtype=np.uint32), str(path))


def _has_reads(model: ImageModel) -> bool:
    """Whether a file has the variance of reads, of the shape of its image."""
    return _READS in model and np.asarray(model[_READS]).shape == model.data.shape


def _scaled(plane: npt.NDArray[Any], factor: float) -> npt.NDArray[Any]:
    """A plane as it is, or times a factor in single precision."""
    return plane if factor == 1 else plane.astype(np.float32) * np.float32(factor)


def _store(model: ImageModel, pixels: Pixels, scale: float) -> None:
    """Put pixels back into a model, in its units and types."""
    powers = (1 / scale, 1 / abs(scale), 1 / scale**2, 1 / scale**2)
    names = (*_PLANES, _READS) if _has_reads(model) else _PLANES
    for name, plane, power in zip(names, pixels.planes, powers, strict=False):
        kind = np.asarray(model[name]).dtype
        values = _scaled(plane, power)
        if values.dtype != kind:
            values = np.minimum(values, np.finfo(kind).max)
        model[name] = values.astype(kind, copy=False)
    model.dq = pixels.dq


def reads_of(metadata: ExposureMetadata) -> MultiAccumTable | None:
    """The reads of an exposure; None where its file does not say them."""
    if metadata.read_pattern is None or not metadata.exposure_frame_time:
        return None
    pattern = tuple(tuple(int(read) for read in reads) for reads in json.loads(metadata.read_pattern))
    if len(pattern) < 2 or not all(pattern):
        return None
    return MultiAccumTable("", "", 0, metadata.exposure_frame_time, pattern)
