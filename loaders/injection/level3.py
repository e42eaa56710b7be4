"""Artificial sources in a Level-3 mosaic: from file to file.

A mosaic has no flags, so that nothing saturates in it, and its noise is taken to be independent from pixel to
pixel: resampling correlates it, so that the errors of the mosaic stand for the photons of one of its pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from roman_datamodels.datamodels import MosaicModel

from loaders.injection.inject import Measurement, inject
from loaders.injection.level2 import Job
from loaders.injection.light import PreparedPsf, View
from loaders.injection.names import describe_injection
from loaders.injection.pixels import Pixels
from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import at_position, mosaic_psf
from loaders.rejection import Rejected
from loaders.simulation.product import write_product
from loaders.wfi.calibration import NJY_PER_MJY
from loaders.wfi.product_file import level3_model
from loaders.wfi.projection import SkyProjection
from loaders.wfi.wcs import projection_of_wcs

FloatArray = npt.NDArray[np.float64]

_NORTH_UP = 1e-3
"""Radians by which the grid of a mosaic may be turned from north."""


def inject_level3(
    job: Job, psf: EffectivePsf, roll: FloatArray, place: tuple[float, float]
) -> npt.NDArray[np.bool_]:
    """Write a mosaic with artificial sources; the mosaic itself is left as it is.

    Parameters
    ----------
    job
        What is to be done.
    psf
        PSF of the detector with which most of the mosaic was made.
    roll
        Shape (2, 2): arcsec east (first row) and north (second row) per pixel of that detector in x and y.
        All exposures of the mosaic are taken to have this roll.
    place
        Pixel (x, y) of the detector whose PSF all of the mosaic has.

    Returns
    -------
    ndarray
        Shape (n,): sources on its pixels.

    Raises
    ------
    Rejected
        If the file cannot be used, or nothing can be injected; ``turned_mosaic`` if its grid is not north up.
    """
    with level3_model(job.source) as model:
        shape = (model.data.shape[0], model.data.shape[1])
        projection = projection_of_wcs(lambda: model.meta.wcs, shape, job.source)
        spread = mosaic_psf(at_position(psf, *place), roll, _pixel_side(projection, job.source))
        view = View(projection, PreparedPsf.of(spread), projection.pixel_area * NJY_PER_MJY)
        planes = [np.array(model[name]) for name in ("data", "err", "var_poisson", "var_rnoise")]
        pixels = Pixels.of(planes, None, str(job.source))
        inject(pixels, view, job.sources, Measurement(None, job.seed), job.factor)
        model.data, model.err, model.var_poisson = pixels.data, pixels.err, pixels.var_poisson
        inside = view.inside(job.sources)
        describe_injection(model, job.source, job.output, job.said(int(inside.sum())))
        write_product(job.output, model)
    return inside


def member_of(mosaic: Path, model: MosaicModel) -> Path:
    """Find an exposure of a mosaic beside it.

    Raises
    ------
    Rejected
        Code ``no_member`` if none of the exposures that the mosaic names lies in its folder.
    """
    members = [mosaic.parent / str(name) for name in model.meta.resample.members]
    found = next((path for path in members if path.is_file()), None)
    if found is None:
        what = f"none of its {len(members)} exposures lies beside it, from which its PSF is known"
        raise Rejected(str(mosaic), what, "Put one of meta.resample.members into its folder", "no_member")
    return found


def _pixel_side(projection: SkyProjection, path: Path) -> float:
    """Side of the pixels of a mosaic in arcsec; x runs west and y north in them."""
    ny, nx = projection.shape
    matrix = projection.jacobian(np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2]))[0]
    side = float(np.sqrt(abs(np.linalg.det(matrix))))
    if np.abs(matrix / side - np.diag([-1.0, 1.0])).max() > _NORTH_UP:
        what = "its pixels do not run west and north"
        raise Rejected(str(path), what, "Resample it with orientation 0", "turned_mosaic")
    return side
