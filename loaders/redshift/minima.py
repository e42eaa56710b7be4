"""From chi-square over redshift to solutions: minima, their errors, and the probability density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

QUANTILES = np.linspace(0.005, 0.995, 100)
"""Probabilities at which the redshift is stored: 100 numbers of 4 bytes, and the header of an array."""

_APART = 0.003
"""In ln(1 + z): minima that are closer are one."""


@dataclass(frozen=True)
class Minimum:
    """A minimum of chi-square: redshift, its error, and chi-square there."""

    z: float
    z_err: float
    chi2: float


def lowest(z: FloatArray, chi2: FloatArray, number: int, apart: float = _APART) -> IntArray:
    """Places of the lowest local minima, the best first, no two closer than ``apart`` in ln(1 + z)."""
    padded = np.pad(chi2, 1, constant_values=np.inf)
    local = np.flatnonzero((padded[1:-1] <= padded[:-2]) & (padded[1:-1] <= padded[2:]))
    chosen: list[int] = []
    for place in local[np.argsort(chi2[local], kind="stable")]:
        if all(abs(np.log1p(z[place]) - np.log1p(z[other])) > apart for other in chosen):
            chosen.append(int(place))
        if len(chosen) == number:
            break
    return np.array(chosen, np.int64)


def parabola(z: FloatArray, chi2: FloatArray) -> Minimum:
    """Minimum of a few ascending redshifts, by the parabola through the lowest and its neighbours.

    The error is where chi-square has risen by 1; on a flat curve, or at its end, it is the range itself.
    """
    k = int(np.argmin(chi2))
    if 0 < k < z.size - 1:
        left, right = z[k - 1] - z[k], z[k + 1] - z[k]
        up, down = (chi2[k + 1] - chi2[k]) / right, (chi2[k - 1] - chi2[k]) / left
        curvature = (up - down) / (right - left)
        if curvature > 0:
            shift = float(np.clip(-(up - curvature * right) / (2 * curvature), left, right))
            drop = curvature * shift**2
            error = min(1 / np.sqrt(curvature), float(np.ptp(z)))
            return Minimum(float(z[k] + shift), float(error), float(chi2[k] - drop))
    return Minimum(float(z[k]), float(np.ptp(z)), float(chi2[k]))


def quantiles(z: FloatArray, chi2: FloatArray, minima: list[Minimum], scale: float) -> FloatArray:
    """Quantiles of the redshift.

    Parameters
    ----------
    z, chi2
        Shape (n,): the scan.
    minima
        Refined minima, about which the density is that of their parabolas.
    scale
        By which chi-square is divided.

    Returns
    -------
    numpy.ndarray
        Shape (100,), ascending, at `QUANTILES`.
    """
    fine = [m.z + m.z_err * np.linspace(-5, 5, 41) for m in minima]
    place = np.unique(np.concatenate([z, *fine]))
    curve = np.interp(place, z, chi2)
    for m in minima:
        near = np.abs(place - m.z) <= 5 * m.z_err
        curve[near] = np.minimum(curve[near], m.chi2 + ((place[near] - m.z) / m.z_err) ** 2)
    density = np.exp(-0.5 * (curve - curve.min()) / scale) / (1 + np.maximum(place, -0.5))
    mass = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(place))])
    rising = np.concatenate([[True], np.diff(mass) > 0])
    return np.asarray(np.interp(QUANTILES, mass[rising] / mass[-1], place[rising]))


def log_evidence(z: FloatArray, chi2: FloatArray, minima: list[Minimum], scale: float) -> float:
    """Logarithm of the integral of the likelihood over ln(1 + z), by the minima or by the scan."""
    best = min([float(chi2.min()), *(m.chi2 for m in minima)])
    broad = np.exp(-0.5 * (chi2 - best) / scale)
    smooth = np.trapezoid(broad, np.log1p(z)) if z.size > 1 else 0.0
    peaks = [
        np.exp(-0.5 * (m.chi2 - best) / scale) * m.z_err / (1 + m.z) * np.sqrt(2 * np.pi * scale)
        for m in minima
    ]
    return float(-0.5 * best / scale + np.log(max([1e-300, smooth, sum(peaks)])))


def mass_about(quantile: FloatArray, z: float, half: float) -> float:
    """Probability that the redshift is within ``half`` of z, of quantiles as they are stored."""
    inside = np.interp([z - half, z + half], quantile, QUANTILES, left=0.0, right=1.0)
    return float(inside[1] - inside[0])
