"""How good the spectra of an exposure are, in numbers that have limits."""

from __future__ import annotations

import numpy as np

from loaders.exposure_spectrum.measure import Measured
from loaders.exposure_spectrum.warning_bits import SpectrumBit
from loaders.wfi.quality import MAD_TO_SIGMA


def exposure_metrics(measured: Measured) -> dict[str, float]:
    """Quality of an exposure by the name of the metric; NaN where it cannot be told.

    Fractions are of the objects whose first order falls on the detector, and of those with a spectrum.
    """
    on = (measured.warning & int(SpectrumBit.OFF_DETECTOR | SpectrumBit.NO_POSITION)) == 0
    spectra = measured.spectra
    has = np.isin(np.arange(on.size), list(spectra))
    contaminated = (measured.warning[has] & int(SpectrumBit.CONTAMINATED)) != 0
    metrics = {
        "spectra_extracted_fraction": _mean(has[on]),
        "spectra_contaminated_fraction": _mean(contaminated),
        "spectral_sky_rate": float("nan"),
        "spectral_residual_scatter": float("nan"),
    }
    if measured.extraction is not None:
        residual = measured.extraction.residual
        metrics["spectral_sky_rate"] = measured.extraction.sky.scale
        metrics["spectral_residual_scatter"] = float(MAD_TO_SIGMA * np.nanmedian(np.abs(residual)))
    return metrics


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
