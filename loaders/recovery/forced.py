"""Photometry at the places of artificial sources, before and after they were added."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.astrometry.stars import CatalogStars, catalog_pixels, near_image
from loaders.injection.sources import ArtificialSources
from loaders.photometry.fit import photometer
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.image import StarList
from loaders.photometry.measure import MARGIN, pixel_image
from loaders.photometry.options import FitOptions
from loaders.psf.model import EffectivePsf
from loaders.recovery.match import MeasuredSources
from loaders.wfi.level2 import Level2Image, read_level2

FloatArray = npt.NDArray[np.float64]


def measure_forced(
    path: Path,
    injected: ArtificialSources,
    stars: CatalogStars | None,
    psf: EffectivePsf,
    options: FitOptions | None = None,
) -> MeasuredSources:
    """Measure catalogued stars and artificial sources in an exposure together, where they should be.

    Parameters
    ----------
    path
        Level-2 file, with the sources or without them.
    injected
        The sources; galaxies are measured as stars.
    stars
        Catalogued stars that the exposure may show; None for none.
    psf
        PSF in pixels of the exposure.
    options
        Of the fit.

    Returns
    -------
    MeasuredSources
        On the image: first the artificial sources, then the stars. The place is the listed one, moved by the
        offset that was measured where the source was bright enough for one.

    Raises
    ------
    Rejected
        If the file cannot be used.
    """
    image = read_level2(path)
    x, y = image.projection.to_pixel(injected.ra, injected.dec)
    guess = np.full(x.size, np.nan)
    if stars is not None:
        places = catalog_pixels(image, stars.astrometry)
        x, y = np.append(x, places[0]), np.append(y, places[1])
        guess = np.append(guess, stars.flux / image.njy_per_unit)
    near = near_image(image.shape, x, y, MARGIN)
    listed = StarList(x[near], y[near], guess[near])
    return _measured(image, listed, psf, options or FitOptions())


def _measured(
    image: Level2Image, listed: StarList, psf: EffectivePsf, options: FitOptions
) -> MeasuredSources:
    """Fit the stars of a list, and convert to the units of the sky."""
    fit = photometer(pixel_image(image), listed, psf, options)
    inside = (fit.flags & PhotometryFlag.OUTSIDE) == 0
    x, y = (
        place[inside] + np.where(np.isfinite(offset[inside]), offset[inside], 0.0)
        for place, offset in ((listed.x, fit.dx), (listed.y, fit.dy))
    )
    ra, dec = image.projection.to_sky(x, y)
    return MeasuredSources(
        ra, dec, *(values[inside] * image.njy_per_unit for values in (fit.flux, fit.flux_err))
    )
