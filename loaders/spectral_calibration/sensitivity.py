"""Sensitivities from stars whose spectra are known, with the covariance of what is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline

from loaders.rejection import Rejected
from loaders.spectral_calibration.profile import spread
from loaders.spectral_calibration.rows import SourceRows
from loaders.spectral_extraction.response import Response
from loaders.spectral_extraction.sensitivity import RelativeCovariance, Sensitivity
from loaders.spectral_geometry.polynomial import FloatArray

_NODES = 24
"""Nodes of the spline that corrects a sensitivity."""
_BAND = 0.1
"""Nodes lie where the sensitivity is above this share of its highest value."""
_LEAST_ROWS = 100
"""Rows of standards that a sensitivity takes."""
_CLIP = 5.0
_ROUNDS = 4


@dataclass(frozen=True)
class Standard:
    """A spectrum of a star on an exposure, and what is known of the star from elsewhere.

    Parameters
    ----------
    rows
        The spectrum.
    wavelength, flux
        Shape (n,): wavelengths (µm, ascending) and flux densities (W m⁻² µm⁻¹).
    response
        Response of its exposure; None for 1.
    """

    rows: SourceRows
    wavelength: FloatArray
    flux: FloatArray
    response: Response | None = None

    def expected(self, curve: FloatArray, at: FloatArray) -> FloatArray:
        """Electrons/s in its rows for a sensitivity ``curve`` at wavelengths ``at``."""

        def density(wavelength: FloatArray) -> FloatArray:
            flux = np.interp(wavelength, self.wavelength, self.flux)
            return flux * np.interp(wavelength, at, curve, left=0.0, right=0.0)

        light = spread(self.rows.steps, self.rows.profile, density)
        return light if self.response is None else light * self.response.at(self.rows.steps)


@dataclass(frozen=True)
class FittedSensitivity:
    """A sensitivity from standards.

    Parameters
    ----------
    curve
        The sensitivity with its covariance.
    factor
        Mean of it over that which it began with.
    relative_error
        Its relative standard error, median over the band.
    ratio
        Of each spectrum of a standard: its light over that which the sensitivity expects of it.
    """

    curve: Sensitivity
    factor: float
    relative_error: float
    ratio: FloatArray


def fitted_sensitivity(
    base: Sensitivity, standards: Sequence[Standard], scale_error: float = 0.01
) -> FittedSensitivity:
    """Fit a sensitivity: what it began with, times a spline, as edges are sharper than spectra show.

    The covariance is that of the noise, grown by chi-square by degree of freedom, and of two errors that all
    wavelengths share: of the mean of the spectra, by their scatter, and of the fluxes of standards.

    Parameters
    ----------
    base
        What it begins with, such as that of the effective area.
    standards
        Spectra of standards.
    scale_error
        Relative error of the fluxes of standards that all wavelengths share.

    Raises
    ------
    Rejected
        Code ``no_calibration_source``, if too little of the band is seen.
    """
    useful = base.wavelength[base.value > _BAND * base.value.max()]
    nodes = np.linspace(useful[0], useful[-1], _NODES)
    known = [one for one in standards if _covers(one, nodes)]
    design, rate, error = _equations(base, known, nodes)
    if rate.size < _LEAST_ROWS:
        what = f"standards show {rate.size} rows of the band, {_LEAST_ROWS} are wanted"
        remedy = "Load the spectra of standards, and exposures that show them whole and not saturated"
        raise Rejected("the sensitivity", what, remedy, "no_calibration_source")
    fitted, covariance = _solved(design, rate, error)
    spline = CubicSpline(nodes, fitted)
    ends = np.clip(base.wavelength, nodes[0], nodes[-1])
    curve = replace(base, value=np.maximum(base.value * spline(ends), 0.0))
    ratio = np.array([_ratio(curve, one) for one in known])
    shared = scale_error**2 + (float(np.var(ratio, ddof=1)) / ratio.size if ratio.size > 1 else 0.0)
    relative = covariance / np.outer(fitted, fitted) + shared
    curve = replace(curve, covariance=RelativeCovariance(nodes, relative))
    known_to = float(np.median(np.sqrt(np.diag(relative))))
    return FittedSensitivity(curve, float(np.mean(fitted)), known_to, ratio)


def _covers(one: Standard, nodes: FloatArray) -> bool:
    """Whether what is known of a star reaches over all nodes."""
    return bool(one.wavelength[0] <= nodes[0] and one.wavelength[-1] >= nodes[-1])


def _equations(
    base: Sensitivity, standards: Sequence[Standard], nodes: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rows of all standards: light by node, rates, and errors, where all are known."""
    shapes = CubicSpline(nodes, np.eye(nodes.size))(np.clip(base.wavelength, nodes[0], nodes[-1]))
    parts: list[tuple[FloatArray, FloatArray, FloatArray]] = [
        (np.zeros((0, nodes.size)), np.zeros(0), np.zeros(0))
    ]
    for one in standards:
        light = np.column_stack([one.expected(base.value * shape, base.wavelength) for shape in shapes.T])
        seen = np.isfinite(one.rows.rate) & np.isfinite(one.rows.error) & (one.rows.error > 0)
        seen &= (one.rows.steps.wavelength >= nodes[0]) & (one.rows.steps.wavelength <= nodes[-1])
        parts.append((light[seen], one.rows.rate[seen], one.rows.error[seen]))
    design, rate, error = zip(*parts, strict=True)
    return np.concatenate(design), np.concatenate(rate), np.concatenate(error)


def _solved(design: FloatArray, rate: FloatArray, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Factors at the nodes and their covariance; rows that stick out are left out."""
    keep = np.ones(rate.size, dtype=bool)
    for _ in range(_ROUNDS):
        weighted = design[keep] / error[keep, None]
        fitted = np.linalg.lstsq(weighted, rate[keep] / error[keep], rcond=None)[0]
        left = (rate - design @ fitted) / error
        scale = max(1.0, 1.4826 * float(np.median(np.abs(left))))
        keep = np.abs(left) < _CLIP * scale
    return np.asarray(fitted), np.asarray(scale**2 * np.linalg.pinv(weighted.T @ weighted))


def _ratio(curve: Sensitivity, one: Standard) -> float:
    """Light of a spectrum over what a sensitivity expects, rows weighted by their errors."""
    expected = one.expected(curve.value, curve.wavelength)
    seen = np.isfinite(one.rows.rate) & (one.rows.error > 0)
    weight = expected[seen] / one.rows.error[seen] ** 2
    return float((weight * one.rows.rate[seen]).sum() / (weight * expected[seen]).sum())
