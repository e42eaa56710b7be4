"""Static catalogs from mosaics: of one band, of several together, and forced on what another found."""

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
from loaders.static_catalog.measure import Columns, Sources, band_columns, flux_columns, measure_sources
from loaders.static_catalog.mosaic import Mosaic
from loaders.static_catalog.names import column
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.photoz import PhotometricRedshifts, fit_redshifts
from loaders.static_catalog.psf_matching import broadest, matched_band
from loaders.static_catalog.segments import Int32Array
from loaders.static_catalog.source_columns import shape_columns, source_columns
from loaders.static_catalog.templates import template_grid

_COLOUR_RADIUS = 0.4
"""Arcsec: aperture whose PSF-matched fluxes give photometric redshifts."""


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
    mosaics
        What was measured.
    sources
        The sources, to force photometry on.
    reference
        Optical element of the reference of PSF-matched photometry; None in catalogs of one band.
    redshifts
        Photometric redshifts, with their probabilities; None where there are fewer than three bands.
    """

    columns: Columns
    further: Mapping[str, tuple[npt.NDArray[Any], str, str]]
    labels: Int32Array
    mosaics: tuple[Mosaic, ...]
    sources: Sources
    reference: str | None = None
    redshifts: PhotometricRedshifts | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a mosaic does not tell about its sky.

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


def mosaic_catalog(
    mosaic: Mosaic,
    psf: EffectivePsf,
    options: CatalogOptions | None = None,
    surroundings: Surroundings | None = None,
) -> StaticCatalog:
    """Detect and measure the sources of a mosaic (RAD's ``mosaic_source_catalog``).

    Parameters
    ----------
    mosaic
        The mosaic.
    psf
        Effective PSF in pixels of the mosaic, normalised to the flux at infinity.
    options
        Options; the defaults if None.
    surroundings
        What the mosaic does not tell; unknown if None.

    Raises
    ------
    Rejected
        If the mosaic holds nothing to detect in, see `prepare_band`. A mosaic without sources gives a catalog
        without rows.
    """
    options = options or CatalogOptions()
    found = _detected([mosaic], [psf], options, surroundings)
    columns = found.columns | band_columns(found.bands[0], found.sources, "", options)
    return _catalog(found, columns)


def multiband_catalog(
    mosaics: Sequence[Mosaic],
    psfs: Mapping[str, EffectivePsf],
    options: CatalogOptions | None = None,
    surroundings: Surroundings | None = None,
) -> StaticCatalog:
    """Detect sources in all bands together and measure them in each (RAD's ``multiband_source_catalog``).

    Every band is measured as it is, and convolved to the PSF of the broadest. From three bands on,
    photometric redshifts are fitted to the PSF-matched fluxes in the aperture of 0.4 arcsec.

    Parameters
    ----------
    mosaics
        Mosaics on the same pixels, one for each band.
    psfs
        Effective PSFs by optical element.
    options, surroundings
        As of `mosaic_catalog`.

    Raises
    ------
    Rejected
        Codes ``no_band``, ``missing_psf``, ``duplicate_band``, ``grid_mismatch``, and those of
        `prepare_band`.
    """
    options = options or CatalogOptions()
    _check_bands(mosaics, psfs)
    chosen = [psfs[mosaic.optical_element] for mosaic in mosaics]
    found = _detected(mosaics, chosen, options, surroundings)
    reference = broadest(found.bands)
    columns = dict(found.columns)
    for band in found.bands:
        columns |= band_columns(band, found.sources, band.mosaic.optical_element.lower(), options)
    for band in found.bands:
        if band is not reference:
            columns |= flux_columns(
                matched_band(band, reference), found.sources, _matched_tag(band, reference), options
            )
    redshifts = _redshifts(found.bands, reference, columns) if len(found.bands) > 2 else None
    if redshifts is not None:
        columns |= _redshift_columns(redshifts)
    return _catalog(found, columns, reference.mosaic.optical_element, redshifts)


def forced_catalog(
    mosaic: Mosaic, psf: EffectivePsf, detected: StaticCatalog, options: CatalogOptions | None = None
) -> StaticCatalog:
    """Measure in a mosaic the sources that another detection found (``forced_mosaic_source_catalog``).

    Parameters
    ----------
    mosaic, psf
        The mosaic, on the pixels of the detection, and its PSF.
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
    if mosaic.data.shape != detected.labels.shape:
        what = f"its shape {mosaic.data.shape} is not that of the segmentation map, {detected.labels.shape}"
        remedy = "Resample the mosaics of a sky cell to one grid"
        raise Rejected(mosaic.name, what, remedy, "grid_mismatch")
    band = prepare_band(mosaic, psf, options)
    found = band_columns(band, detected.sources, "", options)
    columns = source_columns(detected.sources, mosaic, options)
    columns["forced_warning_flags"] = columns.pop("warning_flags")
    del columns["dust_ebv"]
    columns |= {f"forced_{name}": values for name, values in found.items()}
    columns["forced_ra"], columns["forced_dec"] = columns["ra"], columns["dec"]
    return StaticCatalog(columns, {}, detected.labels, (mosaic,), detected.sources)


def _detected(
    mosaics: Sequence[Mosaic],
    psfs: Sequence[EffectivePsf],
    options: CatalogOptions,
    surroundings: Surroundings | None,
) -> _Detected:
    """Bands without background, their common sources, and the columns of these that belong to no band."""
    bands = tuple(prepare_band(m, psf, options) for m, psf in zip(mosaics, psfs, strict=True))
    sources = measure_sources(detect(bands, options), options)
    around = surroundings or Surroundings()
    columns = source_columns(sources, mosaics[0], options, around.dust_ebv, around.projection_region)
    return _Detected(bands, sources, columns)


def _catalog(
    found: _Detected,
    columns: Columns,
    reference: str | None = None,
    redshifts: PhotometricRedshifts | None = None,
) -> StaticCatalog:
    mosaics = tuple(band.mosaic for band in found.bands)
    further = shape_columns(found.sources, mosaics[0])
    labels = found.sources.detection.labels
    return StaticCatalog(columns, further, labels, mosaics, found.sources, reference, redshifts)


def _check_bands(mosaics: Sequence[Mosaic], psfs: Mapping[str, EffectivePsf]) -> None:
    if not mosaics:
        raise Rejected("static catalog", "no band is given", "Give at least one mosaic", "no_band")
    elements = [mosaic.optical_element for mosaic in mosaics]
    for mosaic in mosaics:
        element = mosaic.optical_element
        if element not in psfs:
            what = f"no PSF of {element} is given, only of {', '.join(sorted(psfs)) or 'none'}"
            raise Rejected(mosaic.name, what, "Give a PSF of every band", "missing_psf")
        if elements.count(element) > 1:
            what = f"{element} is given {elements.count(element)} times"
            raise Rejected(mosaic.name, what, "Give one mosaic of each band", "duplicate_band")


def _matched_tag(band: Band, reference: Band) -> str:
    """RAD's name of a band convolved to the PSF of another: ``f158mf213``."""
    return f"{band.mosaic.optical_element}m{reference.mosaic.optical_element}".lower()


def _redshifts(bands: Sequence[Band], reference: Band, columns: Columns) -> PhotometricRedshifts:
    """Photometric redshifts from PSF-matched aperture fluxes."""
    template = "aper~radius~_~band~_flux"
    flux, error = [], []
    for band in bands:
        own = band.mosaic.optical_element.lower()
        tag = own if band is reference else _matched_tag(band, reference)
        flux.append(columns[column(template, tag, _COLOUR_RADIUS)])
        error.append(columns[column(f"{template}_err", tag, _COLOUR_RADIUS)])
    grid = template_grid([band.mosaic.optical_element for band in bands])
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
