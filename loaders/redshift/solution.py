"""What a fit says of a spectrum."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from loaders.redshift.warning_bits import WarningBit

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Solution:
    """One redshift that the spectrum may have.

    Parameters
    ----------
    class_name, subclass
        ``GALAXY``, ``STAR`` or ``QSO``, and the template that gives the most light.
    z, z_err
        Redshift and its standard error, of this minimum alone.
    chi2
        Chi-square with the priors of what is fitted.
    probability
        Share of this minimum in the evidence of all that were found in all classes.
    broadening
        Width of the lines relative to the line-spread function.
    amplitude
        Shape (k + q + g,): of templates, polynomials and groups of lines, in units of `Prepared.scale`.
    """

    class_name: str
    subclass: str
    z: float
    z_err: float
    chi2: float
    probability: float
    broadening: float
    amplitude: FloatArray


@dataclass(frozen=True)
class MeasuredLine:
    """A line: vacuum wavelength and equivalent width at rest (Å), flux and error (flux unit times Å).

    ``flux_limit`` is three standard errors where the line is not three of them strong, else NaN. NaN is the
    equivalent width where there is no continuum.
    """

    name: str
    wavelength: float
    flux: float
    flux_err: float
    equivalent_width: float
    equivalent_width_err: float
    flux_limit: float

    @property
    def snr(self) -> float:
        """Signal-to-noise ratio of the flux."""
        return self.flux / self.flux_err


@dataclass(frozen=True)
class Fit:
    """What was found; without solutions where nothing could be fitted.

    Parameters
    ----------
    solutions
        The best first.
    reliability
        Probability that the first is right to 0.003 (1 + z) and of its class; NaN without one.
    quantile
        Shape (100,), quantiles of the redshift within the class of the first, at `minima.QUANTILES`.
    chi2_scale
        Square of what errors were too small by: chi-square by degree of freedom, at least 1.
    delta_chi2
        How much larger chi-square is in the next minimum, over ``chi2_scale``; NaN without one.
    n_pixel
        Pixels of the file that were used.
    """

    warning: WarningBit
    n_pixel: int
    solutions: tuple[Solution, ...] = ()
    reliability: float = np.nan
    chi2_scale: float = np.nan
    delta_chi2: float = np.nan
    quantile: FloatArray = field(default_factory=lambda: np.zeros(0))
    lines: tuple[MeasuredLine, ...] = ()
