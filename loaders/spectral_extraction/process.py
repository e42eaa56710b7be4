"""All steps from a dispersed exposure to the spectra of its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loaders.spectral_extraction.background import Sky, fit_sky
from loaders.spectral_extraction.contamination import Contamination, Instrument, model_sources, refine
from loaders.spectral_extraction.exposure import DirectSources
from loaders.spectral_extraction.frame import SpectralFrame
from loaders.spectral_extraction.location import Locations, Places, trace_mask
from loaders.spectral_extraction.spectrum import Decontaminated, SourceSpectrum, cutout, extract
from loaders.spectral_geometry.polynomial import FloatArray


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
    master = np.ones(frame.rate.shape)
    sky = fit_sky(frame, master, trace_mask(found, instrument.dispersion, places, frame.rate.shape))
    frame = frame.without_sky(sky.scale * master, sky.error * master)
    known = [n for n, shape in enumerate(sources.shape) if shape is not None]
    shapes = [
        shape.moved(float(places.x[n]), float(places.y[n]))
        for n, shape in enumerate(sources.shape)
        if shape is not None
    ]
    model = refine(
        frame, model_sources(shapes, instrument, frame.rate.shape), instrument, sources.flux_density[known]
    )
    sigma = np.sqrt(frame.variance(model.total) + model.variance)
    residual = np.where(frame.usable, (frame.rate - model.total) / sigma, np.nan)
    spectra = {n: extract(frame, model, row, instrument) for row, n in enumerate(known)}
    rows = {n: row for row, n in enumerate(known)}
    return Extraction(sky, spectra, residual, frame, model, instrument, rows)
