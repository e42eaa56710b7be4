"""Quality of photometry: of an exposure against the catalog, of a block against its own noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from loaders.astrometry.stars import CatalogStars
from loaders.light_curve.summary import SegmentMatrix
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.measure import ExposureMeasurement

FloatArray = npt.NDArray[np.float64]

#: Signal-to-noise ratio from which a star serves as a standard.
BRIGHT_SNR = 100.0

#: Scaled median absolute deviation of a Gaussian (Rousseeuw & Croux 1993, JASA 88, 1273).
MAD_TO_SIGMA = 1.482602218505602

#: Flags that say nothing against a flux: crowding is in its error, a saturated star may have a usable slope.
HARMLESS = PhotometryFlag.CROWDED | PhotometryFlag.SATURATED

#: Flags of a star on the detector whose flux could not be measured.
FAILED = PhotometryFlag.FIT_FAILED | PhotometryFlag.NO_PIXELS

_MMAG = 1000 * 2.5 / np.log(10)
_AB_ZERO_NJY = 31.400066


def exposure_metrics(stars: CatalogStars, measurement: ExposureMeasurement) -> dict[str, float]:
    """Metrics of one exposure; NaN where no star serves.

    ``astrometric_shift`` and ``astrometric_residual`` (mas), ``zero_point_drift`` (mmag, positive: fainter
    than the catalog), ``fraction_flagged``, ``fraction_failed``, ``reduced_chi2`` (median).
    """
    with np.errstate(invalid="ignore", divide="ignore"):  # where a fit failed
        snr = measurement.flux / measurement.flux_err
    bright = (measurement.flags == 0) & (snr > BRIGHT_SNR)
    residual = np.concatenate([measurement.offset_ra[bright], measurement.offset_dec[bright]])
    ratio = measurement.flux[bright] / stars.flux[measurement.star[bright]]
    return {
        "astrometric_shift": float(np.hypot(*measurement.shift)),
        "astrometric_residual": robust_sigma(residual),
        "zero_point_drift": -_MMAG * float(np.log(_median(ratio))),
        "fraction_flagged": _mean((measurement.flags & ~HARMLESS) != 0),
        "fraction_failed": _mean((measurement.flags & FAILED) != 0),
        "reduced_chi2": _median(measurement.reduced_chi2),
    }


def scatter_metrics(segments: SegmentMatrix) -> Iterator[tuple[str, float]]:
    """Scatter of the light curves of a block about their means, unflagged points only.

    ``scatter_ratio`` is the median ratio of scatter to formal error; ``scatter_<m>`` (mmag) the median
    scatter of stars between AB magnitudes m and m + 1.
    """
    good = (segments.flags == 0) & np.isfinite(segments.flux) & (segments.flux_err > 0)
    count = good.sum(axis=1)
    weight = np.where(good, 1.0 / np.where(good, segments.flux_err, 1.0).astype(np.float64) ** 2, 0.0)
    flux = np.where(good, segments.flux, 0.0).astype(np.float64)
    total = weight.sum(axis=1)
    mean = np.divide((weight * flux).sum(axis=1), total, out=np.full(count.size, np.nan), where=total > 0)
    chi2 = (weight * (flux - mean[:, None]) ** 2).sum(axis=1)
    enough = (count > 2) & (mean > 0)
    scatter = np.sqrt(chi2[enough] / (count[enough] - 1))
    if enough.any():
        yield "scatter_ratio", _median(scatter / _expected_median(count[enough] - 1))
    mmag = _MMAG * scatter * np.sqrt(count[enough] / total[enough]) / mean[enough]
    magnitude = _AB_ZERO_NJY - 2.5 * np.log10(mean[enough])
    for edge in range(14, 26):
        inside = (magnitude >= edge) & (magnitude < edge + 1)
        if inside.any():
            yield f"scatter_{edge}", _median(mmag[inside])


def psf_metrics(mjd_tdb: FloatArray, psf_epoch: FloatArray) -> Iterator[tuple[str, float]]:
    """Age of the PSFs of a block.

    Parameters
    ----------
    mjd_tdb
        Shape (n_epoch,): midpoints of the exposures.
    psf_epoch
        Shape (n_epoch,), MJD TDB: epoch of the PSF that measured each; NaN for that of the optics.

    Yields
    ------
    tuple
        ``psf_is_optics``, the fraction of the exposures measured with the PSF of the optics, and unless that
        is all of them ``psf_age_days``, the largest distance in time between exposure and PSF.
    """
    age = np.abs(mjd_tdb - psf_epoch)
    yield "psf_is_optics", _mean(np.isnan(age))
    if not np.isnan(age).all():
        yield "psf_age_days", float(np.nanmax(age))


def robust_sigma(values: FloatArray) -> float:
    """Scaled median absolute deviation of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return MAD_TO_SIGMA * _median(np.abs(finite - _median(finite)))


def _expected_median(degrees: npt.NDArray[np.int64]) -> FloatArray:
    """Square root of the median of chi square over its degrees of freedom (Wilson & Hilferty 1931)."""
    return np.asarray((1.0 - 2.0 / (9.0 * degrees)) ** 1.5)


def _median(values: npt.NDArray[np.floating]) -> float:
    """Median of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def _mean(values: npt.NDArray[np.bool_]) -> float:
    """Fraction that is true; NaN where there is none."""
    return float(np.mean(values)) if values.size else float("nan")
