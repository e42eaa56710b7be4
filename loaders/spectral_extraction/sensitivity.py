"""Sensitivity curves: electrons of a spectrum, and the spectrum of electrons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import constants

from loaders.simulation.instrument_tables import effective_area
from loaders.spectral_extraction.path import Path
from loaders.spectral_extraction.response import Response
from loaders.spectral_geometry.polynomial import FloatArray

_HC = constants.h.si.value * constants.c.si.value
_MICRON = 1e-6
_COLUMN = {("GRISM", 1): "Grism_1stOrder", ("GRISM", 0): "Grism_0thOrder", ("PRISM", 1): "Prism"}
_SECOND = 0.015
"""Share of the first order that the second has, as the effective areas do not list it."""
_USED = 0.02
"""Spectra are given where the sensitivity is more than this share of its highest value."""


@dataclass(frozen=True)
class RelativeCovariance:
    """How well a sensitivity is known.

    Parameters
    ----------
    wavelength
        Shape (k,): nodes in µm, ascending.
    value
        Shape (k, k): covariance of the relative errors of the sensitivity at the nodes.
    """

    wavelength: FloatArray
    value: FloatArray

    def __post_init__(self) -> None:
        number = self.wavelength.size
        if self.value.shape != (number, number) or not np.all(np.diff(self.wavelength) > 0):
            raise ValueError("a covariance must have ascending wavelengths, and as many rows and columns")
        if not (np.all(np.isfinite(self.value)) and np.all(np.diag(self.value) >= 0)):
            raise ValueError("a covariance must be finite, with variances that are not negative")

    def error(self, wavelength: FloatArray) -> FloatArray:
        """Relative standard error at wavelengths in µm, any shape; beyond the nodes that of the nearest."""
        return np.asarray(np.interp(wavelength, self.wavelength, np.sqrt(np.diag(self.value))))


@dataclass(frozen=True)
class Sensitivity:
    """Electrons/s of one W m⁻² in light of a wavelength; both of shape (n,), wavelengths (µm) ascending.

    ``covariance`` is None where nobody measured it. ``response`` is what `along` multiplies, None for 1.
    """

    wavelength: FloatArray
    value: FloatArray
    covariance: RelativeCovariance | None = None
    response: Response | None = None

    def along(self, steps: Path) -> FloatArray:
        """Sensitivity in the steps of a path, with the response of the place and the exposure."""
        curve = self.at(steps.wavelength)
        return curve if self.response is None else curve * self.response.at(steps)

    def at(self, wavelength: FloatArray) -> FloatArray:
        """Sensitivity at wavelengths in µm, any shape; zero beyond the curve."""
        return np.interp(wavelength, self.wavelength, self.value, left=0.0, right=0.0)


def nominal_sensitivity(detector: str, optical_element: str, order: int) -> Sensitivity:
    """Sensitivity of a detector's effective area A: A λ / (h c).

    Raises
    ------
    ValueError
        If the detector, the element or its order is not known.
    """
    share = _SECOND if (optical_element, order) == ("GRISM", 2) else 1.0
    column = _COLUMN.get((optical_element, 1 if share < 1 else order))
    if column is None:
        raise ValueError(f"no effective area of order {order} of {optical_element!r}")
    band = effective_area(detector, column)
    return Sensitivity(band.wavelength / _MICRON, share * band.area * band.wavelength / _HC)


def electrons(curve: Sensitivity, steps: Path, flux_density: FloatArray) -> FloatArray:
    """Electrons/s in the steps of a path of a flux density (W m⁻² µm⁻¹) there, all of shape (n,)."""
    return flux_density * curve.along(steps) * steps.width


def flux_density(curve: Sensitivity, steps: Path, rate: FloatArray) -> FloatArray:
    """Flux density in W m⁻² µm⁻¹ of electrons/s in rows; NaN where the sensitivity is next to nothing.

    Errors are converted like rates.
    """
    sensitivity = curve.along(steps)
    useful = sensitivity > _USED * curve.value.max()
    per_step = np.where(useful, sensitivity * steps.width, np.nan)
    return np.asarray(rate / per_step)
