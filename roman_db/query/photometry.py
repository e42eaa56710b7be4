"""Fluxes and magnitudes of a light curve, and what it comes to in a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from roman_db.query.light_curve import CataloguedObject, FloatArray, Series

#: AB magnitude of 1 nJy: -2.5 log10(1 nJy / 3631 Jy) (Oke & Gunn 1983, ApJ 266, 713).
AB_OF_NJY = 2.5 * np.log10(3631e9)
#: Magnitudes per relative change of flux.
MAG_PER_LN = 2.5 / np.log(10)
#: Standard deviation of a normal distribution over its median absolute deviation.
_SIGMA_PER_MAD = 1.482602218505602


def ab_magnitude(flux: FloatArray | float) -> FloatArray:
    """AB magnitude of a flux density in nJy; NaN where it is not positive."""
    flux = np.asarray(flux, np.float64)
    positive = np.where(flux > 0, flux, np.nan)
    return np.asarray(AB_OF_NJY - 2.5 * np.log10(positive))


def ab_magnitude_error(flux: FloatArray, flux_err: FloatArray) -> FloatArray:
    """Standard error of the AB magnitude to first order; NaN where the flux is not positive."""
    return np.asarray(MAG_PER_LN * flux_err / np.where(flux > 0, flux, np.nan))


@dataclass(frozen=True)
class SeriesSummary:
    """A series in a few numbers.

    Parameters
    ----------
    n_point, n_flagged, n_failed
        Points with a flux and no flag, with a flux and a flag, and without a flux.
    mean_flux
        Weighted mean, nJy, of the points without a flag; of all if all are flagged. NaN: no points.
    mean_mag, catalog_mag
        AB magnitudes of that mean and of the catalog; NaN where not positive or not known.
    scatter_mag
        Robust standard deviation (1.4826 times the median absolute deviation) over the mean, in magnitudes.
    error_mag
        Median standard error over the mean, in magnitudes.
    first_bjd_tdb, last_bjd_tdb
        First and last point, failed ones included.
    flag_counts
        Points that carry a flag, by number of the bit.
    """

    optical_element: str
    photometry_kind: str
    n_point: int
    n_flagged: int
    n_failed: int
    mean_flux: float
    mean_mag: float
    scatter_mag: float
    error_mag: float
    catalog_mag: float
    first_bjd_tdb: float
    last_bjd_tdb: float
    flag_counts: Mapping[int, int]


def summarise(series: Series, target: CataloguedObject) -> SeriesSummary:
    """Sum up a series."""
    used = series.is_good if series.is_good.any() else series.is_measured
    flux, error = series.flux[used], series.flux_err[used]
    mean = _weighted_mean(flux, error)
    relative = float(MAG_PER_LN / mean) if mean > 0 else np.nan
    return SeriesSummary(
        series.optical_element,
        series.photometry_kind,
        n_point=int(series.is_good.sum()),
        n_flagged=int((series.is_measured & (series.flags != 0)).sum()),
        n_failed=int((~series.is_measured).sum()),
        mean_flux=mean,
        mean_mag=float(ab_magnitude(mean)),
        scatter_mag=robust_deviation(flux) * relative,
        error_mag=_median(error) * relative,
        catalog_mag=float(ab_magnitude(target.flux.get(series.optical_element, np.nan))),
        first_bjd_tdb=float(series.bjd_tdb[0]),
        last_bjd_tdb=float(series.bjd_tdb[-1]),
        flag_counts={bit: n for bit in range(16) if (n := int((series.flags >> bit & 1).sum()))},
    )


def robust_deviation(values: FloatArray) -> float:
    """Standard deviation from the median absolute deviation; NaN where there is no value."""
    return _SIGMA_PER_MAD * _median(np.abs(values - _median(values)))


def _weighted_mean(flux: FloatArray, error: FloatArray) -> float:
    """Mean weighted by the inverse variance; NaN where there is no value."""
    return float(np.average(flux, weights=error**-2.0)) if flux.size else np.nan


def _median(values: FloatArray) -> float:
    """Median; NaN where there is no value."""
    return float(np.median(values)) if values.size else np.nan
