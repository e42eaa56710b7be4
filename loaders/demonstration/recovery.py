"""How well light curves give back the truth of a simulated scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_MMAG = 1000 * 2.5 / np.log(10)
_AB_ZERO_NJY = 31.400066
_MAD_TO_SIGMA = 1.482602218505602


@dataclass(frozen=True)
class Recovery:
    """Measured against true fluxes.

    Parameters
    ----------
    n_star, n_point
        Stars, and points without a flag.
    bias_mmag
        Median of measured minus true magnitude of the stars brighter than the limit.
    limit
        AB magnitude of that limit.
    pull
        Robust standard deviation of (measured - true) / error over all points: 1 if the errors are right.
    """

    n_star: int
    n_point: int
    bias_mmag: float
    limit: float
    pull: float


def recovery(flux: FloatArray, error: FloatArray, truth: FloatArray, limit: float = 21.0) -> Recovery:
    """Compare fluxes with the truth.

    Parameters
    ----------
    flux, error, truth
        Shape (n_star, n_epoch), nJy; NaN flux: not to be compared.
    limit
        AB magnitude down to which the bias is taken.
    """
    good = np.isfinite(flux) & (error > 0)
    difference = np.where(good, flux - truth, np.nan)
    bright = good & (truth > 10 ** (0.4 * (_AB_ZERO_NJY - limit)))
    ratio = flux[bright] / truth[bright]
    return Recovery(
        int(good.any(axis=1).sum()),
        int(good.sum()),
        -_MMAG * float(np.log(np.median(ratio))) if ratio.size else float("nan"),
        limit,
        _MAD_TO_SIGMA * float(np.nanmedian(np.abs(difference / error))),
    )


@dataclass(frozen=True)
class EventRecovery:
    """The light curve of one event against the truth.

    Parameters
    ----------
    star
        Row of the star in the scene.
    chi2, n_point
        Sum of squared pulls about the true light curve, and number of points.
    peak, true_peak
        Largest measured flux over the flux at rest, and the true ratio at that point.
    """

    star: int
    chi2: float
    n_point: int
    peak: float
    true_peak: float


def best_event(
    flux: FloatArray, error: FloatArray, truth: FloatArray, rest: FloatArray, events: npt.NDArray[np.int64]
) -> int:
    """Choose the event that stands out most: largest summed squared deviation from rest in errors.

    Parameters
    ----------
    flux, error, truth
        Shape (n_star, n_epoch), nJy.
    rest
        Shape (n_star,): flux at rest, nJy.
    events
        Rows of the stars with an event, at least one.
    """
    excess = np.where(np.isfinite(flux), (truth - rest[:, None]) / error, 0.0)[events]
    return int(events[np.argmax(np.nansum(excess**2, axis=1))])


def event_recovery(
    flux: FloatArray, error: FloatArray, truth: FloatArray, rest: FloatArray, star: int
) -> EventRecovery:
    """Compare the light curve of one event with the truth."""
    good = np.isfinite(flux[star])
    pull = (flux[star] - truth[star])[good] / error[star][good]
    peak = int(np.nanargmax(np.where(good, truth[star], np.nan)))
    return EventRecovery(
        star,
        float(pull @ pull),
        int(good.sum()),
        float(flux[star, peak] / rest[star]),
        float(truth[star, peak] / rest[star]),
    )
