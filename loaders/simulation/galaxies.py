"""Galaxies with Sersic profiles, as images convolved with the effective PSF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import galsim
import numpy as np
import numpy.typing as npt

from loaders.psf.model import EffectivePsf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.simulation.parameters import GalaxyParameters
from loaders.simulation.population import Field, log_uniform
from loaders.simulation.render import framed, stamp_radius

FloatArray = npt.NDArray[np.float64]

_TRUNCATION = 5.0
"""Radius in half-light radii at which profiles end; the flux is all within."""


@dataclass(frozen=True)
class Galaxies:
    """Galaxies, one a row; arrays of shape (n,).

    ``ra, dec`` in deg ICRS, ``magnitude`` F146 AB, ``temperature`` (K) of the black body that stands in
    for the spectrum, ``sersic_n``, ``half_light_radius`` (arcsec, circularised: the geometric mean of the
    axes), ``axis_ratio``, ``position_angle`` (deg, north through east).
    """

    ra: FloatArray
    dec: FloatArray
    magnitude: FloatArray
    temperature: FloatArray
    sersic_n: FloatArray
    half_light_radius: FloatArray
    axis_ratio: FloatArray
    position_angle: FloatArray


def draw_galaxies(field: Field, parameters: GalaxyParameters, rng: np.random.Generator) -> Galaxies:
    """Draw the galaxies of a field; their number is Poisson distributed about density times area."""
    number = int(rng.poisson(parameters.density_per_arcmin2 * field.area_arcmin2))
    ra, dec = field.positions(number, rng)
    low, high = 10 ** (parameters.count_slope * np.asarray(parameters.magnitude))
    magnitude = np.log10(rng.uniform(float(low), float(high), number)) / parameters.count_slope
    radius = log_uniform(parameters.half_light_radius, number, rng)
    return Galaxies(
        ra,
        dec,
        magnitude,
        rng.uniform(*parameters.temperature, number),
        rng.uniform(*parameters.sersic_n, number),
        radius,
        rng.uniform(*parameters.axis_ratio, number),
        rng.uniform(0.0, 180.0, number),
    )


def galaxy_stamp(galaxies: Galaxies, row: int, psf: EffectivePsf, jacobian: FloatArray) -> EffectivePsf:
    """The effective image of a galaxy: what it leaves in pixels at any offset, on the grid of the PSF.

    Parameters
    ----------
    galaxies, row
        The galaxy.
    psf
        Effective PSF at the place of the galaxy (a single node).
    jacobian
        Shape (2, 2): arcsec east (first row) and north (second row) per pixel in x and y.

    Returns
    -------
    A single node; as in the PSF, the wings beyond the stamp are missing from the flux.
    """
    profile = _pixel_profile(galaxies, row, jacobian)
    step = 1.0 / psf.oversampling
    kernel = galsim.Image(np.ascontiguousarray(psf.stamps[0, 0]), scale=step)
    flux = float(psf.stamps[0, 0].sum() * step**2)
    blurred = galsim.Convolve(profile, galsim.InterpolatedImage(kernel, flux=flux, normalization="sb"))
    half = psf.size // 2 + int(np.ceil(reach(galaxies, jacobian)[row] / step))
    size = 2 * half + 1
    image = blurred.drawImage(nx=size, ny=size, scale=step, method="no_pixel", dtype=float)
    stamp = image.array / step**2
    return framed(EffectivePsf(np.asarray(stamp)[None, None], psf.oversampling, np.zeros(1), np.zeros(1)))


def draw_stamps(
    image: FloatArray,
    stamps: Mapping[int, SplinePsf],
    position: tuple[FloatArray, FloatArray],
    rate: FloatArray,
) -> None:
    """Add galaxies to an image.

    Parameters
    ----------
    image
        Shape (height, width), changed in place.
    stamps
        Effective images by row of the catalog; rows without one are left out.
    position
        x and y in 0-based pixels of the image, each of shape (n,).
    rate
        Shape (n,): electrons/s.
    """
    for row, stamp in stamps.items():
        one = slice(row, row + 1)
        radius = np.array([stamp_radius(stamp)])
        draw(image, stamp, Stars(position[0][one], position[1][one], rate[one], radius))


def reach(galaxies: Galaxies, jacobian: FloatArray) -> FloatArray:
    """Pixels from the centres to the ends of the profiles, shape (n,); ``jacobian`` as in `galaxy_stamp`."""
    major = _TRUNCATION * galaxies.half_light_radius / np.sqrt(galaxies.axis_ratio)
    return np.asarray(major / np.sqrt(abs(np.linalg.det(jacobian))) * 1.1)


def _pixel_profile(galaxies: Galaxies, row: int, jacobian: FloatArray) -> galsim.GSObject:
    """The bare profile in pixel coordinates, of unit flux."""
    radius = float(galaxies.half_light_radius[row])
    sersic = galsim.Sersic(
        float(galaxies.sersic_n[row]), half_light_radius=radius, trunc=_TRUNCATION * radius
    )
    # Position angles run from north (y) to east, shear angles from the x axis (east) to north.
    angle = (90.0 - float(galaxies.position_angle[row])) * galsim.degrees
    on_sky = sersic.shear(q=float(galaxies.axis_ratio[row]), beta=angle)
    inverse = np.linalg.inv(jacobian)
    return on_sky.transform(*inverse.ravel()).withFlux(1.0)
