"""Images and sources made up for the tests: a tangent plane, a PSF, a sky with noise."""

from __future__ import annotations

import galsim
import numpy as np

from loaders.injection.light import PreparedPsf, View
from loaders.injection.pixels import Pixels
from loaders.injection.sources import ArtificialSources
from loaders.psf.model import EffectivePsf
from loaders.wfi.projection import SkyProjection
from loaders.wfi.projection_fit import fit_projection

RA, DEC = 268.0, -30.0
#: Arcsec east and north per pixel: handed as on the sky, rotated, not quite square.
ROLL = np.array([[-0.0934, -0.0531], [-0.0554, 0.0946]])
NJY_PER_UNIT = 1.3
#: Poisson variance per rate of an electron in 63 s at a gain of 1.8, and variance of reads.
PER_RATE, READ = 1 / (1.8 * 63), 0.0025
SKY = 2.0


def projection(shape=(160, 180)) -> SkyProjection:
    """Tangent plane about the middle of an image, by the formulae of Calabretta & Greisen (2002)."""
    ny, nx = shape

    def sky(x, y):
        east, north = np.radians(np.tensordot(ROLL, np.stack([x - (nx - 1) / 2, y - (ny - 1) / 2]), 1) / 3600)
        latitude = np.radians(DEC)
        along = np.cos(latitude) - north * np.sin(latitude)
        ra = RA + np.degrees(np.arctan2(east, along))
        dec = np.degrees(np.arctan2(np.sin(latitude) + north * np.cos(latitude), np.hypot(east, along)))
        return ra, dec

    return fit_projection(sky, shape)


def moffat() -> galsim.GSObject:
    """A PSF in pixels, of unit flux, before it is seen through pixels."""
    return galsim.Moffat(beta=2.5, fwhm=1.4)


def psf(half_width=24, oversampling=4) -> EffectivePsf:
    """The same seen through pixels."""
    size = 2 * half_width * oversampling + 1
    seen = galsim.Convolve(moffat(), galsim.Pixel(1.0))
    image = seen.drawImage(nx=size, ny=size, scale=1 / oversampling, method="no_pixel", dtype=float)
    stamp = image.array * oversampling**2
    return EffectivePsf(stamp[None, None], oversampling, np.zeros(1), np.zeros(1))


def view(shape=(160, 180)) -> View:
    return View(projection(shape), PreparedPsf.of(psf()), NJY_PER_UNIT)


def stars_at(seen: View, x, y, rate) -> ArtificialSources:
    """Stars at pixels, with rates in the unit of the image."""
    x, y, rate = (np.atleast_1d(np.asarray(one, float)) for one in (x, y, rate))
    return ArtificialSources.stars(*seen.projection.to_sky(x, y), rate * NJY_PER_UNIT)


def galaxies_at(seen: View, x, y, rate, profiles) -> ArtificialSources:
    """Galaxies at pixels; a row of profiles is sersic_n, half-light radius, axis ratio and position angle."""
    stars = stars_at(seen, x, y, rate)
    columns = np.atleast_2d(np.asarray(profiles, float)).T
    return ArtificialSources(stars.source_id, stars.ra, stars.dec, stars.flux, *columns)


def dark_sky(shape=(160, 180), sky=SKY, seed=1, half=True) -> Pixels:
    """A sky with its photon and read noise; errors in half precision, as in files of Level 2."""
    rng = np.random.default_rng(seed)
    photons = rng.poisson(sky / PER_RATE, shape) * PER_RATE
    data = (photons + rng.normal(0, np.sqrt(READ), shape)).astype(np.float32)
    kind = np.float16 if half else np.float32
    poisson = photons * PER_RATE
    return Pixels(
        data,
        np.sqrt(poisson + READ).astype(kind),
        poisson.astype(kind),
        np.full(shape, READ, kind),
        np.zeros(shape, np.uint32),
    )
