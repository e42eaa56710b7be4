"""Draw stars: where they are, how bright, how hot, behind how much dust, and how they move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy import units
from astropy.coordinates import Galactic, SkyCoord

from loaders.simulation.astrometry import Astrometry
from loaders.simulation.parameters import Population, Range, StarParameters

FloatArray = npt.NDArray[np.float64]

_MAS_PER_KPC = 1.0
_NEAREST_KPC = 0.3


@dataclass(frozen=True)
class Field:
    """A square on the sky: centre (deg ICRS), half its width (arcsec), epoch of positions (Julian year)."""

    ra: float
    dec: float
    half_width: float
    reference_epoch: float

    @property
    def area_arcmin2(self) -> float:
        """Area in square arcminutes."""
        return (2 * self.half_width / 60) ** 2

    def positions(self, number: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Uniform random positions, deg ICRS, shape (number,) each."""
        x, y = rng.uniform(-self.half_width, self.half_width, (2, number)) / 3600
        dec = self.dec + y
        return (self.ra + x / np.cos(np.radians(dec))) % 360.0, dec


@dataclass(frozen=True)
class Stars:
    """Stars, one a row; arrays of shape (n,).

    ``magnitude`` is F146 AB as observed, ``temperature`` in kelvin, ``a_v`` in magnitudes, ``population`` the
    name of the Galactic component.
    """

    astrometry: Astrometry
    magnitude: FloatArray
    temperature: FloatArray
    a_v: FloatArray
    population: npt.NDArray[np.str_]


def draw_stars(field: Field, parameters: StarParameters, rng: np.random.Generator) -> Stars:
    """Draw the stars of a field; their number is Poisson distributed about density times area."""
    number = int(rng.poisson(parameters.density_per_arcmin2 * field.area_arcmin2))
    ra, dec = field.positions(number, rng)
    magnitude = draw_magnitudes(parameters, number, rng)
    locus = np.interp(magnitude, parameters.locus_magnitude, parameters.locus_temperature)
    temperature = locus * np.exp(parameters.temperature_scatter * rng.standard_normal(number))
    shares = np.array([p.fraction for p in parameters.populations])
    member = rng.choice(shares.size, number, p=shares / shares.sum())
    distance = _normal(parameters.populations, "distance", member, rng).clip(_NEAREST_KPC)
    pm_l, pm_b = (_normal(parameters.populations, name, member, rng) for name in ("pm_l", "pm_b"))
    pmra, pmdec = _to_icrs_motion(field, pm_l, pm_b)
    astrometry = Astrometry(ra, dec, pmra, pmdec, _MAS_PER_KPC / distance, field.reference_epoch)
    a_v = _normal(parameters.populations, "a_v", member, rng).clip(0.0)
    names = np.array([p.name for p in parameters.populations])
    return Stars(astrometry, magnitude, temperature, a_v, names[member])


def draw_magnitudes(parameters: StarParameters, number: int, rng: np.random.Generator) -> FloatArray:
    """F146 AB magnitudes, shape (number,): a luminosity function of exponential pieces, and the red clump."""
    node = np.asarray(parameters.luminosity_magnitude)
    grid = np.linspace(node[0], node[-1], 2001)
    density = 10 ** np.interp(grid, node, parameters.luminosity_log_count)
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    magnitude = np.interp(rng.uniform(0, cumulative[-1], number), cumulative, grid)
    clump = rng.uniform(size=number) < parameters.clump_fraction
    magnitude[clump] = rng.normal(parameters.clump_magnitude, parameters.clump_sigma, clump.sum())
    return np.asarray(magnitude)


def log_uniform(span: Range, number: int, rng: np.random.Generator) -> FloatArray:
    """Draw values whose logarithm is uniform in a range of positive numbers, shape (number,)."""
    return np.asarray(np.exp(rng.uniform(np.log(span[0]), np.log(span[1]), number)))


def _normal(
    populations: tuple[Population, ...],
    name: str,
    member: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> FloatArray:
    """A normal deviate for each star about its population's mean."""
    mean = np.array([getattr(p, name) for p in populations])
    sigma = np.array([getattr(p, f"{name}_sigma") for p in populations])
    return np.asarray(rng.normal(mean[member], sigma[member]))


def _to_icrs_motion(field: Field, pm_l: FloatArray, pm_b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn proper motions from Galactic to equatorial axes, as at the field's centre (mas/yr)."""
    centre = SkyCoord(field.ra, field.dec, unit="deg", frame="icrs").galactic
    rate = units.mas / units.yr
    moving = SkyCoord(
        l=np.full_like(pm_l, centre.l.deg) * units.deg,
        b=np.full_like(pm_l, centre.b.deg) * units.deg,
        pm_l_cosb=pm_l * rate,
        pm_b=pm_b * rate,
        frame=Galactic,
    ).icrs
    return moving.pm_ra_cosdec.to_value(rate), moving.pm_dec.to_value(rate)
