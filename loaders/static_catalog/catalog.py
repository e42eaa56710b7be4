"""Static catalogs from images: of one band, of several together, and forced on what another found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected
from loaders.static_catalog.background import Band, prepare_band
from loaders.static_catalog.detection import detect
from loaders.static_catalog.elsewhere import ForeignSources, sources_on
from loaders.static_catalog.image import SkyImage
from loaders.static_catalog.measure import Columns, Sources, band_columns, flux_columns, measure_sources
from loaders.static_catalog.names import column
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.photoz import PhotometricRedshifts, fit_redshifts
from loaders.static_catalog.psf_matching import broadest, matched_band
from loaders.static_catalog.segments import Int32Array
from loaders.static_catalog.source_columns import shape_columns, source_columns
from loaders.static_catalog.templates import template_grid

_COLOUR_RADIUS = 0.4
"""Arcsec: aperture whose PSF-matched fluxes give photometric redshifts."""


Further = Mapping[str, tuple[npt.NDArray[Any], str, str]]
"""Columns without a definition by RAD: values, unit, description."""


@dataclass(frozen=True)
class StaticCatalog:
    """A catalog of one detection.

    Parameters
    ----------
    columns
        RAD's columns by name, shape (n,) each, in RAD's units.
    further
        Columns for which RAD has no definition: values, unit, description.
    labels
        Shape (ny, nx): segmentation map.
    images
        What was measured.
    sources
        The sources, to force photometry on.
    reference
        Optical element of the reference of PSF-matched photometry; None in catalogs of one band.
    redshifts
        Photometric redshifts, with their probabilities; None where there are fewer than three bands.
    """

    columns: Columns
    further: Further
    labels: Int32Array
    images: tuple[SkyImage, ...]
    sources: Sources
    reference: str | None = None
    redshifts: PhotometricRedshifts | None = None

    @property
    def is_forced(self) -> bool:
        """Whether the sources were detected in another image."""
        return "forced_dec" in self.columns


@dataclass(frozen=True)
class Surroundings:
    """What an image does not tell about its sky.

    Parameters
    ----------
    dust_ebv
        E(B-V) of the Galaxy, mag; NaN where it is not known.
    projection_region
        Number of the projection region of the sky cell; None where it is not known.
    """

    dust_ebv: float = np.nan
    projection_region: int | None = None


@dataclass(frozen=True)
class _Detected:
    bands: tuple[Band, ...]
    sources: Sources
    columns: Columns = field(default_factory=dict)


def image_catalog(
    image: SkyImage,
    psf: EffectivePsf,
    options: CatalogOptions | None = None,
    surroundings: Surroundings | None = None,
) -> StaticCatalog:
    """Detect and measure the sources of an image (``mosaic_source_catalog``, ``image_source_catalog``).

    Parameters
    ----------
    image
        The image.
    psf
        Effective PSF in pixels of the image, normalised to the flux at infinity.
    options
        Options; the defaults if None.
    surroundings
        What the image does not tell; unknown if None.

    Raises
    ------
    Rejected
        If the image holds nothing to detect in, see `prepare_band`. An image without sources gives a catalog
        without rows.
    """
    options = options or CatalogOptions()
    found = _detected([image], [psf], options, surroundings)
    columns = found.columns | band_columns(found.bands[0], found.sources, "", options)
    return _catalog(found, columns)


def multiband_catalog(
    images: Sequence[SkyImage],
    psfs: Mapping[str, EffectivePsf],
    options: CatalogOptions | None = None,
    surroundings: Surroundings | None = None,
) -> StaticCatalog:
    """Detect sources in all bands together and measure them in each (RAD's ``multiband_source_catalog``).

    Every band is measured as it is, and convolved to the PSF of the broadest. From three bands on,
    photometric redshifts are fitted to the PSF-matched fluxes in the aperture of 0.4 arcsec.

    Parameters
    ----------
    images
        Images on the same pixels, one for each band.
    psfs
        Effective PSFs by optical element.
    options, surroundings
        As of `image_catalog`.

    Raises
    ------
    Rejected
        Codes ``no_band``, ``missing_psf``, ``duplicate_band``, ``grid_mismatch``, and those of
        `prepare_band`.
    """
    options = options or CatalogOptions()
    _check_bands(images, psfs)
    chosen = [psfs[image.optical_element] for image in images]
    found = _detected(images, chosen, options, surroundings)
    reference = broadest(found.bands)
    columns = dict(found.columns)
    for band in found.bands:
        columns |= band_columns(band, found.sources, band.image.optical_element.lower(), options)
    for band in found.bands:
        if band is not reference:
            columns |= flux_columns(
                matched_band(band, reference), found.sources, _matched_tag(band, reference), options
            )
    redshifts = _redshifts(found.bands, reference, columns) if len(found.bands) > 2 else None
    if redshifts is not None:
        columns |= _redshift_columns(redshifts)
    return _catalog(found, columns, reference.image.optical_element, redshifts)


def forced_catalog(
    image: SkyImage, psf: EffectivePsf, detected: StaticCatalog, options: CatalogOptions | None = None
) -> StaticCatalog:
    """Measure in an image the sources that another detection found (``forced_mosaic_source_catalog``).

    Parameters
    ----------
    image, psf
        The image, on the pixels of the detection, and its PSF.
    detected
        Catalog of the detection.
    options
        Options; the defaults if None.

    Raises
    ------
    Rejected
        Code ``grid_mismatch`` if the pixels differ, and those of `prepare_band`.
    """
    options = options or CatalogOptions()
    if image.data.shape != detected.labels.shape:
        what = f"its shape {image.data.shape} is not that of the segmentation map, {detected.labels.shape}"
        remedy = "Resample the images of a sky cell to one grid"
        raise Rejected(image.name, what, remedy, "grid_mismatch")
    band = prepare_band(image, psf, options)
    return StaticCatalog(*_forced(band, detected.sources, options), (image,), detected.sources)


def forced_elsewhere(
    image: SkyImage, psf: EffectivePsf, found: ForeignSources, options: CatalogOptions | None = None
) -> StaticCatalog:
    """Measure in an image sources that were detected on other pixels (``forced_image_source_catalog``).

    Labels, warnings and neighbours are those of the detection, segments are in the pixels of the image.

    Parameters
    ----------
    image, psf
        The image and its PSF.
    found
        The sources; those that are not on the image are left out.
    options
        Options; the defaults if None.

    Raises
    ------
    Rejected
        Those of `prepare_band`.
    """
    options = options or CatalogOptions()
    band = prepare_band(image, psf, options)
    sources, label = sources_on(band, found, options)
    columns, further, labels = _forced(band, sources, options)
    columns["label"] = label
    for name in ("forced_warning_flags", "nn_label", "nn_distance"):
        columns[name] = np.asarray(found.columns[name.removeprefix("forced_")])[label - 1]
    return StaticCatalog(columns, further, labels, (image,), sources)


def _forced(band: Band, sources: Sources, options: CatalogOptions) -> tuple[Columns, Further, Int32Array]:
    """What is measured in a band of sources that were detected elsewhere."""
    found = band_columns(band, sources, "", options)
    columns = source_columns(sources, band.image, options)
    columns["forced_warning_flags"] = columns.pop("warning_flags")
    del columns["dust_ebv"]
    columns |= {f"forced_{name}": values for name, values in found.items()}
    columns["forced_ra"], columns["forced_dec"] = columns["ra"], columns["dec"]
    return columns, {}, sources.detection.labels


def _detected(
    images: Sequence[SkyImage],
    psfs: Sequence[EffectivePsf],
    options: CatalogOptions,
    surroundings: Surroundings | None,
) -> _Detected:
    """Bands without background, their common sources, and the columns of these that belong to no band."""
    bands = tuple(prepare_band(m, psf, options) for m, psf in zip(images, psfs, strict=True))
    sources = measure_sources(detect(bands, options), options)
    around = surroundings or Surroundings()
    columns = source_columns(sources, images[0], options, around.dust_ebv, around.projection_region)
    return _Detected(bands, sources, columns)


def _catalog(
    found: _Detected,
    columns: Columns,
    reference: str | None = None,
    redshifts: PhotometricRedshifts | None = None,
) -> StaticCatalog:
    images = tuple(band.image for band in found.bands)
    further = shape_columns(found.sources, images[0])
    labels = found.sources.detection.labels
    return StaticCatalog(columns, further, labels, images, found.sources, reference, redshifts)


def _check_bands(images: Sequence[SkyImage], psfs: Mapping[str, EffectivePsf]) -> None:
    if not images:
        raise Rejected("static catalog", "no band is given", "Give at least one image", "no_band")
    elements = [image.optical_element for image in images]
    for image in images:
        element = image.optical_element
        if element not in psfs:
            what = f"no PSF of {element} is given, only of {', '.join(sorted(psfs)) or 'none'}"
            raise Rejected(image.name, what, "Give a PSF of every band", "missing_psf")
        if elements.count(element) > 1:
            what = f"{element} is given {elements.count(element)} times"
            raise Rejected(image.name, what, "Give one image of each band", "duplicate_band")


def _matched_tag(band: Band, reference: Band) -> str:
    """RAD's name of a band convolved to the PSF of another: ``f158mf213``."""
    return f"{band.image.optical_element}m{reference.image.optical_element}".lower()


def _redshifts(bands: Sequence[Band], reference: Band, columns: Columns) -> PhotometricRedshifts:
    """Photometric redshifts from PSF-matched aperture fluxes."""
    template = "aper~radius~_~band~_flux"
    flux, error = [], []
    for band in bands:
        own = band.image.optical_element.lower()
        tag = own if band is reference else _matched_tag(band, reference)
        flux.append(columns[column(template, tag, _COLOUR_RADIUS)])
        error.append(columns[column(f"{template}_err", tag, _COLOUR_RADIUS)])
    grid = template_grid([band.image.optical_element for band in bands])
    return fit_redshifts(np.stack(flux, axis=1), np.stack(error, axis=1), grid)


def _redshift_columns(redshifts: PhotometricRedshifts) -> Columns:
    columns: Columns = {
        "photoz": redshifts.photoz,
        "photoz_gof": redshifts.gof,
        "photoz_sed": redshifts.sed,
    }
    for level in redshifts.low:
        columns[f"photoz_low{level}"] = redshifts.low[level]
        columns[f"photoz_high{level}"] = redshifts.high[level]
    return columns
