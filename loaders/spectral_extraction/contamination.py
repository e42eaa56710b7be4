"""What all sources of an exposure bring: a model of every spectrum in every order, refined on the exposure.

Shapes are those of the direct image, spectra begin flat. Source by source, the brightest first, the first
order is extracted from what the model of all leaves, and the spectrum is changed by it (Gauss-Seidel
iterations of the least-squares problem); the other orders follow by their sensitivities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from loaders.spectral_extraction.extraction import cut, optimal, smoothed
from loaders.spectral_extraction.frame import SpectralFrame
from loaders.spectral_extraction.path import Path, path
from loaders.spectral_extraction.sensitivity import Sensitivity, electrons
from loaders.spectral_extraction.shape import Box, Shape, box_of, dispersed
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import Dispersion

_STEP = 0.5
"""Steps along traces in which light is put into pixels."""
_SMOOTH, _LOCAL = 25, 5
"""Rows over which a spectrum is smoothed, and over which its scatter is measured."""
_CHANCE = 1 + 2 * (2 / _LOCAL) ** 0.5
"""Squares of scatter over that of noise which noise alone reaches by chance (two standard deviations)."""


@dataclass(frozen=True)
class Instrument:
    """Geometry and sensitivities, the latter by the number of the order, of which the first is extracted."""

    dispersion: Dispersion
    sensitivity: Mapping[int, Sensitivity]
    first: int = 1


@dataclass(frozen=True)
class Trace:
    """An order of a source: its path in steps and where it falls."""

    order: int
    steps: Path
    box: Box


@dataclass(frozen=True)
class ModelSource:
    """A source of the model.

    Parameters
    ----------
    shape
        Its light in the direct image.
    traces
        Its orders, as far as they fall on the exposure.
    rows
        The path of its first order, row by row, and where that falls.
    unit
        Image of one electron/s in each row of the first order.
    """

    shape: Shape
    traces: tuple[Trace, ...]
    rows: Trace
    unit: FloatArray


@dataclass
class Spectra:
    """What is known of the spectra, one array a source: W m⁻² µm⁻¹ and its error in rows of the first order.

    ``initial`` of shape (n,) is the flux density with which each began, which holds beyond its rows.
    """

    flux: list[FloatArray]
    error: list[FloatArray]
    initial: FloatArray


@dataclass(frozen=True)
class Contamination:
    """A model of an exposure.

    Parameters
    ----------
    sources
        Its sources.
    spectra
        Their spectra.
    total
        Shape (ny, nx): all light of all sources, electrons/s.
    variance
        Shape (ny, nx): its variance by the errors of the spectra.
    """

    sources: Sequence[ModelSource]
    spectra: Spectra
    total: FloatArray
    variance: FloatArray


def model_sources(
    shapes: Sequence[Shape], instrument: Instrument, image: tuple[int, int]
) -> list[ModelSource]:
    """Prepare sources for an exposure of shape (ny, nx) ``image``."""
    return [_model_source(shape, instrument, image) for shape in shapes]


def _model_source(shape: Shape, instrument: Instrument, image: tuple[int, int]) -> ModelSource:
    reach = shape.radius + 1
    direct, near = (shape.x, shape.y), (-reach, image[0] - 1 + reach)
    traces = []
    for order in instrument.sensitivity:
        steps = path(instrument.dispersion, order, direct, near, _STEP)
        box = box_of(shape, steps, image)
        if box.size[0] and box.size[1]:
            traces.append(Trace(order, steps, box))
    steps = path(instrument.dispersion, instrument.first, direct, (0, image[0] - 1))
    fine = path(instrument.dispersion, instrument.first, direct, near, _STEP)
    box = box_of(shape, steps, image)
    box = Box(box.x, int(steps.y[0]) if steps.y.size else 0, (steps.y.size, box.size[1]))
    unit = dispersed(shape, fine, np.full(fine.y.size, _STEP), box)
    return ModelSource(shape, tuple(traces), Trace(instrument.first, steps, box), unit)


def refine(
    frame: SpectralFrame,
    sources: Sequence[ModelSource],
    instrument: Instrument,
    initial: FloatArray,
    rounds: int = 8,
) -> Contamination:
    """Model an exposure.

    Parameters
    ----------
    frame
        The exposure without sky; `SpectralFrame.read_variance` has the noise of the sky in it.
    sources
        What `model_sources` made.
    instrument
        Geometry and sensitivities.
    initial
        Shape (n,): flux density (W m⁻² µm⁻¹) by which each spectrum begins, flat.
    rounds
        How often all spectra are refined; 0 leaves them flat.
    """
    spectra = Spectra(
        [np.full(s.rows.steps.y.size, f) for s, f in zip(sources, initial, strict=True)],
        [np.full(s.rows.steps.y.size, np.nan) for s in sources],
        initial,
    )
    total = np.zeros(frame.rate.shape)
    for number, source in enumerate(sources):
        _add(total, source, instrument, spectrum_of(source, spectra, number))
    for _ in range(rounds):
        for number in np.argsort(-initial, kind="stable"):
            _refine_one(frame, total, sources[number], instrument, (spectra, int(number)))
    variance = np.zeros(frame.rate.shape)
    for number, source in enumerate(sources):
        _add_variance(variance, source, instrument, (spectra, number))
    return Contamination(sources, spectra, total, variance)


def _refine_one(
    frame: SpectralFrame,
    total: FloatArray,
    source: ModelSource,
    instrument: Instrument,
    which: tuple[Spectra, int],
) -> None:
    """Change a spectrum by what is extracted from the residual; ``total`` is changed with it."""
    spectra, number = which
    rows = source.rows
    if not rows.steps.y.size:
        return
    part = cut(frame, rows.box.slices)
    extracted = optimal(part, source.unit, total[rows.box.slices])
    per_flux = electrons(instrument.sensitivity[rows.order], rows.steps, np.ones(rows.steps.y.size))
    useful = per_flux > 0.02 * per_flux.max(initial=0.0)
    change = np.divide(extracted.rate, per_flux, out=np.full(per_flux.shape, np.nan), where=useful)
    error = np.divide(extracted.error, per_flux, out=np.full(per_flux.shape, np.nan), where=useful)
    before = spectra.flux[number]
    after, error = denoised(before + change, error)
    _add(total, source, instrument, _interpolated(source, after - before, 0.0))
    spectra.flux[number], spectra.error[number] = after, error


def denoised(flux: FloatArray, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A spectrum smoothed where it scatters as its errors let it, and as it is where it has features.

    The smooth part is a running mean; of what rises above it, that share is kept which is no noise (Wiener's
    filter with the local scatter).

    Parameters
    ----------
    flux, error
        Shape (n,): values and their errors; NaN where there are none.

    Returns
    -------
    Values, 0 where there are none around, and their errors, NaN there; each of shape (n,).
    """
    good = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    noise = np.where(good, error, 0.0) ** 2
    weight = np.divide(1.0, noise, out=np.zeros(noise.shape), where=good)
    smooth = smoothed(np.where(good, flux, 0.0), weight, _SMOOTH)
    detail = np.where(good, flux - smooth, 0.0)
    scatter = uniform_filter1d(detail**2, _LOCAL, mode="constant")
    expected = uniform_filter1d(noise, _LOCAL, mode="constant")
    noisy = np.divide(expected, scatter, out=np.ones(noise.shape), where=scatter > 0)
    kept = np.where(noisy < 1 / _CHANCE, 1 - noisy, 0.0)
    share = uniform_filter1d(weight, _SMOOTH, mode="constant") * _SMOOTH
    least = np.divide(1.0, share, out=np.full(noise.shape, np.nan), where=share > 0)
    return smooth + kept * detail, np.sqrt(least + kept**2 * noise)


def spectrum_of(source: ModelSource, spectra: Spectra, number: int) -> FloatArray:
    """Spectrum of a source as wavelengths (µm, ascending) and flux densities, shape (2, n)."""
    return _interpolated(source, spectra.flux[number], float(spectra.initial[number]))


def _interpolated(source: ModelSource, flux: FloatArray, beyond: float) -> FloatArray:
    """Wavelengths (µm, ascending) and values of a spectrum, shape (2, n); ``beyond`` where it has none."""
    wavelength = source.rows.steps.wavelength
    order = np.argsort(wavelength)
    table = np.stack([wavelength[order], flux[order]])
    rim = np.array([[1e-6], [0.0]])
    if not order.size:
        return np.array([[0.0, 1e3], [beyond, beyond]])
    ends = np.array([[0.0, 1e3], [beyond, beyond]])
    first, last = table[:, :1] - rim, table[:, -1:] + rim
    first[1], last[1] = beyond, beyond
    return np.concatenate([ends[:, :1], first, table, last, ends[:, 1:]], axis=1)


def _add(image: FloatArray, source: ModelSource, instrument: Instrument, spectrum: FloatArray) -> None:
    """Add a spectrum (wavelengths and flux densities) in all orders to an image."""
    for trace in source.traces:
        image[trace.box.slices] += _light(source, trace, instrument, spectrum, trace.box)


def _light(
    source: ModelSource, trace: Trace, instrument: Instrument, spectrum: FloatArray, box: Box
) -> FloatArray:
    """Electrons/s that an order of a source brings into a part of the image."""
    flux = np.interp(trace.steps.wavelength, *spectrum)
    rate = electrons(instrument.sensitivity[trace.order], trace.steps, flux)
    return dispersed(source.shape, trace.steps, rate, box)


def _uncertainty(source: ModelSource, spectra: Spectra, number: int) -> FloatArray:
    """Errors of a spectrum as wavelengths and flux densities.

    Where no error is known, the spectrum is taken to be as uncertain as it is bright.
    """
    flux, error = spectra.flux[number], spectra.error[number]
    known = np.where(np.isfinite(error), error, np.abs(flux))
    return _interpolated(source, known, abs(float(spectra.initial[number])))


def _add_variance(
    image: FloatArray, source: ModelSource, instrument: Instrument, which: tuple[Spectra, int]
) -> None:
    """Add the variance of the model of a source; the error of a row is shared by all of its light."""
    sigma = _uncertainty(source, *which)
    for trace in source.traces:
        image[trace.box.slices] += _light(source, trace, instrument, sigma, trace.box) ** 2


def others(
    model: Contamination, number: int, instrument: Instrument
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What all others bring into the rows of a source's first order.

    Returns
    -------
    Rate and variance of the others, and rate of the source itself, each of the shape of its box.
    """
    source = model.sources[number]
    box = source.rows.box
    spectrum = spectrum_of(source, model.spectra, number)
    sigma = _uncertainty(source, model.spectra, number)
    own, own_variance = np.zeros((2, *box.size))
    for trace in source.traces:
        own += _light(source, trace, instrument, spectrum, box)
        own_variance += _light(source, trace, instrument, sigma, box) ** 2
    variance = np.maximum(model.variance[box.slices] - own_variance, 0.0)
    return model.total[box.slices] - own, variance, own
