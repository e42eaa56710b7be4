"""What our own detection measures in an image, as sources to be matched with those that were injected."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loaders.detection.image_search import options_for, search_image
from loaders.detection.layer import Layer
from loaders.photometry.measure import pixel_image
from loaders.psf.model import EffectivePsf
from loaders.recovery.match import MeasuredSources
from loaders.static_catalog.catalog import StaticCatalog, image_catalog
from loaders.static_catalog.exposure import read_exposure
from loaders.static_catalog.image import EXPOSURE, SkyImage
from loaders.static_catalog.mosaic import read_mosaic
from loaders.wfi.level2 import read_level2


def read_image(path: Path, level: int) -> SkyImage:
    """Read an exposure or a mosaic, by its level.

    Raises
    ------
    Rejected
        Those of `read_exposure` and `read_mosaic`.
    """
    return read_exposure(path) if level == EXPOSURE else read_mosaic(path)


def detect_static(image: SkyImage, psf: EffectivePsf) -> MeasuredSources:
    """Sources of the static catalog of an image.

    Raises
    ------
    Rejected
        If there is nothing to detect in, see `image_catalog`.
    """
    return measured_sources(image_catalog(image, psf))


def measured_sources(catalog: StaticCatalog) -> MeasuredSources:
    """Sources of a catalog of one band: with Kron fluxes if extended, with those of the PSF if not."""
    columns = catalog.columns
    extended = np.asarray(columns["is_extended"], dtype=bool)
    flux, error = (
        np.where(extended, columns[f"kron_flux{end}"], columns[f"psf_flux{end}"]).astype(float)
        for end in ("", "_err")
    )
    ra, dec = (np.asarray(columns[name], dtype=float) for name in ("ra", "dec"))
    return MeasuredSources(ra, dec, flux, error)


def detect_crowded(path: Path, psf: EffectivePsf, *, psf_was_measured: bool) -> MeasuredSources:
    """Sources that the search of crowded fields finds in a Level-2 exposure.

    Parameters
    ----------
    path
        The file.
    psf
        PSF in its pixels.
    psf_was_measured
        Whether that is one of the library.

    Raises
    ------
    Rejected
        If the file cannot be used.
    """
    image = read_level2(path)
    found, _ = search_image(Layer(pixel_image(image), psf), options_for(psf_was_measured=psf_was_measured))
    ra, dec = image.projection.to_sky(found.x, found.y)
    scale = image.njy_per_unit
    return MeasuredSources(ra, dec, found.flux * scale, found.flux_err * scale)
