"""Reference images of seasons in the database: which are to be made, and one of them made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from astropy.time import Time

from loaders.input_file import fingerprint
from loaders.output_folder import writable_folder
from loaders.psf.profile import fwhm
from loaders.reference.load import open_reference
from loaders.reference.product import ReferenceKeywords, read_coverage, remove_earlier, write_reference
from loaders.reference.psf_shape import shape_columns, shape_metrics
from loaders.reference.rows import limiting_magnitude
from loaders.season_reference.build import Part, SeasonImage, SpanImage, build_season
from loaders.wfi.footprint import footprint
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.quality import Metric, store_metrics
from roman_db.schema.metadata import table
from roman_db.settings import settings

_PARTS = """
SELECT reference_image_id, path, epoch_mjd_tdb, n_exposure, n_refused, exposure_time, psf_model_id,
       psf_n_star, psf_reduced_chi2, psf_residual_fraction, psf_fraction_optics, psf_fraction_other_day
FROM roman.reference_image WHERE reference_image_id = ANY(CAST(:reference_image_id AS bigint[]))
ORDER BY start_mjd
"""

_EXPOSED = """
SELECT f.name, f.ra, f.dec, min(e.exposure_start_time) AS start, max(e.exposure_end_time) AS finish,
       array_agg(i.path ORDER BY e.midpoint_mjd_tdb) AS path
FROM roman.reference_image_exposure m
JOIN roman.exposure e USING (exposure_id) JOIN roman.field f USING (field_id)
JOIN ops.input_file i ON i.file_id = m.file_id
WHERE m.reference_image_id = ANY(CAST(:reference_image_id AS bigint[])) AND m.is_used
GROUP BY f.name, f.ra, f.dec
"""

#: Shifts are those from the WCSs; how the image of the span lies on that of the season comes on top.
_MEMBERS = """
INSERT INTO roman.reference_image_exposure
    (reference_image_id, exposure_id, file_id, is_used, shift_ra, shift_dec, shift_ra_err, shift_dec_err,
     shift_ra_by_x, shift_ra_by_y, shift_dec_by_x, shift_dec_by_y, sky, flux_scale, flux_scale_err,
     n_scale_star, fraction_rejected, weight, load_run_id)
SELECT p.reference_image_id, m.exposure_id, m.file_id, true,
       m.shift_ra, m.shift_dec, m.shift_ra_err, m.shift_dec_err,
       m.shift_ra_by_x, m.shift_ra_by_y, m.shift_dec_by_x, m.shift_dec_by_y,
       m.sky + p.sky * r.oversampling ^ 2, m.flux_scale * p.flux_scale, m.flux_scale_err * p.flux_scale,
       m.n_scale_star, m.fraction_rejected, m.weight, p.load_run_id
FROM roman.reference_image_part p
JOIN roman.reference_image r ON r.reference_image_id = p.reference_image_id
JOIN roman.reference_image_exposure m ON m.reference_image_id = p.part_reference_image_id
WHERE p.reference_image_id = :reference_image_id AND p.is_used AND m.is_used
"""


def pending_season_references(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the seasons of which an image is to be made.

    Arguments: ``survey`` of fields that are of none, ``first_day, last_day`` (MJD), ``detector,
    optical_element`` (or None), ``redo``.
    """
    names = ("survey", "first_day", "last_day", "detector", "optical_element", "redo")
    values = {name: arguments[name] for name in names} | {"last_day": arguments["last_day"] + 1}
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "season_reference"), values).all()
    return [
        Unit(f"{row.field} {row.detector} {row.optical_element} season {row.season}", row._asdict())
        for row in rows
    ]


@dataclass(frozen=True)
class _Made:
    """An image that was made, the rows of the images of spans, and of their exposures together."""

    season: SeasonImage
    parts: list[sa.Row[Any]]
    exposed: sa.Row[Any]

    @property
    def used(self) -> list[sa.Row[Any]]:
        """Rows of the images that are in it."""
        return [row for row, part in zip(self.parts, self.season.parts, strict=True) if part.refused is None]


def make_season_reference(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Make the reference image of a season, write its file, and register both in one transaction."""
    folder = writable_folder(_folder(unit))
    with session.reading() as connection:
        asked = {"reference_image_id": unit.arguments["reference_image_id"]}
        parts = list(connection.execute(sa.text(_PARTS), asked))

    def load(number: int) -> SpanImage:
        with session.reading() as connection:
            stored = open_reference(connection, parts[number].reference_image_id)
        return SpanImage(stored, read_coverage(Path(parts[number].path)))

    season = build_season(
        load,
        len(parts),
        folder,
        lambda done, total: progress(f"season reference {unit.name}", done, total),
    )
    used = [
        row.reference_image_id for row, part in zip(parts, season.parts, strict=True) if part.refused is None
    ]
    with session.reading() as connection:
        exposed = connection.execute(sa.text(_EXPOSED), {"reference_image_id": used}).one()
    made = _Made(season, parts, exposed)
    path = _write(unit, made, folder, run.load_run_id)
    with session.transaction() as connection:
        _supersede(connection, unit)
        _register(connection, run, unit, made, path)
        run.count(connection, loaded=1)
    remove_earlier(path)


def _folder(unit: Unit) -> Path:
    """Folder of the images of a field."""
    return settings().product_folder / "reference" / f"field{unit.arguments['field_id']:03d}"


def _write(unit: Unit, made: _Made, folder: Path, load_run_id: int) -> Path:
    """Write the file beside that of the image before, which holds until then."""
    given, exposed = unit.arguments, made.exposed
    name = f"{given['detector']}_{given['optical_element']}_s{given['season']:02d}".lower()
    path = folder / f"r{given['field_id']:03d}_{name}_run{load_run_id}_season.asdf"
    keywords = ReferenceKeywords(
        field=exposed.name,
        field_centre=(exposed.ra, exposed.dec),
        season=given["season"],
        sequence=0,
        start=Time(exposed.start),
        end=Time(exposed.finish),
        exposure_time=float(sum(row.exposure_time for row in made.used)),
        inputs=[Path(one).name for one in exposed.path],
    )
    write_reference(path, made.season.reference, made.season.psf, Path(exposed.path[0]), keywords)
    return path


def _supersede(connection: sa.Connection, unit: Unit) -> None:
    """Mark the image of the season that there is as superseded."""
    images = table("roman.reference_image")
    names = ("field_id", "detector", "optical_element", "start_mjd")
    mine = [images.c[name] == unit.arguments[name] for name in names]
    mine += [images.c.reference_kind == "season", images.c.superseded_at.is_(None)]
    connection.execute(images.update().where(*mine).values(superseded_at=sa.func.now()))


def _register(connection: sa.Connection, run: LoadRun, unit: Unit, made: _Made, path: Path) -> None:
    """Store the image, what it was made of, and the shape of its PSF."""
    images = table("roman.reference_image")
    row = _image_row(unit, made, path) | {"load_run_id": run.load_run_id}
    identifier = int(
        connection.execute(images.insert().returning(images.c.reference_image_id), row).scalar_one()
    )
    keys = {"reference_image_id": identifier, "load_run_id": run.load_run_id}
    rows = [
        {"part_reference_image_id": row.reference_image_id} | _part_row(part)
        for row, part in zip(made.parts, made.season.parts, strict=True)
    ]
    columns = {name: [one[name] for one in rows] for name in rows[0]}
    every = {name: [value] * len(rows) for name, value in keys.items()}
    copy_rows(connection, "roman.reference_image_part", every | columns)
    connection.execute(sa.text(_MEMBERS), {"reference_image_id": identifier})
    shape = shape_columns(made.season.psf, made.season.reference.frame)
    places = {name: [value] * len(shape["x"]) for name, value in keys.items()}
    copy_rows(connection, "roman.reference_psf_moment", places | shape)
    metrics = [
        Metric(name, unit.arguments["optical_element"], value, reference_image_id=identifier)
        for name, value in shape_metrics(shape).items()
    ]
    store_metrics(connection, run.load_run_id, metrics)


def _part_row(part: Part) -> dict[str, Any]:
    """Columns of ``roman.reference_image_part``."""
    if part.refused is not None:
        measured = dict.fromkeys(("flux_scale", "sky", "shift_x", "shift_y", "fraction_excluded"))
        return {"is_used": False, "refused": part.refused.what, "weight": 0.0} | measured
    return {
        "is_used": True,
        "refused": None,
        "weight": part.weight,
        "flux_scale": part.match.scale,
        "sky": part.match.sky,
        "shift_x": float(part.match.by.shift[0]),
        "shift_y": float(part.match.by.shift[1]),
        "fraction_excluded": part.excluded,
    }


def _image_row(unit: Unit, made: _Made, path: Path) -> dict[str, Any]:
    """Columns of ``roman.reference_image``."""
    given, reference, used = unit.arguments, made.season.reference, made.used
    frame = reference.frame
    sha256, size = fingerprint(path)
    ranges = ",".join(f"[{low},{high})" for low, high in footprint(frame.projection).tolist())
    names = ("field_id", "detector", "optical_element", "start_mjd", "end_mjd")
    width = fwhm(made.season.psf, *frame.middle) * frame.pixel_scale
    return (
        {name: given[name] for name in names}
        | {
            "reference_kind": "season",
            "n_exposure": sum(row.n_exposure for row in used),
            "n_refused": sum(row.n_refused for row in used),
            "is_judged": reference.is_judged,
            "exposure_time": float(sum(row.exposure_time for row in used)),
            "oversampling": frame.oversampling,
            "n_x": frame.shape[1],
            "n_y": frame.shape[0],
            "ra_ref": frame.ra,
            "dec_ref": frame.dec,
            "rotation_matrix": frame.matrix.ravel().tolist(),
            "pixel_scale": frame.pixel_scale,
            "footprint": f"{{{ranges}}}",
            "limiting_mag": limiting_magnitude(reference, made.season.psf),
            "psf_fwhm": float(width) if np.isfinite(width) else None,
            "path": str(path),
            "sha256": sha256,
            "size_bytes": size,
        }
        | _origin(used)
    )


def _origin(used: list[sa.Row[Any]]) -> dict[str, Any]:
    """Epoch and origin of the PSF: means over the exposures; the PSF of the library nearest to the epoch."""
    epoch = _mean(used, "epoch_mjd_tdb")
    assert epoch is not None
    nearest = min(used, key=lambda row: abs(row.epoch_mjd_tdb - epoch))
    names = ("psf_reduced_chi2", "psf_residual_fraction", "psf_fraction_optics", "psf_fraction_other_day")
    return {
        "epoch_mjd_tdb": epoch,
        "psf_model_id": nearest.psf_model_id,
        "psf_n_star": sum(row.psf_n_star or 0 for row in used),
    } | {name: _mean(used, name) for name in names}


def _mean(rows: list[sa.Row[Any]], name: str) -> float | None:
    """Mean over the exposures of images of which it is known."""
    known = [row for row in rows if getattr(row, name) is not None]
    if not known:
        return None
    values, weight = [getattr(row, name) for row in known], [row.n_exposure for row in known]
    return float(np.average(values, weights=weight))
