"""PSF photometry of every star of an image: the public entry of this package."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.photometry.blends import Blends, merge_blends
from loaders.photometry.diagnostics import core_chi2, crowding
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.joint_fit import REACH, Field, JointFit, sort_by_tile
from loaders.photometry.judgement import fit_flags, image_flags, judge_extras, on_image
from loaders.photometry.options import FitOptions
from loaders.photometry.parallel import Workers
from loaders.photometry.positions import Extras, fit_with_positions, measure_extras
from loaders.photometry.psf_table import IntArray, PsfTable
from loaders.psf.model import EffectivePsf, FloatArray

__all__ = ["PixelImage", "StarList", "StarPhotometry", "photometer"]

_EXTRAS = ("dx", "dy", "size", "e1", "e2")
"""What is measured of bright stars besides the flux."""


@dataclass(frozen=True)
class StarPhotometry:
    """What was measured of each star; all arrays have shape (n,) in the order of the star list.

    NaN means not measured; the flags say why.

    Parameters
    ----------
    flux, flux_err
        Flux and its marginal standard error (neighbours, and fitted positions, being unknown too), in the
        unit of the image. Negative fluxes are left as they are: on average they are right.
    background
        Smooth background below the star, per pixel, in the unit of the image.
    reduced_chi2
        Of the core; see `loaders.photometry.diagnostics.core_chi2`.
    crowding
        Share of neighbours in the light; see `loaders.photometry.diagnostics.crowding`.
    flags
        Bits of `PhotometryFlag`, uint16.
    dx, dy, dx_err, dy_err
        Offset of the star from its position in the list, pixels.
    size, e1, e2, size_err, e1_err, e2_err
        Relative excess in size, and ellipticity, of the image over the PSF; see
        `loaders.photometry.extended_fit`.
    """

    flux: FloatArray
    flux_err: FloatArray
    background: FloatArray
    reduced_chi2: FloatArray
    crowding: FloatArray
    flags: npt.NDArray[np.uint16]
    dx: FloatArray
    dy: FloatArray
    dx_err: FloatArray
    dy_err: FloatArray
    size: FloatArray
    e1: FloatArray
    e2: FloatArray
    size_err: FloatArray
    e1_err: FloatArray
    e2_err: FloatArray


def photometer(
    image: PixelImage, stars: StarList, psf: EffectivePsf, options: FitOptions | None = None
) -> StarPhotometry:
    """Measure the fluxes of all stars of an image as one weighted least-squares problem.

    Parameters
    ----------
    image
        The image.
    stars
        All stars that give light to the image: one left out disturbs its neighbours.
    psf
        The PSF, in detector coordinates. Light beyond its half width is taken for background: let it reach
        far enough for the brightest stars.
    options
        Options; the defaults if None.

    Returns
    -------
    StarPhotometry

    Raises
    ------
    Rejected
        If no pixel of the image can be used.
    """
    options = options or FitOptions()
    good = image.good_pixels()
    data = np.where(good, image.data, np.float32(0)).astype(np.float32)
    field = Field(data, good, image.noise, PsfTable.of(psf), image.origin)
    blends = merge_blends(stars.x, stars.y, stars.guess, options.merge_radius)
    order = fitted_sources(field, blends.x, blends.y, options)
    sources = np.array([blends.x, blends.y, blends.flux])
    fixed = np.delete(sources, order, axis=1)
    with Workers(options.thread_count) as workers:
        fit = JointFit(field, sources[:, order], fixed, options, workers)
        extras = _run(fit)
        return _collect(fit, extras, image, (stars, blends, order))


def fitted_sources(field: Field, x: FloatArray, y: FloatArray, options: FitOptions) -> IntArray:
    """Sources on the image or just beyond it, in the order in which the fit wants them."""
    ny, nx = field.data.shape
    near = (np.abs(x - (nx - 1) / 2) <= (nx - 1) / 2 + REACH) & (
        np.abs(y - (ny - 1) / 2) <= (ny - 1) / 2 + REACH
    )
    index = np.flatnonzero(near)
    return np.asarray(index[sort_by_tile(field, x[index], y[index], options.tile_size)])


def _run(fit: JointFit) -> Extras:
    fit.run()
    return fit_with_positions(fit) if fit.options.fit_positions else measure_extras(fit)


def _collect(
    fit: JointFit, extras: Extras, image: PixelImage, stars: tuple[StarList, Blends, IntArray]
) -> StarPhotometry:
    """Bring what was measured of the sources into the order of the stars."""
    star_list, blends, order = stars
    fitted_positions = fit.options.fit_positions & np.isfinite(extras.variance[:, 0])
    chi2, crowd = core_chi2(fit, np.where(fitted_positions, 2.0, 0.0)), crowding(fit)
    failed, extra, extra_err = judge_extras(fit, extras)
    # A flux that ran away without bound is none.
    variance = np.where(np.isfinite(fit.flux), extras.flux_variance, np.nan)
    measured = np.isfinite(variance) & on_image(fit.x, fit.y, image.data.shape)
    flags = failed | fit_flags(fit, variance, chi2, crowd)
    table = np.column_stack(
        [fit.flux, np.sqrt(variance), fit.at_stars(fit.background), chi2, crowd, extra, extra_err]
    )
    table[~measured] = np.nan
    every = np.full((blends.x.size, table.shape[1]), np.nan)
    every[order] = table
    every_flag = np.zeros(blends.x.size, dtype=np.int64)
    every_flag[order] = flags
    values, flag = every[blends.source], every_flag[blends.source]
    values[:, :2] *= blends.share[:, None]
    flag |= image_flags(image, fit.field.usable, star_list)
    flag[blends.blended] |= PhotometryFlag.BLENDED
    names = (
        "flux",
        "flux_err",
        "background",
        "reduced_chi2",
        "crowding",
        *_EXTRAS,
        *(f"{e}_err" for e in _EXTRAS),
    )
    columns = {name: np.ascontiguousarray(column) for name, column in zip(names, values.T, strict=True)}
    return StarPhotometry(**columns, flags=flag.astype(np.uint16))
