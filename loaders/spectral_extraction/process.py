"""All steps from a dispersed exposure to the spectra of its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loaders.spectral_extraction.background import Sky, fit_sky
from loaders.spectral_extraction.contamination import (
    Contamination,
    Instrument,
    ModelSource,
    model_sources,
    refine,
)
from loaders.spectral_extraction.exposure import DirectSources
from loaders.spectral_extraction.frame import BoolArray, SpectralFrame
from loaders.spectral_extraction.location import Locations, Places, trace_mask
from loaders.spectral_extraction.spectrum import Decontaminated, SourceSpectrum, cutout, extract
from loaders.spectral_geometry.polynomial import FloatArray

_ROUNDS = 2, 8
"""How often spectra are refined for the model that the sky is measured with, and for the one that stays."""


@dataclass(frozen=True)
class Extraction:
    """What an exposure gives.

    Parameters
    ----------
    sky
        Its sky, in electrons/s.
    spectra
        Spectra by the row of the source; none of those without shape.
    residual
        Shape (ny, nx): what the model of sky and sources leaves, in its standard errors; NaN where a pixel is
        not used.
    frame, model, instrument
        The exposure without sky, the model of its sources, and by what it was made.
    row
        Row of a source in the model, by its row among all.
    """

    sky: Sky
    spectra: Mapping[int, SourceSpectrum]
    residual: FloatArray
    frame: SpectralFrame
    model: Contamination
    instrument: Instrument
    row: Mapping[int, int]

    def cutout(self, source: int) -> Decontaminated:
        """2D cut-out of the spectrum of a source, by its row among all, others taken off."""
        return cutout(self.frame, self.model, self.row[source], self.instrument)


def extract_all(
    frame: SpectralFrame, found: Locations, places: Places, sources: DirectSources, instrument: Instrument
) -> Extraction:
    """Measure the sky, which is taken to be flat, model all sources, and extract each with the others off.

    Parameters
    ----------
    frame
        The exposure.
    found
        Where spectra fall: the sky is measured beside them.
    places, sources
        Sources in its direct pixels, and what direct images show of them.
    instrument
        Geometry and sensitivities.

    Raises
    ------
    ValueError
        If no pixel can be used for the sky.
    """
    known = [n for n, shape in enumerate(sources.shape) if shape is not None]
    shapes = [
        shape.moved(float(places.x[n]), float(places.y[n]))
        for n, shape in enumerate(sources.shape)
        if shape is not None
    ]
    shining = model_sources(shapes, instrument, frame.rate.shape)
    beside = trace_mask(found, instrument.dispersion, places, frame.rate.shape)
    sky, frame, model = _modelled(frame, beside, (shining, sources.flux_density[known]), instrument)
    sigma = np.sqrt(frame.variance(model.total) + model.variance)
    residual = np.where(frame.usable, (frame.rate - model.total) / sigma, np.nan)
    spectra = {n: extract(frame, model, row, instrument) for row, n in enumerate(known)}
    rows = {n: row for row, n in enumerate(known)}
    return Extraction(sky, spectra, residual, frame, model, instrument, rows)


def _modelled(
    frame: SpectralFrame,
    traces: BoolArray,
    sources: tuple[Sequence[ModelSource], FloatArray],
    instrument: Instrument,
) -> tuple[Sky, SpectralFrame, Contamination]:
    """Sky, exposure without it, and model of sources, which come with the flux densities they begin with.

    The sky is measured beside the spectra. What they shine there is small in each pixel, yet not in the sum
    of all across a spectrum: so it is measured again with a first model of the sources taken off.
    """
    light, error = np.zeros((2, *frame.rate.shape))
    for rounds in _ROUNDS:
        sky = fit_sky(frame.without_sky(light, error), np.ones(light.shape), traces)
        bare = frame.without_sky(np.full(light.shape, sky.scale), np.full(light.shape, sky.error))
        model = refine(bare, sources[0], instrument, sources[1], rounds)
        light, error = model.total, np.sqrt(model.variance)
    return sky, bare, model
