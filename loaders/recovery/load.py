"""What was found of artificial sources, and how complete and reliable that is, into the database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from loaders.astrometry.load import StoredExposure, has_stars, read_stars
from loaders.astrometry.stars import CatalogStars
from loaders.injection.image import ImageFacts, read_facts, read_projection
from loaders.injection.load import StoredInjection, image_psf, read_injection, repeated
from loaders.injection.sources import ArtificialSources
from loaders.recovery.forced import measure_forced
from loaders.recovery.match import MatchOptions, MeasuredSources, match
from loaders.recovery.rows import recovery_columns
from loaders.rejection import Rejected
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows
from roman_db.load_run import Counts, LoadRun, load_run
from roman_db.schema.metadata import table

#: What measures at the places of injection.
FORCED = "forced_photometry"

#: Signal-to-noise ratio from which a measured source is a detection.
DETECTION_SNR = 5.0


def recover(name: str, options: MatchOptions, progress: Callable[[int, int], None]) -> Counts:
    """Measure the exposures of an injection at its places, before and after, and store what is found.

    Counted are the images; mosaics are rejected, as there is no forced photometry of them.
    """
    stored = read_injection(name)
    with load_run("recover injection", {"name": name, "product": FORCED}, expected=len(stored.images)) as run:
        for done, image in enumerate(stored.images, 1):
            try:
                lists = _forced_lists(image, stored.sources)
            except Rejected as rejected:
                with session.transaction() as connection:
                    run.reject(connection, rejected)
            else:
                store_matches(run, stored, (FORCED, image), lists, options)
            progress(done, len(stored.images))
        refresh_efficiency(run, stored.injection_run_id, FORCED)
        return run.counts()


def match_lists(
    name: str, where: tuple[str, int], lists: tuple[MeasuredSources, MeasuredSources], options: MatchOptions
) -> Counts:
    """Match what anybody measured in an image of an injection, and store what is found.

    Parameters
    ----------
    name
        The injection.
    where
        What measured (product), and the number of the image.
    lists
        All that was measured after the sources were added, and before.
    options
        What counts as the same.

    Raises
    ------
    Rejected
        Codes ``unknown_injection``, ``unknown_image``.
    """
    product, number = where
    stored = read_injection(name)
    image = next((one for one in stored.images if one.image_number == number), None)
    if image is None:
        what = f"has no image {number}, but {len(stored.images)} from 0 on"
        raise Rejected(f"injection {name}", what, "Name one of these", "unknown_image")
    with load_run("match injection", {"name": name, "product": product, "image": number}, expected=1) as run:
        store_matches(run, stored, (product, image), lists, options)
        refresh_efficiency(run, stored.injection_run_id, product)
        return run.counts()


def efficiency(name: str, product: str) -> list[dict[str, Any]]:
    """Completeness and reliability by magnitude, as the example ``detection_efficiency`` gives them."""
    read_injection(name)
    with session.reading() as connection:
        values = {"injection": name, "product": product}
        return [
            row._asdict()
            for row in sqlfile.run(connection, sqlfile.find("examples", "detection_efficiency"), values)
        ]


def _forced_lists(image: sa.Row[Any], sources: ArtificialSources) -> tuple[MeasuredSources, MeasuredSources]:
    """Forced photometry after and before."""
    if image.level != 2:
        what = "is a mosaic, of which there is no forced photometry"
        raise Rejected(image.path, what, "Measure it, and use roman-db injection match", "not_level2")
    facts = read_facts(Path(image.source_path))
    psf, stars = image_psf(facts), _catalog(facts)
    after, before = (
        measure_forced(Path(path), sources, stars, psf) for path in (image.path, image.source_path)
    )
    return after, before


def _catalog(facts: ImageFacts) -> CatalogStars | None:
    """Catalogued stars that an exposure may show; None where there is no catalog of its field."""
    (ra, dec), (ny, nx) = facts.projection.center, facts.projection.shape
    known = dict.fromkeys(("exposure_id", "field_id", "day_mjd", "file_id"), 0)
    unknown = dict.fromkeys(("midpoint_bjd_tdb", "fraction_usable", "median_background"), float("nan"))
    of_file = dict.fromkeys(("sha256", "size_bytes"))
    place = {
        "ra": ra,
        "dec": dec,
        "n_x": nx,
        "n_y": ny,
        "path": facts.path,
        "midpoint_mjd_tdb": facts.mjd_tdb,
    }
    exposure = StoredExposure(**known, **unknown, **of_file, **place)  # type: ignore[arg-type]
    with session.reading() as connection:
        if not has_stars(connection, [exposure]):
            return None
    return read_stars(facts.optical_element, [exposure])


def store_matches(
    run: LoadRun,
    stored: StoredInjection,
    where: tuple[str, sa.Row[Any]],
    lists: tuple[MeasuredSources, MeasuredSources],
    options: MatchOptions,
) -> None:
    """Match detections with the sources of an image, and store both in place of what there was."""
    product, image = where
    projection = read_projection(Path(image.source_path))
    sources = stored.sources.take(
        projection.inside(*projection.to_pixel(stored.sources.ra, stored.sources.dec))
    )
    after, before = (one.take(one.significant(DETECTION_SNR)) for one in lists)
    tables = recovery_columns(sources, after, match(sources, after, before, options))
    key = {
        "injection_run_id": stored.injection_run_id,
        "product": product,
        "image_number": image.image_number,
    }
    with session.transaction() as connection:
        for name, columns in tables.items():
            rows = table(f"roman.{name}")
            mine = [rows.c[column] == value for column, value in key.items()]
            connection.execute(rows.delete().where(*mine))
            size = len(columns["ra" if name == "spurious_detection" else "injected_source_id"])
            copy_rows(
                connection, f"roman.{name}", columns | repeated(key | {"load_run_id": run.load_run_id}, size)
            )
        run.count(connection, loaded=1)


def refresh_efficiency(run: LoadRun, injection_run_id: int, product: str) -> None:
    """Count completeness and reliability anew."""
    rows = table("roman.detection_efficiency")
    values = {"injection_run_id": injection_run_id, "product": product}
    with session.transaction() as connection:
        mine = [rows.c[column] == value for column, value in values.items()]
        connection.execute(rows.delete().where(*mine))
        job = sqlfile.find("jobs", "detection_efficiency")
        sqlfile.run(connection, job, values | {"load_run_id": run.load_run_id})
