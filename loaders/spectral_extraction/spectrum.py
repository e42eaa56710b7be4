"""One-dimensional spectra of all sources of an exposure, with what is left of others taken off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.spectral_extraction.combination import Spectrum
from loaders.spectral_extraction.contamination import Contamination, Instrument, others
from loaders.spectral_extraction.extraction import Extracted, cut, optimal
from loaders.spectral_extraction.frame import SpectralFrame
from loaders.spectral_extraction.sensitivity import flux_density
from loaders.spectral_geometry.polynomial import FloatArray


@dataclass(frozen=True)
class SourceSpectrum:
    """A spectrum of an exposure.

    Parameters
    ----------
    calibrated
        Flux density in W m⁻² µm⁻¹ by wavelength in µm.
    extracted
        The same in electrons/s, row by row.
    contamination
        Shape (n,): what others brought into the profile, as a share of all light there; 0 for none.
    """

    calibrated: Spectrum
    extracted: Extracted
    contamination: FloatArray


@dataclass(frozen=True)
class Decontaminated:
    """A 2D cut-out of a spectrum; arrays of shape (n, w), a row of the trace each.

    ``rate`` (electrons/s) has others taken off, whose rate is ``other``; ``variance`` has that of the model
    of others in it. ``corner`` is the pixel x, y of the exposure at which it begins, ``wavelength`` (µm) of
    shape (n,) that of each row.
    """

    corner: tuple[int, int]
    wavelength: FloatArray
    rate: FloatArray
    variance: FloatArray
    other: FloatArray
    profile: FloatArray


def cutout(frame: SpectralFrame, model: Contamination, number: int, instrument: Instrument) -> Decontaminated:
    """Cut the first order of a source out of an exposure without sky, and take all others off.

    A pixel that cannot be used has a rate of NaN.
    """
    source = model.sources[number]
    other, other_variance, own = others(model, number, instrument)
    box = source.rows.box
    part = cut(frame, box.slices)
    return Decontaminated(
        (box.x, box.y),
        source.rows.steps.wavelength,
        np.where(part.usable, part.rate - other, np.nan),
        part.variance(other + own) + other_variance,
        other,
        source.unit,
    )


def extract(
    frame: SpectralFrame, model: Contamination, number: int, instrument: Instrument
) -> SourceSpectrum:
    """Extract the spectrum of a source from an exposure without sky; of no rows where none is on it."""
    source = model.sources[number]
    other, other_variance, own = others(model, number, instrument)
    part = cut(frame, source.rows.box.slices)
    part = replace(part, read_variance=part.read_variance + other_variance)
    extracted = optimal(part, source.unit, other)
    curve, steps = instrument.sensitivity[source.rows.order], source.rows.steps
    calibrated = Spectrum(
        steps.wavelength,
        flux_density(curve, steps, extracted.rate),
        flux_density(curve, steps, extracted.error),
    )
    both = (source.unit * (np.abs(other) + np.abs(own))).sum(axis=1)
    share = np.divide(
        (source.unit * np.abs(other)).sum(axis=1), both, out=np.zeros(both.shape), where=both > 0
    )
    return SourceSpectrum(calibrated, extracted, share)
