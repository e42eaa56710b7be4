"""The PSF library in the database: built per detector, optical element and day, chosen by epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.astrometry.load import StoredExposure, read_exposures, read_stars
from loaders.astrometry.stars import CatalogStars, catalog_pixels, near_image
from loaders.psf.detector import MARGIN, DetectorPsf, build_detector_psf
from loaders.psf.field import StarField
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.psf.wings import with_wings
from loaders.wfi.level2 import read_level2
from loaders.wfi.quality import usable_pixels
from roman_db import session
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table

#: Exposures of a day that its PSF is built from, spread over the day.
EXPOSURES_A_PSF = 3

#: Half width (pixels) to which the PSF of bright stars is known: their light beyond it is lost.
WINGS = 60

_PENDING = """
SELECT e.detector, e.optical_element, e.day_mjd,
       array_agg(e.exposure_id ORDER BY e.midpoint_mjd_tdb) AS exposure_id
FROM roman.exposure e JOIN roman.optical_element o USING (optical_element)
WHERE o.kind = 'imaging'
  AND e.day_mjd BETWEEN CAST(:first_day AS int) AND CAST(:last_day AS int)
  AND e.detector = coalesce(CAST(:detector AS text), e.detector)
  AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
  AND (CAST(:redo AS bool) OR NOT EXISTS (
      SELECT FROM roman.psf_model p
      WHERE p.detector = e.detector AND p.optical_element = e.optical_element AND p.superseded_at IS NULL
        AND p.epoch_mjd_tdb >= e.day_mjd AND p.epoch_mjd_tdb < e.day_mjd + 1))
GROUP BY e.detector, e.optical_element, e.day_mjd ORDER BY e.day_mjd, e.detector, e.optical_element
"""

_CHOOSE = """
SELECT * FROM roman.psf_model
WHERE detector = :detector AND optical_element = :optical_element AND superseded_at IS NULL
ORDER BY abs(epoch_mjd_tdb - CAST(:mjd AS float8)) LIMIT 1
"""


def units_without_psf(arguments: Mapping[str, Any]) -> list[Unit]:
    """List detectors, optical elements and days with exposures and no PSF; all of them with ``redo``.

    Arguments are those of `loaders.photometry.load.pending_units`.
    """
    with session.reading() as connection:
        rows = connection.execute(sa.text(_PENDING), dict(arguments)).all()
    return [Unit(f"{row.detector} {row.optical_element} {row.day_mjd}", row._asdict()) for row in rows]


def build_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Build the PSF of a detector, optical element and day from some of its exposures, and store it."""
    detector, element = unit.arguments["detector"], unit.arguments["optical_element"]
    with session.reading() as connection:
        exposures = chosen(read_exposures(connection, unit.arguments["exposure_id"]))
    stars = read_stars(element, exposures)
    fields = []
    for done, exposure in enumerate(exposures, 1):
        fields.append(star_field(exposure, stars))
        progress(f"psf {unit.name}", done, len(exposures) + 1)
    built = build_detector_psf(fields, optical_psf(detector, element))
    with session.transaction() as connection:
        connection.execute(_superseded(detector, element, unit.arguments["day_mjd"]))
        store_psf(connection, run, (detector, element), exposures, built)


def chosen(exposures: Sequence[StoredExposure]) -> list[StoredExposure]:
    """Some exposures spread over the day, all of the shape that most have."""
    shape, _ = Counter((one.n_y, one.n_x) for one in exposures).most_common(1)[0]
    alike = [one for one in exposures if (one.n_y, one.n_x) == shape]
    which = np.unique(np.linspace(0, len(alike) - 1, EXPOSURES_A_PSF).round().astype(int))
    return [alike[k] for k in which]


def star_field(exposure: StoredExposure, stars: CatalogStars) -> StarField:
    """Pixels of an exposure and the catalogued stars on them."""
    image = read_level2(exposure.path)
    x, y = catalog_pixels(image, stars.astrometry)
    near = near_image(image.shape, x, y, MARGIN) & np.isfinite(stars.flux)
    usable = usable_pixels(image.data, image.err, image.var_poisson, image.dq)
    return StarField(
        image.data.astype(np.float64),
        np.where(usable, image.err.astype(np.float64) ** 2, np.inf),
        usable,
        x[near],
        y[near],
        stars.flux[near] / image.njy_per_unit,
    )


def store_psf(
    connection: sa.Connection,
    run: LoadRun,
    instrument: tuple[str, str],
    exposures: Sequence[StoredExposure],
    built: DetectorPsf,
) -> int:
    """Store a PSF with its moments and metrics and return its identifier."""
    models = table("roman.psf_model")
    epochs = [exposure.midpoint_mjd_tdb for exposure in exposures]
    row = row_of_psf(built.psf) | {
        "detector": instrument[0],
        "optical_element": instrument[1],
        "epoch_mjd_tdb": float(np.mean(epochs)),
        "epoch_start_mjd_tdb": min(epochs),
        "epoch_end_mjd_tdb": max(epochs),
        "exposure_id": [exposure.exposure_id for exposure in exposures],
        "n_star": built.n_star,
        "reduced_chi2": built.reduced_chi2,
        "origin": "empirical",
        "load_run_id": run.load_run_id,
    }
    identifier = connection.execute(models.insert().returning(models.c.psf_model_id), row).scalar_one()
    return int(identifier)


def psf_for(connection: sa.Connection, detector: str, optical_element: str, mjd_tdb: float) -> EffectivePsf:
    """Library PSF nearest in time on the wings of the optics; the optics alone where the library has none."""
    values = {"detector": detector, "optical_element": optical_element, "mjd": mjd_tdb}
    row = connection.execute(sa.text(_CHOOSE), values).mappings().first()
    wide = wide_psf(detector, optical_element)
    return wide if row is None else with_wings(psf_of_row(row), wide)


def wide_psf(detector: str, optical_element: str) -> EffectivePsf:
    """PSF of the optics that reaches as far as bright stars shed light."""
    return optical_psf(detector, optical_element, settings=OpticsSettings(half_width=WINGS))


def psf_of_row(row: Mapping[Any, Any]) -> EffectivePsf:
    """Effective PSF of a row of ``roman.psf_model``."""
    x, y = np.array(row["x_node"], np.float64), np.array(row["y_node"], np.float64)
    stamps = np.frombuffer(row["stamp"], "<f4").reshape(y.size, x.size, row["size"], row["size"])
    return EffectivePsf(stamps.astype(np.float64), row["oversampling"], x, y)


def row_of_psf(psf: EffectivePsf) -> dict[str, Any]:
    """Columns of ``roman.psf_model`` that hold the PSF itself."""
    return {
        "oversampling": psf.oversampling,
        "size": psf.size,
        "x_node": psf.x_node.tolist(),
        "y_node": psf.y_node.tolist(),
        "stamp": psf.stamps.astype("<f4").tobytes(),
    }


def _superseded(detector: str, optical_element: str, day_mjd: int) -> sa.Update:
    """Statement that marks the current PSFs of a detector, optical element and day as superseded."""
    models = table("roman.psf_model")
    mine = sa.and_(
        models.c.detector == detector,
        models.c.optical_element == optical_element,
        models.c.epoch_mjd_tdb >= day_mjd,
        models.c.epoch_mjd_tdb < day_mjd + 1,
        models.c.superseded_at.is_(None),
    )
    return models.update().where(mine).values(superseded_at=sa.func.now())
