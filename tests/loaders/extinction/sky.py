"""A piece of the bulge with dust that is known everywhere."""

import cdshealpix
import numpy as np
from astropy import units as u
from astropy.coordinates import Latitude, Longitude

from loaders.extinction.bands import Bands
from loaders.extinction.configuration import configuration_from_mapping
from loaders.extinction.geometry import Cell
from loaders.extinction.stars import Stars
from tests.loaders.extinction.diagram import CLUMP, RATIO, Recipe, draw

#: A root cell of order 8 in the middle of the survey's fields.
ROOT = Cell(8, int(cdshealpix.lonlat_to_healpix(Longitude(268.0 * u.deg), Latitude(-29.2 * u.deg), 8)[0]))


def centre(cell: Cell = ROOT) -> tuple[float, float]:
    lon, lat = cdshealpix.healpix_to_lonlat(np.array([cell.index], np.uint64), cell.order)
    return float(lon.deg[0]), float(lat.deg[0])


def bands() -> Bands:
    """The clump and the law of the drawn diagrams, at a distance modulus of zero."""
    grid = np.linspace(0.0, 6.0, 61)
    return Bands(dict(CLUMP), {name: ratio * grid for name, ratio in RATIO.items()})


def positions(cell: Cell, number: int, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uniform places in a cell: pixels of order 29, and degrees."""
    pixel = np.sort(rng.integers(cell.first, cell.end, number))
    lon, lat = cdshealpix.healpix_to_lonlat(pixel.astype(np.uint64), 29)
    return pixel, lon.deg, lat.deg


def dusty_sky(cell: Cell, recipe: Recipe, dust, rng) -> Stars:
    """Stars of a cell behind dust: ``dust(ra, dec)`` is the extinction in F146, mag."""
    where = {}

    def extinction(number):
        where["pixel"], ra, dec = positions(cell, number, rng)
        mixed = rng.permutation(number)
        where["pixel"], ra, dec = where["pixel"][mixed], ra[mixed], dec[mixed]
        return dust(ra, dec)

    magnitude = draw(recipe, extinction, rng)
    number = magnitude["F146"].size - where["pixel"].size
    pixel = np.concatenate([where["pixel"], positions(cell, number, rng)[0]])
    order = np.argsort(pixel)
    return Stars(pixel[order], {name: m[order] for name, m in magnitude.items()})


def configuration(**changes):
    return configuration_from_mapping(changes)
