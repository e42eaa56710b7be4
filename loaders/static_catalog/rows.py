"""A static catalog as rows of ``roman.source`` and ``roman.source_photometry``, and as objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.astrometry.stars import julian_year
from loaders.catalog.sources import Sources
from loaders.static_catalog.catalog import StaticCatalog
from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.names import ImageFlag, column
from loaders.static_catalog.options import CatalogOptions

_MAS_OF_ARCSEC = 1000.0
_ISOPHOTAL_SCATTER = 2.4
"""By how much isophotal centroids of faint sources scatter over their errors, as measured."""

_OBJECT_SNR = 6.0
"""Signal-to-noise ratio of detection from which a source makes an object."""

#: Columns of ``roman.source`` that a catalog has under their names.
_OF_SOURCE = (
    "ra", "dec", "ra_centroid", "ra_centroid_err", "dec_centroid", "dec_centroid_err",
    "ra_centroid_win", "ra_centroid_win_err", "dec_centroid_win", "dec_centroid_win_err",
    "x_centroid", "y_centroid", "semimajor", "semiminor", "ellipticity", "orientation_sky", "fwhm",
    "kron_radius", "segment_area", "warning_flags", "image_flags", "nn_distance", "dust_ebv",
)  # fmt: skip
_FURTHER = (
    "parent_label", "shape_e1", "shape_e2", "shape_e_err", "shape_sigma", "shape_resolution", "spread",
    "spread_err", "peak_snr",
)  # fmt: skip
_PHOTOZ = (
    "photoz", "photoz_gof", "photoz_low68", "photoz_high68", "photoz_low90", "photoz_high90",
    "photoz_low99", "photoz_high99",
)  # fmt: skip

#: Columns of ``roman.source_photometry`` with a value a source, by RAD's names.
_OF_BAND = {
    "segment_flux": "segment_~band~_flux",
    "kron_flux": "kron_~band~_flux",
    "psf_flux": "psf_~band~_flux",
    "ra_psf": "ra_psf_~band~",
    "dec_psf": "dec_psf_~band~",
    "aper_bkg_flux": "aper_bkg_~band~_flux",
}
_WITHOUT_ERROR = {
    "psf_gof": "psf_gof_~band~",
    "psf_flags": "psf_flags_~band~",
    "fluxfrac_radius_50": "fluxfrac_radius_50_~band~",
    "sharpness": "sharpness_~band~",
    "roundness1": "roundness1_~band~",
    "is_extended": "is_extended_~band~",
}
_APERTURE = "aper~radius~_~band~_flux"


def source_rows(catalog: StaticCatalog, options: CatalogOptions) -> dict[str, Any]:
    """Columns of ``roman.source`` but for keys and objects."""
    count = catalog.sources.count
    given = catalog.columns
    rows: dict[str, Any] = {"label": np.arange(1, count + 1)}
    rows |= {name: given[name] for name in _OF_SOURCE}
    rows |= {name: catalog.further[name][0] for name in _FURTHER}
    extent = catalog.sources.extent
    rows["is_extended"] = extent.is_extended(options.extended_limit, options.extended_sigma)
    rows["nn_label"] = np.ma.masked_less(given["nn_label"], 0)
    rows |= {name: given.get(name, np.full(count, np.nan)) for name in _PHOTOZ}
    rows["photoz_sed"] = np.ma.masked_less(given.get("photoz_sed", np.full(count, -1)), 0)
    return rows


def photometry_rows(catalog: StaticCatalog, optical_element: str, options: CatalogOptions) -> dict[str, Any]:
    """Columns of ``roman.source_photometry`` of an optical element but for keys."""
    own = band_tag(catalog, optical_element)
    count = catalog.sources.count
    rows: dict[str, Any] = {"label": np.arange(1, count + 1), "optical_element": [optical_element] * count}
    for ours, template in _OF_BAND.items():
        rows[ours] = catalog.columns[column(template, own)]
        rows[f"{ours}_err"] = catalog.columns[column(f"{template}_err", own)]
    rows |= {ours: catalog.columns[column(template, own)] for ours, template in _WITHOUT_ERROR.items()}
    matched = _matched_tag(catalog, own)
    for end in ("", "_err"):
        rows[f"aper_flux{end}"] = list(_apertures(catalog, own, options, end))
        rows[f"matched_flux{end}"] = (
            [None] * count if matched is None else list(_apertures(catalog, matched, options, end))
        )
        kron = None if matched is None else catalog.columns[column(f"kron_~band~_flux{end}", matched)]
        rows[f"matched_kron_flux{end}"] = np.full(count, np.nan) if kron is None else kron
    return rows


def band_tag(catalog: StaticCatalog, optical_element: str) -> str:
    """How a catalog names an optical element in its columns."""
    return "" if catalog.reference is None else optical_element.lower()


def _matched_tag(catalog: StaticCatalog, own: str) -> str | None:
    """How a catalog names a band after PSF matching; None in catalogs of one band."""
    if catalog.reference is None:
        return None
    reference = catalog.reference.lower()
    return own if own == reference else f"{own}m{reference}"


def _apertures(
    catalog: StaticCatalog, tag: str, options: CatalogOptions, end: str
) -> npt.NDArray[np.float32]:
    """Fluxes or errors in all apertures, shape (n, n_radius)."""
    names = [column(f"{_APERTURE}{end}", tag, radius) for radius in options.aperture_radii]
    return np.stack([catalog.columns[name] for name in names], axis=1).astype(np.float32)


def catalog_sources(catalog: StaticCatalog, mjd_tdb: float) -> Sources:
    """The sources as the object catalog takes them, with the fluxes of their PSF fits.

    Parameters
    ----------
    catalog
        The catalog.
    mjd_tdb
        Its epoch.
    """
    count = catalog.sources.count
    flux, error = {}, {}
    for image in catalog.images:
        tag = band_tag(catalog, image.optical_element)
        values, errors = (catalog.columns[column(f"psf_~band~_flux{end}", tag)] for end in ("", "_err"))
        known = np.isfinite(values) & np.isfinite(errors)
        flux[image.optical_element] = np.where(known, values, np.nan)
        error[image.optical_element] = np.where(known, errors, np.nan)
    ra_err, dec_err = _position_errors(catalog)
    unknown = {name: np.full(count, np.nan) for name in _UNKNOWN}
    return Sources(
        row=np.arange(count),
        source_id=np.full(count, None, object),
        ra=catalog.columns["ra"],
        dec=catalog.columns["dec"],
        ref_epoch=np.full(count, julian_year(mjd_tdb)),
        ra_err=ra_err,
        dec_err=dec_err,
        flux=flux,
        flux_err=error,
        **unknown,
    )


def may_be_objects(catalog: StaticCatalog) -> npt.NDArray[np.bool_]:
    """Sources, shape (n,), that make an object where they are none: bright, and not cut by the edge."""
    whole = (catalog.columns["image_flags"] & int(ImageFlag.EDGE)) == 0
    return np.asarray(whole & (catalog.sources.detection.peak_snr >= _OBJECT_SNR))


_UNKNOWN = ("pm_ra", "pm_dec", "pm_ra_err", "pm_dec_err", "parallax", "parallax_err")


def _position_errors(catalog: StaticCatalog) -> tuple[FloatArray, FloatArray]:
    """Errors of ``ra`` and ``dec``, mas: of the windowed centroid, or of the isophotal one, grown."""
    windowed = np.isfinite(catalog.columns["ra_centroid_win"])
    found = [
        np.where(
            windowed,
            catalog.columns[f"{axis}_centroid_win_err"],
            catalog.columns[f"{axis}_centroid_err"] * _ISOPHOTAL_SCATTER,
        )
        * _MAS_OF_ARCSEC
        for axis in ("ra", "dec")
    ]
    return found[0], found[1]
