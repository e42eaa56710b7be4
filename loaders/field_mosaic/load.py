"""Mosaics of fields in the database: which are to be made, and one of them made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from astropy.time import Time

from loaders.field_mosaic.build import Mosaic, Part, build_mosaic
from loaders.field_mosaic.grid import FloatArray, MosaicGrid
from loaders.field_mosaic.product import MosaicKeywords, remove_earlier, scratch_folder, write_mosaic
from loaders.input_file import fingerprint
from loaders.output_folder import writable_folder
from loaders.reference.frame import ReferenceFrame
from loaders.reference.load import open_reference
from loaders.reference.product import StoredReference
from loaders.rejection import Rejected
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table
from roman_db.settings import settings

_IMAGES = """
SELECT reference_image_id, detector, path, epoch_mjd_tdb, n_exposure, exposure_time,
       ra_ref, dec_ref, rotation_matrix, n_x, n_y, oversampling
FROM roman.reference_image WHERE reference_image_id = ANY(CAST(:reference_image_id AS bigint[]))
ORDER BY detector
"""

_EXPOSED = """
SELECT min(e.exposure_start_time) AS start, max(e.exposure_end_time) AS finish
FROM roman.reference_image_exposure m JOIN roman.exposure e USING (exposure_id)
WHERE m.reference_image_id = ANY(CAST(:reference_image_id AS bigint[])) AND m.is_used
"""

_FOOTPRINT = """
SELECT range_agg(footprint) FROM roman.reference_image
WHERE reference_image_id = ANY(CAST(:reference_image_id AS bigint[]))
"""

_MADE = """
SELECT f.name AS field, m.optical_element, m.season, m.n_detector, m.n_x, m.n_y, m.fraction_covered,
       (SELECT count(*) FROM roman.field_mosaic_part p WHERE p.field_mosaic_id = m.field_mosaic_id
        AND NOT p.is_used) AS n_refused
FROM roman.field_mosaic m JOIN roman.field f USING (field_id)
WHERE m.load_run_id = :load_run_id AND m.superseded_at IS NULL
ORDER BY m.start_mjd, m.field_id, m.optical_element
"""

#: Of season 0 the newest of each field and element.
_CURRENT = """
SELECT DISTINCT ON (m.field_id, m.optical_element)
       m.field_mosaic_id, f.name AS field, m.season, m.optical_element, m.ra_ref, m.dec_ref, m.pixel_scale,
       m.x_ref, m.y_ref, m.n_x, m.n_y, m.n_exposure, m.fraction_covered, m.path
FROM roman.field_mosaic m JOIN roman.field f USING (field_id)
WHERE m.superseded_at IS NULL AND coalesce(f.survey, CAST(:survey AS text)) = CAST(:survey AS text)
  AND (m.season = CAST(:season AS smallint) OR CAST(:season AS smallint) = 0)
ORDER BY m.field_id, m.optical_element, m.season DESC
"""

_USED = """
SELECT r.detector, r.ra_ref, r.dec_ref, r.rotation_matrix, r.n_x, r.n_y, r.oversampling
FROM roman.field_mosaic_part p JOIN roman.reference_image r USING (reference_image_id)
WHERE p.field_mosaic_id = :field_mosaic_id AND p.is_used ORDER BY r.detector
"""


def pending_field_mosaics(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the mosaics that are to be made: none is of the current images, or its file is gone.

    Arguments: ``survey`` of fields that are of none, ``first_day, last_day`` (MJD), ``optical_element``
    (or None), ``redo``.
    """
    values = {name: arguments[name] for name in ("survey", "first_day", "optical_element")}
    values |= {"last_day": arguments["last_day"] + 1}
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "field_mosaic"), values).all()
    return [
        Unit(f"{row.field} {row.optical_element} season {row.season}", row._asdict())
        for row in rows
        if arguments["redo"] or row.path is None or not Path(row.path).is_file()
    ]


@dataclass(frozen=True)
class _Made:
    """A mosaic that was made, and the rows of its images."""

    mosaic: Mosaic
    images: list[sa.Row[Any]]

    @property
    def used(self) -> list[tuple[sa.Row[Any], Part]]:
        """Rows of the images that are in it, and what became of them."""
        both = zip(self.images, self.mosaic.parts, strict=True)
        return [(row, part) for row, part in both if part.refused is None]

    @property
    def numbers(self) -> dict[str, list[int]]:
        """Numbers of the images that are in it, as queries take them."""
        return {"reference_image_id": [row.reference_image_id for row, _ in self.used]}

    @property
    def epoch(self) -> float:
        """Mean epoch of the exposures, MJD TDB."""
        weight = [row.n_exposure for row, _ in self.used]
        return float(np.average([row.epoch_mjd_tdb for row, _ in self.used], weights=weight))


def make_field_mosaic(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Make a mosaic, write its file, and register both in one transaction."""
    path = _path(unit, run.load_run_id)
    with session.reading() as connection:
        asked = {"reference_image_id": unit.arguments["reference_image_id"]}
        images = list(connection.execute(sa.text(_IMAGES), asked))

    def load(number: int) -> StoredReference:
        with session.reading() as connection:
            return open_reference(connection, images[number].reference_image_id)

    with scratch_folder(path) as scratch:
        mosaic = build_mosaic(
            load,
            [_frame(row) for row in images],
            (unit.arguments["ra"], unit.arguments["dec"]),
            scratch,
            lambda done, total: progress(f"field mosaic {unit.name}", done, total),
        )
        made = _Made(mosaic, images)
        write_mosaic(path, mosaic, _keywords(unit, made), scratch)
    with session.transaction() as connection:
        _supersede(connection, unit)
        _register(connection, run, unit, made, path)
    remove_earlier(path)


def _path(unit: Unit, load_run_id: int) -> Path:
    """File of a mosaic, beside that of the one before, which holds until then."""
    given = unit.arguments
    folder = writable_folder(settings().product_folder / "mosaic" / f"field{given['field_id']:03d}")
    name = f"r{given['field_id']:03d}_{given['optical_element']}_s{given['season']:02d}".lower()
    return folder / f"{name}_run{load_run_id}_mosaic.asdf"


def _frame(row: sa.Row[Any]) -> ReferenceFrame:
    """The frame of an image."""
    matrix = np.array(row.rotation_matrix, dtype=np.float64).reshape(2, 2)
    return ReferenceFrame(row.ra_ref, row.dec_ref, matrix, (row.n_y, row.n_x), row.oversampling)


def _keywords(unit: Unit, made: _Made) -> MosaicKeywords:
    """What the file says of the mosaic."""
    with session.reading() as connection:
        exposed = connection.execute(sa.text(_EXPOSED), made.numbers).one()
    times = [float(row.exposure_time) for row, _ in made.used]
    return MosaicKeywords(
        field=unit.arguments["field"],
        season=unit.arguments["season"],
        optical_element=unit.arguments["optical_element"],
        start=Time(exposed.start),
        end=Time(exposed.finish),
        mean=Time(made.epoch, format="mjd", scale="tdb").utc,
        exposure_time=float(np.mean(times)),
        max_exposure_time=max(times),
        images=[Path(row.path) for row, _ in made.used],
        skies=[part.sky for _, part in made.used],
    )


def _supersede(connection: sa.Connection, unit: Unit) -> None:
    """Mark the mosaic that there is as superseded."""
    mosaics = table("roman.field_mosaic")
    mine = [mosaics.c[name] == unit.arguments[name] for name in ("field_id", "optical_element", "start_mjd")]
    statement = mosaics.update().where(*mine, mosaics.c.superseded_at.is_(None))
    connection.execute(statement.values(superseded_at=sa.func.now()))


def _register(connection: sa.Connection, run: LoadRun, unit: Unit, made: _Made, path: Path) -> None:
    """Store the mosaic and its images, and account for all of them."""
    mosaics = table("roman.field_mosaic")
    footprint = connection.execute(sa.text(_FOOTPRINT), made.numbers).scalar_one()
    row = _mosaic_row(unit, made, path) | {"footprint": footprint, "load_run_id": run.load_run_id}
    identifier = int(
        connection.execute(mosaics.insert().returning(mosaics.c.field_mosaic_id), row).scalar_one()
    )
    rows = [
        {"reference_image_id": image.reference_image_id} | _part_row(part)
        for image, part in zip(made.images, made.mosaic.parts, strict=True)
    ]
    columns = {name: [one[name] for one in rows] for name in rows[0]}
    keys = {"field_mosaic_id": identifier, "load_run_id": run.load_run_id}
    every = {name: [value] * len(rows) for name, value in keys.items()}
    copy_rows(connection, "roman.field_mosaic_part", every | columns)
    for image, part in zip(made.images, made.mosaic.parts, strict=True):
        if part.refused is not None:
            where = f"reference image {image.reference_image_id} ({part.refused.where})"
            run.reject(connection, Rejected(where, part.refused.what, part.refused.remedy, part.refused.code))
    run.count(connection, loaded=len(made.used))


def _part_row(part: Part) -> dict[str, Any]:
    """Columns of ``roman.field_mosaic_part``."""
    known = part.refused is None
    return {
        "is_used": known,
        "refused": None if part.refused is None else part.refused.what,
        "share": part.share,
        "sky": part.sky if known else None,
        "sky_err": part.sky_err if known else None,
        "n_overlap": part.n_overlap,
    }


def _mosaic_row(unit: Unit, made: _Made, path: Path) -> dict[str, Any]:
    """Columns of ``roman.field_mosaic``."""
    grid, numbers = made.mosaic.grid, made.mosaic.statistics
    sha256, size = fingerprint(path)
    names = ("field_id", "optical_element", "season", "start_mjd", "end_mjd")
    return {name: unit.arguments[name] for name in names} | {
        "epoch_mjd_tdb": made.epoch,
        "n_detector": len(made.used),
        "n_exposure": sum(row.n_exposure for row, _ in made.used),
        "exposure_time": float(np.mean([row.exposure_time for row, _ in made.used])),
        "ra_ref": grid.ra,
        "dec_ref": grid.dec,
        "x_ref": grid.x_ref,
        "y_ref": grid.y_ref,
        "pixel_scale": grid.pixel_scale,
        "n_x": grid.shape[1],
        "n_y": grid.shape[0],
        "fraction_covered": numbers.fraction_covered,
        "empty_error": numbers.empty_error,
        "path": str(path),
        "sha256": sha256,
        "size_bytes": size,
    }


def summary_of_mosaics(load_run_id: int) -> Iterator[str]:
    """Say of each mosaic that a run made what is in it."""
    with session.reading() as connection:
        rows = connection.execute(sa.text(_MADE), {"load_run_id": load_run_id}).all()
    for row in rows:
        left = f" ({row.n_refused} left out)" if row.n_refused else ""
        yield (
            f"Mosaic {row.field} {row.optical_element} season {row.season}: "
            f"{row.n_detector} detectors{left}, {row.n_x:,} x {row.n_y:,} pixels, "
            f"{row.fraction_covered:.1%} of them covered."
        )


@dataclass(frozen=True)
class StoredMosaic:
    """A current mosaic: its row, its pixels, and the corners (x, y) of the images in it by detector."""

    row: sa.Row[Any]
    grid: MosaicGrid
    outlines: Mapping[str, tuple[FloatArray, FloatArray]]


def current_mosaics(connection: sa.Connection, survey: str, season: int) -> list[StoredMosaic]:
    """Find the current mosaics of a season; of season 0 the newest of each field and element."""
    rows = connection.execute(sa.text(_CURRENT), {"survey": survey, "season": season}).all()
    found = []
    for row in rows:
        grid = MosaicGrid(
            *(row.ra_ref, row.dec_ref, row.pixel_scale, row.x_ref, row.y_ref), (row.n_y, row.n_x)
        )
        used = connection.execute(sa.text(_USED), {"field_mosaic_id": row.field_mosaic_id}).all()
        found.append(StoredMosaic(row, grid, {one.detector: grid.outline(_frame(one)) for one in used}))
    return found
