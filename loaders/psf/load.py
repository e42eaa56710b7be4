"""The PSF library in the database: built per detector, optical element and day, chosen by epoch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
import structlog
from astropy.time import Time

from loaders.astrometry.load import StoredExposure, read_exposures, read_stars
from loaders.astrometry.stars import CatalogStars, catalog_pixels, near_image
from loaders.psf.build import BuildSettings
from loaders.psf.detector import MARGIN, DetectorPsf, build_detector_psf
from loaders.psf.field import StarField
from loaders.psf.library import Entries, Limits, choose
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.psf.profile import light_within
from loaders.psf.reference_file import ReferenceDescription, write_reference_file
from loaders.psf.shape import psf_shape
from loaders.psf.wings import with_wings
from loaders.rejection import Rejected
from loaders.wfi.level2 import read_level2
from loaders.wfi.quality import SATURATED, usable_pixels
from loaders.wfi.saturated import in_blocks
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.quality import Metric, store_metrics
from roman_db.schema.metadata import table

log = structlog.get_logger()

#: Exposures of a day that its PSF is built from, spread over the day: so many at least, and so many pixels.
#: The noise of a PSF falls with the number of stars, of which a small image has few.
EXPOSURES_A_PSF, PIXELS_A_PSF = 4, 450_000

#: Light far from its star can't be told from the sky in a crowded field, and some per cent may be missed: how
#: much, the catalogued fluxes say, in the median over the stars that measure a PSF.
SETTINGS = BuildSettings(flux_scale="given")

#: Half width (pixels) to which the PSF of bright stars is known: their light beyond it is lost.
WINGS = 60

_PENDING = """
SELECT e.detector, e.optical_element, e.day_mjd,
       array_agg(e.exposure_id ORDER BY e.midpoint_mjd_tdb) AS exposure_id
FROM roman.exposure e JOIN roman.optical_element o USING (optical_element)
WHERE o.kind = 'imaging'
  AND NOT EXISTS (
      SELECT FROM roman.reference_image_exposure m JOIN roman.reference_image r USING (reference_image_id)
      WHERE m.exposure_id = e.exposure_id AND m.file_id = e.file_id AND NOT m.is_used
        AND r.superseded_at IS NULL)
  AND e.day_mjd BETWEEN CAST(:first_day AS int) AND CAST(:last_day AS int)
  AND e.detector = coalesce(CAST(:detector AS text), e.detector)
  AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
  AND (CAST(:redo AS bool) OR NOT EXISTS (
      SELECT FROM roman.psf_model p
      WHERE p.detector = e.detector AND p.optical_element = e.optical_element AND p.superseded_at IS NULL
        AND p.epoch_mjd_tdb >= e.day_mjd AND p.epoch_mjd_tdb < e.day_mjd + 1
        AND (CAST(:is_first AS bool) OR p.flux_scale = 'catalog')))
GROUP BY e.detector, e.optical_element, e.day_mjd ORDER BY e.day_mjd, e.detector, e.optical_element
"""

_ENTRIES = """
SELECT psf_model_id, detector, optical_element, epoch_mjd_tdb, n_star, reduced_chi2,
       residual_fraction
FROM roman.psf_model
WHERE detector = :detector AND optical_element = :optical_element AND superseded_at IS NULL
ORDER BY epoch_mjd_tdb
"""

#: Objects whose flux is what an image showed whose PSF was that of the optics.
_OF_OPTICS = """
SELECT f.object_id
FROM roman.reference_image r
JOIN roman.reference_source s USING (reference_image_id)
JOIN roman.object_flux f ON f.object_id = s.object_id AND f.optical_element = r.optical_element
WHERE r.psf_model_id IS NULL AND r.detector = $1 AND r.optical_element = $2 AND f.psf_flux = s.psf_flux
"""

#: What a library PSF must reach; in crowded fields the cores of bright stars never fit to the noise. That of
#: the optics leaves three hundredths of bright stars and more.
LIMITS = Limits(min_star=50, max_chi2=10.0, max_residual=0.02)


def units_without_psf(arguments: Mapping[str, Any], *, is_first: bool = False) -> list[Unit]:
    """List detectors, optical elements and days with exposures and no PSF; all of them with ``redo``.

    Exposures that did not fit a reference image are left out. A PSF on the scale of its own light counts
    only where the first images are made.

    Arguments are those of `loaders.photometry.load.pending_units`.
    """
    with session.reading() as connection:
        rows = connection.execute(sa.text(_PENDING), dict(arguments) | {"is_first": is_first}).all()
    given = {"is_first": is_first}
    return [
        Unit(f"{row.detector} {row.optical_element} {row.day_mjd}", row._asdict() | given) for row in rows
    ]


def build_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Build the PSF of a detector, optical element and day from some of its exposures, and store it.

    On the flux scale of the catalog; where the first images are made and most fluxes come from the PSF of the
    optics, on that of its own light.
    """
    detector, element = unit.arguments["detector"], unit.arguments["optical_element"]
    with session.reading() as connection:
        exposures = read_exposures(connection, unit.arguments["exposure_id"])
    exposures, fields = _readable(unit, element, exposures, progress)
    scale = "own_light" if unit.arguments["is_first"] and _is_of_optics(unit, exposures) else "catalog"
    wide = wide_psf(detector, element)
    built = build_detector_psf(
        fields,
        optical_psf(detector, element),
        wide,
        SETTINGS if scale == "catalog" else replace(SETTINGS, flux_scale="infinity"),
        progress=lambda done, steps: progress(f"psf {unit.name}", done, steps),
    )
    if scale == "own_light":
        built = built.with_light(light_within(wide))
    with session.transaction() as connection:
        connection.execute(_superseded(detector, element, unit.arguments["day_mjd"]))
        stored = store_psf(connection, run, (detector, element), exposures, built, scale)
        store_metrics(connection, run.load_run_id, metrics_of_psf(stored, element, built.psf, built.wings))


def _is_of_optics(unit: Unit, exposures: Sequence[StoredExposure]) -> bool:
    """Whether most fluxes of the stars on exposures are those of images whose PSF was that of the optics."""
    detector, element = unit.arguments["detector"], unit.arguments["optical_element"]
    with session.arrow_connection(session.Role.LOADER) as connection, connection.cursor() as cursor:
        cursor.execute(_OF_OPTICS, (detector, element))
        of_optics = cursor.fetch_arrow_table().columns[0].to_numpy()
    stars = _stars_of_fields(element, exposures).values()
    known = np.concatenate([one.object_id[np.isfinite(one.flux)] for one in stars])
    return bool(known.size and np.isin(known, of_optics).mean() > 0.5)


def _readable(
    unit: Unit, optical_element: str, exposures: Sequence[StoredExposure], progress: Progress
) -> tuple[list[StoredExposure], list[StarField]]:
    """Some exposures spread over the day whose files can be used, and their pixels and stars.

    The photometry says of the others why they are refused.

    Raises
    ------
    Rejected
        If no file can be used, or no star is catalogued.
    """
    stars = _stars_of_fields(optical_element, exposures)
    left, fields = list(exposures), dict[int, StarField]()
    while unread := [one for one in chosen(left) if one.exposure_id not in fields]:
        exposure = unread[0]
        try:
            fields[exposure.exposure_id] = star_field(exposure, stars[exposure.field_id])
        except Rejected as rejected:
            log.warning("not used for the PSF", unit=unit.name, file=str(exposure.path), why=rejected.what)
            left.remove(exposure)
            if not left:
                raise
        progress(f"read for psf {unit.name}", len(fields), len(fields) + len(unread) - 1)
    picked = chosen(left)
    return picked, [fields[one.exposure_id] for one in picked]


def chosen(exposures: Sequence[StoredExposure]) -> list[StoredExposure]:
    """Some exposures spread over the day, all of the shape that most have."""
    shape, _ = Counter((one.n_y, one.n_x) for one in exposures).most_common(1)[0]
    alike = [one for one in exposures if (one.n_y, one.n_x) == shape]
    wanted = max(EXPOSURES_A_PSF, math.ceil(PIXELS_A_PSF / (shape[0] * shape[1])))
    which = np.unique(np.linspace(0, len(alike) - 1, wanted).round().astype(int))
    return [alike[k] for k in which]


def _stars_of_fields(optical_element: str, exposures: Sequence[StoredExposure]) -> dict[int, CatalogStars]:
    """Catalogued stars by field of the survey."""
    fields: dict[int, list[StoredExposure]] = {}
    for exposure in exposures:
        fields.setdefault(exposure.field_id, []).append(exposure)
    return {field: read_stars(optical_element, some) for field, some in fields.items()}


def star_field(exposure: StoredExposure, stars: CatalogStars) -> StarField:
    """Pixels of an exposure and the catalogued stars on them."""
    exposure.file.require_unchanged()
    image = read_level2(exposure.path)
    x, y = catalog_pixels(image, stars.astrometry)
    near = near_image(image.shape, x, y, MARGIN) & np.isfinite(stars.flux)
    usable = usable_pixels(image.data, image.err, image.var_poisson, image.dq)
    usable &= ~in_blocks(image.data, usable, (image.dq & np.uint32(SATURATED)) != 0)
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
    flux_scale: str = "catalog",
) -> int:
    """Store a PSF with its wings and its moments, and return its identifier."""
    models = table("roman.psf_model")
    epochs = [exposure.midpoint_mjd_tdb for exposure in exposures]
    row = row_of_psf(built.psf, built.wings) | {
        "detector": instrument[0],
        "optical_element": instrument[1],
        "epoch_mjd_tdb": float(np.mean(epochs)),
        "epoch_start_mjd_tdb": min(epochs),
        "epoch_end_mjd_tdb": max(epochs),
        "exposure_id": [exposure.exposure_id for exposure in exposures],
        "n_star": built.n_star,
        "reduced_chi2": built.reduced_chi2,
        "residual_fraction": built.residual if np.isfinite(built.residual) else None,
        "origin": "empirical",
        "flux_scale": flux_scale,
        "load_run_id": run.load_run_id,
    }
    identifier = connection.execute(models.insert().returning(models.c.psf_model_id), row).scalar_one()
    keys = {"psf_model_id": identifier, "load_run_id": run.load_run_id}
    rows = [keys | moment_row(built.psf, x, y) for y in built.psf.y_node for x in built.psf.x_node]
    copy_rows(connection, "roman.psf_moment", {name: [row[name] for row in rows] for name in rows[0]})
    return int(identifier)


def moment_row(psf: EffectivePsf, x: float, y: float) -> dict[str, float]:
    """Columns of ``roman.psf_moment`` at a detector position."""
    return {"x": x, "y": y, **asdict(psf_shape(psf, x, y))}


def metrics_of_psf(
    psf_model_id: int, optical_element: str, psf: EffectivePsf, wings: EffectivePsf
) -> list[Metric]:
    """Quality of a PSF and its wings in the middle of its nodes.

    ``psf_fwhm`` (pixels), ``psf_ellipticity`` (modulus), ``psf_third_moment`` (root of the summed squares of
    the standardised third moments), ``psf_fourth_moment`` (mean of those along the axes) and ``psf_light``
    (light within the wings of a star of unit catalogued flux; not near one: the catalog is of another scale).
    """
    middle = psf_shape(psf, float(psf.x_node.mean()), float(psf.y_node.mean()))
    values = {
        "psf_fwhm": middle.fwhm,
        "psf_ellipticity": middle.ellipticity,
        "psf_third_moment": middle.third,
        "psf_fourth_moment": middle.fourth,
        "psf_light": light_within(with_wings(psf, wings)),
    }
    return [Metric(name, optical_element, value, psf_model_id=psf_model_id) for name, value in values.items()]


@dataclass(frozen=True)
class ServingPsf:
    """A PSF that serves at some time, and whence it comes.

    Parameters
    ----------
    psf
        The PSF with its wings.
    psf_model_id
        Its identifier in the library; None for that of the optics.
    epoch_mjd_tdb
        Mean epoch of the exposures that it was built from; NaN for that of the optics.
    n_star, reduced_chi2, residual_fraction
        Stars that measured it, goodness of fit, and what it leaves of bright stars; 0 and NaN for that of the
        optics, NaN where unknown.
    """

    psf: EffectivePsf
    psf_model_id: int | None
    epoch_mjd_tdb: float
    n_star: int
    reduced_chi2: float
    residual_fraction: float


def psf_for(connection: sa.Connection, detector: str, optical_element: str, mjd_tdb: float) -> ServingPsf:
    """Good library PSF nearest in time, with its wings; that of the optics where the library has none."""
    instrument = {"detector": detector, "optical_element": optical_element}
    rows = connection.execute(sa.text(_ENTRIES), instrument).all()
    columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.empty(0)] * 7
    number, chi2, residual = columns[4], columns[5], columns[6].astype(np.float64)
    entries = Entries(columns[1], columns[2], columns[3], number, chi2, residual)
    found = choose(entries, (detector, optical_element), mjd_tdb, LIMITS)
    if found is None:
        unknown = float("nan")
        return ServingPsf(wide_psf(detector, optical_element), None, unknown, 0, unknown, unknown)
    identifier, epoch = int(columns[0][found]), float(columns[3][found])
    fit = int(number[found]), float(chi2[found]), float(residual[found])
    return ServingPsf(read_psf(connection, identifier), identifier, epoch, *fit)


def read_psf(connection: sa.Connection, psf_model_id: int) -> EffectivePsf:
    """Library PSF of that identifier, with its wings."""
    models = table("roman.psf_model")
    query = sa.select(models).where(models.c.psf_model_id == psf_model_id)
    row = connection.execute(query).mappings().one()
    return with_wings(core_of_row(row), wings_of_row(row))


def wide_psf(detector: str, optical_element: str) -> EffectivePsf:
    """PSF of the optics that reaches as far as bright stars shed light."""
    return optical_psf(detector, optical_element, settings=OpticsSettings(half_width=WINGS))


def core_of_row(row: Mapping[Any, Any]) -> EffectivePsf:
    """Measured core of a row of ``roman.psf_model``."""
    x, y = np.array(row["x_node"], np.float64), np.array(row["y_node"], np.float64)
    stamps = np.frombuffer(row["stamp"], "<f4").reshape(y.size, x.size, row["size"], row["size"])
    return EffectivePsf(stamps.astype(np.float64), row["oversampling"], x, y)


def wings_of_row(row: Mapping[Any, Any]) -> EffectivePsf:
    """Wide PSF of a row of ``roman.psf_model``: that of the optics, its light beyond the core as measured."""
    size = row["wing_size"]
    stamp = np.frombuffer(row["wing_stamp"], "<f4").reshape(1, 1, size, size).astype(np.float64)
    return EffectivePsf(stamp, row["wing_oversampling"], np.zeros(1), np.zeros(1))


def row_of_psf(core: EffectivePsf, wings: EffectivePsf) -> dict[str, Any]:
    """Columns of ``roman.psf_model`` that hold the PSF itself."""
    return {
        "oversampling": core.oversampling,
        "size": core.size,
        "x_node": core.x_node.tolist(),
        "y_node": core.y_node.tolist(),
        "stamp": core.stamps.astype("<f4").tobytes(),
        "wing_oversampling": wings.oversampling,
        "wing_size": wings.size,
        "wing_stamp": wings.stamps[0, 0].astype("<f4").tobytes(),
    }


def export_reference_file(connection: sa.Connection, psf_model_id: int, path: Path) -> None:
    """Write a library PSF as RAD's epsf reference file.

    Raises
    ------
    Rejected
        If the library has no PSF of that identifier.
    """
    models = table("roman.psf_model")
    query = sa.select(models).where(models.c.psf_model_id == psf_model_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise Rejected(
            f"psf {psf_model_id}", "the library has no such PSF", "See `roman-db psf list`", "no_psf"
        )
    first, last = (
        Time(row[f"epoch_{end}_mjd_tdb"], format="mjd", scale="tdb").utc for end in ("start", "end")
    )
    description = ReferenceDescription(
        row["detector"],
        row["optical_element"],
        first,
        "roman-db",
        f"Effective PSF {psf_model_id} from {row['n_star']} stars in {len(row['exposure_id'])} exposures",
        f"INFLIGHT {first.strftime('%Y-%m-%d')} {last.strftime('%Y-%m-%d')}",
    )
    write_reference_file(path, core_of_row(row), description, wings_of_row(row))


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
