"""Between corrections and catalogs: what offsets are measured from, and what is made of corrections."""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.gauge import Anchors
from loaders.astrometric_solution.observer import factor_rows
from loaders.astrometric_solution.points import StarPlaces
from loaders.astrometric_solution.star_fit import Solutions
from loaders.astrometry.place import CatalogAstrometry, place_at

FloatArray = npt.NDArray[np.float64]

_MAS_PER_DEG = 3_600_000.0

#: Pairs of parameters whose correlations are stored, in Gaia's order.
PAIRS = tuple((i, j) for i in range(5) for j in range(i + 1, 5))


@dataclass(frozen=True)
class Catalogued:
    """Stars of a catalog, n of them.

    Parameters
    ----------
    astrometry
        Positions and motions; NaN where unknown.
    error
        Shape (n, 5): errors of ra (with cos dec), dec, parallax, pm_ra, pm_dec, mas and mas/yr; NaN: unknown.
    """

    astrometry: CatalogAstrometry
    error: FloatArray

    def take(self, chosen: npt.NDArray[np.int64]) -> Catalogued:
        """Stars chosen by indices."""
        names = ("ra", "dec", "ref_epoch", "pm_ra", "pm_dec", "parallax")
        parts = [getattr(self.astrometry, name)[chosen] for name in names]
        return Catalogued(CatalogAstrometry(*parts), self.error[chosen])


def effective_values(one: CatalogAstrometry) -> FloatArray:
    """Parallax and motions by which the place of a star in an exposure is told, shape (n, 3).

    As `loaders.astrometry.place`: what is unknown, and a parallax below zero, is none.
    """
    parallax = np.maximum(np.nan_to_num(one.parallax), 0.0)
    return np.column_stack([parallax, np.nan_to_num(one.pm_ra), np.nan_to_num(one.pm_dec)])


def barycentric_places(one: CatalogAstrometry, epoch: float) -> tuple[FloatArray, FloatArray]:
    """Catalogued positions at an epoch, Julian year in TDB: ra and dec, shape (n,), deg ICRS."""
    here = CatalogAstrometry(one.ra, one.dec, one.ref_epoch, one.pm_ra, one.pm_dec, np.zeros_like(one.ra))
    return place_at(here, epoch, np.zeros(3))


def star_places(one: CatalogAstrometry, epoch: float, centre: tuple[float, float]) -> StarPlaces:
    """What geometry a fit needs of stars, in the tangent plane (gnomonic) at a centre, deg ICRS."""
    ra, dec = barycentric_places(one, epoch)
    alpha, delta = np.radians(centre)
    middle = erfa.s2c(alpha, delta)
    east = np.array([-np.sin(alpha), np.cos(alpha), 0.0])
    axes = np.stack([east, np.cross(middle, east)])
    direction = erfa.s2c(np.radians(ra), np.radians(dec)).reshape(-1, 3)
    plane = np.degrees(direction @ axes.T / (direction @ middle)[:, None]) * 60
    return StarPlaces(factor_rows(ra, dec), plane)


def change_of_catalog(then: CatalogAstrometry, now: CatalogAstrometry, epoch: float) -> FloatArray:
    """Corrections that bring offsets from what an earlier catalog said to what is catalogued now.

    Parameters
    ----------
    then, now
        The same stars, n of them.
    epoch
        To which the corrections of positions belong, Julian year in TDB.

    Returns
    -------
    ndarray
        Shape (n, 5): mas and mas/yr, to be added to offsets as `expected_offsets` adds corrections.
    """
    old, new = effective_values(then), effective_values(now)
    turn = (then.ra - now.ra + 180.0) % 360.0 - 180.0
    ra = turn * np.cos(np.radians(now.dec)) * _MAS_PER_DEG
    dec = (then.dec - now.dec) * _MAS_PER_DEG
    ages = (epoch - then.ref_epoch)[:, None], (epoch - now.ref_epoch)[:, None]
    place = np.column_stack([ra, dec]) + old[:, 1:] * ages[0] - new[:, 1:] * ages[1]
    return np.column_stack([place, old - new])


def anchors_of(stars: Catalogued, now: CatalogAstrometry, epoch: float) -> Anchors:
    """What catalogs say of corrections: the errors of positions grow away from the catalog's epoch.

    Parameters
    ----------
    stars
        What catalogs say. Adopted solutions are none of it: they would be anchors of themselves.
    now
        What is catalogued of the same stars, from which the corrections are.
    epoch
        To which the corrections of positions belong, Julian year in TDB.
    """
    one = stars.astrometry
    value = change_of_catalog(one, now, epoch)
    value[:, 2] += np.minimum(np.nan_to_num(one.parallax), 0.0)
    error = stars.error.copy()
    error[:, :2] = np.hypot(error[:, :2], error[:, 3:] * (epoch - one.ref_epoch)[:, None])
    unknown = np.isnan(np.column_stack([one.parallax, one.pm_ra, one.pm_dec]))
    error[:, 2:][unknown] = np.nan
    return Anchors(value, error)


def parameters(stars: CatalogAstrometry, found: Solutions, epoch: float) -> dict[str, FloatArray]:
    """The five parameters of n stars with their errors, by name of the column; NaN without solution.

    Parameters
    ----------
    stars
        What is catalogued.
    found
        Corrections to it.
    epoch
        Of the positions, Julian year in TDB.
    """
    ra, dec = barycentric_places(stars, epoch)
    old = effective_values(stars)
    new_ra = ra + found.value[:, 0] / _MAS_PER_DEG / np.cos(np.radians(dec))
    out = {
        "ra": new_ra % 360.0,
        "dec": dec + found.value[:, 1] / _MAS_PER_DEG,
        "parallax": old[:, 0] + found.value[:, 2],
        "pm_ra": old[:, 1] + found.value[:, 3],
        "pm_dec": old[:, 2] + found.value[:, 4],
    }
    return out | {f"{name}_err": found.error[:, i] for i, name in enumerate(out)}


def correlations(found: Solutions) -> FloatArray:
    """Correlations of the errors, shape (n, 10), in the order of `PAIRS`; NaN without solution."""
    error = found.error
    return np.stack(
        [found.covariance[:, i, j] / (error[:, i] * error[:, j]) for i, j in PAIRS], axis=1
    ).astype(np.float64)


def choose_frame_stars(
    n_segment: npt.NDArray[np.int64],
    flux: FloatArray,
    is_anchor: npt.NDArray[np.bool_],
    most: int,
) -> npt.NDArray[np.int64]:
    """Choose stars to place exposures by: of those seen often the anchors, up to half, then the brightest.

    Parameters
    ----------
    n_segment
        Shape (n,): blocks in which a star has offsets.
    flux
        Shape (n,): any unit; NaN where unknown.
    is_anchor
        Shape (n,): whether the catalog has its motion and parallax with errors.
    most
        Stars that are wanted.

    Returns
    -------
    ndarray
        Indices, ascending.
    """
    often = n_segment >= max(1, n_segment.max(initial=0) / 2)
    brightness = np.nan_to_num(flux, nan=-np.inf)
    by_brightness = np.argsort(-brightness, kind="stable")
    by_brightness = by_brightness[often[by_brightness]]
    anchors = by_brightness[is_anchor[by_brightness]][: most // 2]
    others = by_brightness[~np.isin(by_brightness, anchors)][: most - anchors.size]
    return np.sort(np.concatenate([anchors, others]))
