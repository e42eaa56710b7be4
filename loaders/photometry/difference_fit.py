"""Difference photometry with the positions known: the change of each star against its flux on the reference.

All stars are drawn with the fluxes that the reference gives them, scaled to the exposure, and subtracted;
what is left at the place of a star is its change. As the neighbours are held instead of fitted, their noise
does not enter: the error is that of a star alone, however crowded the field (e.g. Wozniak 2000, Acta Astron.
50, 421, for photometry on difference images).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loaders.photometry.common_scale import common_scale
from loaders.photometry.diagnostics import core_chi2, crowding
from loaders.photometry.fit import StarPhotometry, fitted_sources
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.joint_fit import Field, JointFit
from loaders.photometry.judgement import image_flags, on_image
from loaders.photometry.options import FitOptions
from loaders.photometry.parallel import Workers
from loaders.photometry.psf_table import PsfTable
from loaders.psf.model import EffectivePsf, FloatArray

_FOR_SCALE = 100.0
"""Signal-to-noise ratio from which stars say how an exposure is scaled to the reference."""


def flux_scale(fit: StarPhotometry, reference: FloatArray) -> float:
    """Light of an exposure over that of the reference, as most bright stars without flags have it.

    Parameters
    ----------
    fit
        Photometry of the exposure.
    reference
        Shape (n,): fluxes on the reference, in the same unit; NaN where unknown.

    Returns
    -------
    float
        1 where fewer than three stars are fit to say.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio, error = fit.flux / reference, fit.flux_err / np.abs(reference)
        good = np.isfinite(ratio) & (reference > _FOR_SCALE * fit.flux_err) & (fit.flags == 0)
    return common_scale(ratio[good], error[good]).scale


def photometer_difference(
    image: PixelImage, stars: StarList, psf: EffectivePsf, scale: float, options: FitOptions
) -> StarPhotometry:
    """Measure the change of all stars of an image against given fluxes.

    Parameters
    ----------
    image
        The image.
    stars
        All stars with their fluxes on the reference; where that is NaN nothing is measured, and the star is
        taken for dark.
    psf
        The PSF, in detector coordinates.
    scale
        Light of the image over that of the reference.
    options
        Options of the background and of the threads.

    Returns
    -------
    StarPhotometry
        ``flux`` is that on the reference plus the change, both on the scale of the reference; its error is
        that of the change. Offsets and shapes are NaN.

    Raises
    ------
    Rejected
        If no pixel of the image can be used.
    """
    good = image.good_pixels()
    data = np.where(good, image.data, np.float32(0)).astype(np.float32)
    field = Field(data, good, image.noise, PsfTable.of(psf), image.origin)
    held = np.array([stars.x, stars.y, stars.guess * scale])
    order = fitted_sources(field, stars.x, stars.y, options)
    with Workers(options.thread_count) as workers:
        fit = JointFit(field, held[:, order], np.delete(held, order, axis=1), options, workers)
        fit.run_held()
        change, variance = fit.changes()
        chi2, crowd = core_chi2(fit, np.zeros(fit.count)), crowding(fit)
        background = fit.at_stars(fit.background)
    result = _nothing(stars.x.size)
    inside = on_image(fit.x, fit.y, data.shape) & np.isfinite(variance)
    at = order[inside]
    known = at if stars.flux_guess is None else at[np.isfinite(stars.flux_guess[at])]
    column = np.full(stars.x.size, np.nan)
    for name, values in (
        ("flux", fit.flux / scale + change / scale),
        ("flux_err", np.sqrt(variance) / scale),
        ("background", background),
        ("reduced_chi2", chi2),
        ("crowding", crowd),
    ):
        column[order] = values
        getattr(result, name)[known] = column[known]
    flags = image_flags(image, good, StarList(stars.x, stars.y))
    flags[~np.isfinite(result.flux) & ((flags & PhotometryFlag.OUTSIDE) == 0)] |= PhotometryFlag.NO_PIXELS
    return replace(result, flags=flags.astype(np.uint16))


def _nothing(count: int) -> StarPhotometry:
    """Photometry in which nothing is measured yet."""
    names = [name for name in StarPhotometry.__dataclass_fields__ if name != "flags"]
    columns = {name: np.full(count, np.nan) for name in names}
    return StarPhotometry(**columns, flags=np.zeros(count, dtype=np.uint16))
