"""What falls into the pixels: direct images and dispersed ones, drawn colour by colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import at_position, cropped
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.simulation.galaxies import Galaxies, galaxy_stamp
from loaders.simulation.instrument_tables import effective_area
from loaders.simulation.render import framed, stamp_radius
from loaders.simulation.throughput import count_rate
from loaders.spectral_extraction.contamination import Instrument
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_simulation.field import Sources

_BLUR = 12
"""Half width of the PSF in pixels, into which all light is put; it is the same in all colours and orders."""
_COLOURS_PER_PIXEL = 3


def images_of_sources(
    sources: Sources, psf: EffectivePsf, centre: tuple[float, float], jacobian: FloatArray
) -> list[SplinePsf]:
    """The effective image of every source: the PSF for stars, convolved Sersic profiles for galaxies.

    Parameters
    ----------
    sources
        The sources.
    psf
        Effective PSF of the detector.
    centre
        Detector pixel x, y at which it is taken.
    jacobian
        Arcsec east and north per pixel, as `loaders.simulation.galaxies.galaxy_stamp` wants it.
    """
    one = at_position(cropped(psf, _BLUR), *centre)
    one = replace(one, stamps=one.stamps * one.oversampling**2 / one.stamps.sum())
    zero = np.zeros(sources.x.size)
    galaxies = Galaxies(
        zero,
        zero,
        sources.magnitude,
        zero,
        sources.sersic_n,
        sources.half_light_radius,
        sources.axis_ratio,
        sources.position_angle,
    )
    star = np.isnan(sources.sersic_n)
    return [
        SplinePsf.of(framed(one) if is_star else galaxy_stamp(galaxies, row, one, jacobian))
        for row, is_star in enumerate(star)
    ]


def direct_image(
    sources: Sources, images: list[SplinePsf], band: tuple[str, str], shape: tuple[int, int]
) -> FloatArray:
    """Electrons/s of all sources in a direct image of a detector and filter (``band``)."""
    image = np.zeros(shape)
    for row, (one, rate) in enumerate(zip(images, direct_rates(sources, band), strict=True)):
        _put(image, one, (sources.x[row : row + 1], sources.y[row : row + 1]), np.array([rate]))
    return image


def direct_rates(sources: Sources, band: tuple[str, str]) -> FloatArray:
    """Electrons/s of each source through the filter of a detector (``band``), shape (n,)."""
    area = effective_area(*band)
    spectra = [sources.spectrum(row, area.wavelength * 1e6) * 1e6 for row in range(sources.x.size)]
    return count_rate(area.wavelength, np.stack(spectra, axis=1), area)


def dispersed_image(
    sources: Sources, images: list[SplinePsf], instrument: Instrument, shape: tuple[int, int]
) -> FloatArray:
    """Electrons/s of all sources in all orders of a dispersed image."""
    image = np.zeros(shape)
    for row, one in enumerate(images):
        for order, curve in instrument.sensitivity.items():
            direct = sources.x[row : row + 1], sources.y[row : row + 1]
            wavelength, width = _colours(instrument, order, direct)
            rate = sources.spectrum(row, wavelength) * curve.at(wavelength) * width
            x, y = instrument.dispersion.disperse(order, *direct, wavelength)
            _put(image, one, (x[0], y[0]), rate)
    return image


def _colours(
    instrument: Instrument, order: int, direct: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, float]:
    """Colours of equal width (µm) that are less than a pixel apart on the detector."""
    low, high = instrument.dispersion.wavelength_range[order]
    x, y = instrument.dispersion.disperse(order, *direct, np.linspace(low, high, 101))
    longest = 100 * float(np.hypot(np.diff(x[0]), np.diff(y[0])).max())
    number = max(int(np.ceil(longest * _COLOURS_PER_PIXEL)), 100)
    width = (high - low) / number
    return np.asarray(low + width * (np.arange(number) + 0.5), dtype=np.float64), width


def _put(
    image: FloatArray, one: SplinePsf, position: tuple[FloatArray, FloatArray], rate: FloatArray
) -> None:
    radius = np.full(rate.size, stamp_radius(one))
    draw(image, one, Stars(*position, rate, radius))
