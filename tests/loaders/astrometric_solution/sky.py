"""Stars with known motions and parallaxes, seen by a telescope near L2: without any formula of ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.coordinates import get_body_barycentric
from astropy.time import Time

from loaders.astrometric_solution.observer import factor_rows
from loaders.astrometric_solution.points import ExposureTimes, StarPlaces, StarPoints, star_points

RA, DEC = 267.5, -29.2
MAS = np.pi / 180 / 3600e3

#: First days of six seasons of 72 days near the equinoxes, MJD, as the survey has them.
SEASONS = (61448, 61631, 61813, 62909, 63092, 63274)
EPOCH = 2029.5


def season_times(seasons=SEASONS, per_season=40, seed=0):
    """Exposures at uneven times of the seasons, MJD TDB."""
    rng = np.random.default_rng(seed)
    return np.sort(np.concatenate([one + rng.uniform(0, 72, per_season) for one in seasons]))


def observer_at(mjd):
    """Barycentric places (au) of a telescope on a halo orbit about L2, by astropy."""
    time = Time(mjd, format="mjd", scale="tdb")
    earth, sun = (get_body_barycentric(name, time).xyz.to_value("au").T for name in ("earth", "sun"))
    phase = 2 * np.pi * (mjd - mjd[0]) / 180
    halo = 0.004 * np.column_stack([np.cos(phase), np.sin(phase), 0.5 * np.sin(phase)])
    return earth + 0.01 * (earth - sun) + halo


def unit(ra, dec):
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def axes(ra, dec):
    """Directions east and north, by differentiation of `unit`."""
    ra, dec = np.radians(ra), np.radians(dec)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
    return east, np.cross(unit(np.degrees(ra), np.degrees(dec)), east)


@dataclass
class Sky:
    """Truth: ``value`` (m, 5) in Gaia's order is what the catalog, which has zeros, does not know."""

    ra: np.ndarray
    dec: np.ndarray
    value: np.ndarray
    times: ExposureTimes
    exact: np.ndarray
    places: StarPlaces
    plane: np.ndarray


def make_sky(n_star, mjd, seed=1, half_width=3.5, motion=3.0):
    """Stars within a few arcmin, with motions of bulge stars and parallaxes of 0.1 to 0.5 mas."""
    rng = np.random.default_rng(seed)
    plane = rng.uniform(-half_width, half_width, (n_star, 2))
    ra, dec = RA + plane[:, 0] / 60 / np.cos(np.radians(DEC)), DEC + plane[:, 1] / 60
    value = np.column_stack(
        [
            rng.normal(0, 2, (n_star, 2)),
            rng.uniform(0.1, 0.5, n_star),
            rng.normal(0, motion, (n_star, 2)),
        ]
    )
    year = 2000 + (mjd - 51544.5) / 365.25
    observer = observer_at(mjd)
    times = ExposureTimes(np.arange(mjd.size) * 32 + 7, year, observer)
    exact = exact_offsets(ra, dec, value, year - EPOCH, observer)
    return Sky(ra, dec, value, times, exact, StarPlaces(factor_rows(ra, dec), plane), plane)


def exact_offsets(ra, dec, value, t, observer):
    """Offsets (m, n, 2), mas, of the direction to each star from the catalogued one, by vectors."""
    east, north = axes(ra, dec)
    place = unit(ra, dec)[:, None]
    move = value[:, None, :2] + t[None, :, None] * value[:, None, 3:]
    seen = place + MAS * (move[..., :1] * east[:, None] + move[..., 1:] * north[:, None])
    seen = seen - MAS * value[:, 2][:, None, None] * observer[None]
    along = np.einsum("mnx,mx->mn", seen, unit(ra, dec))
    return np.stack([np.einsum("mnx,mx->mn", seen, one) / along / MAS for one in (east, north)], axis=-1)


def observe(sky, error, frame=None, outliers=0.0, seed=2, missing=0.1):
    """Points of all stars with noise; frames displace exposures; outliers are off by some 20 mas."""
    rng = np.random.default_rng(seed)
    m, n, _ = sky.exact.shape
    sigma = np.broadcast_to(np.asarray(error, float), (m,))[:, None, None] * rng.uniform(0.7, 1.3, (m, n, 2))
    y = sky.exact + sigma * rng.standard_normal((m, n, 2))
    if frame is not None:
        design = np.column_stack([np.ones(m), sky.plane])
        y = y + np.einsum("ma,nac->mnc", design, frame)
    off = rng.random((m, n)) < outliers
    y[off] += 20 * np.abs(rng.standard_normal((int(off.sum()), 2)))
    y[rng.random((m, n)) < missing] = np.nan
    return as_points(y, sigma)


def as_points(y, sigma) -> StarPoints:
    m, n, _ = y.shape
    star, exposure = np.repeat(np.arange(m), n), np.tile(np.arange(n), m)
    return star_points(np.arange(m) + 1000, star, exposure, y.reshape(-1, 2), sigma.reshape(-1, 2))


def truth_at(sky, epoch):
    """Corrections at another epoch of reference."""
    value = sky.value.copy()
    value[:, :2] += (epoch - EPOCH) * value[:, 3:]
    return value
