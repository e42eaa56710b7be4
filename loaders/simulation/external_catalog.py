"""The catalog that a survey begins with: the stars as an earlier telescope might have measured them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy import units
from astropy.table import Column, Table

from loaders.simulation.scene import Scene
from loaders.simulation.throughput import flux_njy

FloatArray = npt.NDArray[np.float64]

_MAS = units.mas
_MOTION = units.mas / units.yr
_DEG_PER_MAS = 1.0 / 3_600_000.0


@dataclass(frozen=True)
class CatalogErrors:
    """Standard errors: positions along either axis in mas, motions in mas/yr, fluxes relative."""

    position: float = 1.0
    proper_motion: float = 0.5
    flux: float = 0.02
    seed: int = 0


def external_catalog(scene: Scene, errors: CatalogErrors) -> Table:
    """Catalog of all stars of a scene with errors of measurement.

    Columns: ``source_id``, ``ra, dec`` (deg ICRS at ``ref_epoch``) with errors (mas), ``pmra, pmdec``
    (mas/yr) with errors, and ``flux_<filter>`` with errors (nJy) for every filter of the survey.
    """
    at = scene.stars.astrometry
    rng = np.random.default_rng(errors.seed)
    n = at.ra.size
    east, north = rng.normal(0.0, errors.position * _DEG_PER_MAS, (2, n))
    table = Table({"source_id": np.arange(n)})
    table["ra"] = Column((at.ra + east / np.cos(np.radians(at.dec))) % 360.0, unit=units.deg)
    table["dec"] = Column(at.dec + north, unit=units.deg)
    table["ra_error"] = Column(np.full(n, errors.position), unit=_MAS)
    table["dec_error"] = Column(np.full(n, errors.position), unit=_MAS)
    table["ref_epoch"] = Column(np.full(n, at.reference_epoch), unit=units.yr)
    for name, motion in (("pmra", at.pmra), ("pmdec", at.pmdec)):
        table[name] = Column(motion + rng.normal(0.0, errors.proper_motion, n), unit=_MOTION)
        table[f"{name}_error"] = Column(np.full(n, errors.proper_motion), unit=_MOTION)
    for element, magnitude in scene.star_magnitude.items():
        flux = flux_njy(magnitude)
        error = errors.flux * flux
        table[f"flux_{element}"] = Column(flux + rng.normal(0.0, 1.0, n) * error, unit=units.nJy)
        table[f"flux_{element}_error"] = Column(error, unit=units.nJy)
    return table
