"""Refined photometry in the database: the events of a detector measured in its exposures, and stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.astrometry.load import StoredExposure, read_exposures, read_stars
from loaders.astrometry.stars import CatalogStars, julian_year
from loaders.light_curve.block import NONE, BlockKey, Epochs
from loaders.light_curve.load import BlockContext, NewBlock, current_blocks, write_blocks
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.psf.load import psf_for
from loaders.refined_photometry.cutouts import (
    CutLot,
    Piece,
    SceneCatalog,
    assembled,
    cut_file,
    joined,
    scene_of,
    set_lot,
)
from loaders.refined_photometry.events import EventObject, objects_of
from loaders.refined_photometry.exposures import Cutouts, IntArray, SceneStars
from loaders.refined_photometry.options import RefineOptions
from loaders.refined_photometry.refine import (
    RefinedEvent,
    RefineJob,
    Status,
    close_neighbours,
    refine_job,
)
from loaders.refined_photometry.rows import MeasuredObjects, block_photometry, lay_out, row_of
from loaders.rejection import Rejected
from loaders.stored_curve.preferred import REFINED
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.parallel import side_by_side
from roman_db.schema.metadata import table
from roman_db.settings import settings

_ELEMENTS = """
SELECT exposure_id, optical_element FROM roman.exposure
WHERE exposure_id = ANY(CAST(:exposure_id AS bigint[])) ORDER BY midpoint_mjd_tdb, exposure_id
"""

_SUPERSEDE = """
UPDATE roman.event_refinement SET superseded_at = now()
WHERE event_id = CAST(:event_id AS bigint) AND season = CAST(:season AS smallint) AND superseded_at IS NULL
  AND (detector IS NULL OR (field_id, detector) = (CAST(:field_id AS integer), CAST(:detector AS text)))
"""

_SUMMARY = """
SELECT r.status, count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY r.ra_err) AS err
FROM roman.event_refinement AS r JOIN roman.event AS e USING (event_id)
WHERE r.superseded_at IS NULL AND r.season = CAST(:season AS smallint)
  AND e.photometry_kind = CAST(:photometry_kind AS text)
GROUP BY r.status ORDER BY n DESC, r.status
"""


def asked(given: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """What the queries of events want to know."""
    return {name: given[name] for name in ("season", "photometry_kind", "from_mjd", "to_mjd", *more)}


def refine_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Refine the events of a detector, and store light curves and a row for each."""
    given: dict[str, Any] = dict(unit.arguments)
    if "unseen" in given:
        _store_unseen(run, given)
        return
    with session.reading() as connection:
        events = _events(connection, given)
        elements = exposures_by_element(connection, given["exposure_id"])
    total, done, found = len(given["exposure_id"]), 0, {}
    for element, exposures in elements.items():
        step = Step(progress, unit.name, done, total)
        lot = SceneLot(given["detector"], [event.target.object_id for event in events])
        found[element] = cut_element(element, exposures, lot, run, step)
        done += len(exposures)
    refined = _refine(found, events, given, Step(progress, f"{unit.name}, events", 0, len(events)))
    _store(run, given, found, events, refined)


@dataclass(frozen=True)
class Step:
    """Tells how far a unit is: ``before`` of ``total`` inputs were done when this part of it began."""

    progress: Progress
    name: str
    before: int
    total: int

    def __call__(self, done: int) -> None:
        """Tell that so many more are done."""
        self.progress(self.name, self.before + done, self.total)


def _events(connection: sa.Connection, given: Mapping[str, Any]) -> list[EventObject]:
    """The objects with events on a detector."""
    query, which = sqlfile.find("jobs", "refinement_event"), asked(given, "field_id", "detector")
    rows = sqlfile.run(connection, query, which).all()
    models = [row.event_model_id for row in rows if row.event_model_id is not None]
    values = {"event_model_id": _array(models)}
    return objects_of(rows, sqlfile.run(connection, sqlfile.find("jobs", "refinement_model"), values).all())


def _array(numbers: Iterable[int]) -> str:
    """Numbers as an array of the server."""
    return "{" + ",".join(map(str, numbers)) + "}"


def exposures_by_element(
    connection: sa.Connection, exposure_id: Sequence[int]
) -> dict[str, list[StoredExposure]]:
    """Exposures by optical element, in order of time."""
    rows = connection.execute(sa.text(_ELEMENTS), {"exposure_id": list(exposure_id)}).all()
    stored = {one.exposure_id: one for one in read_exposures(connection, exposure_id)}
    out: dict[str, list[StoredExposure]] = {}
    for row in rows:
        out.setdefault(row.optical_element, []).append(stored[row.exposure_id])
    return out


@dataclass(frozen=True)
class SceneLot:
    """Objects whose scenes are cut out of exposures of a detector, and how far these reach."""

    detector: str
    object_id: Sequence[int]
    options: RefineOptions = field(default_factory=RefineOptions)


@dataclass(frozen=True)
class CutElement:
    """What was cut out of the exposures of an optical element.

    ``scenes``, ``cutouts`` and ``epochs`` (which exposures these are of) have an entry for each object;
    exposures whose files could not be read are not among ``exposures``; ``psf_model_id`` are their PSFs,
    `NONE` where the library has none and that of the optics serves.
    """

    stars: CatalogStars
    exposures: list[StoredExposure]
    psf_model_id: list[int]
    scenes: list[SceneCatalog | None]
    cutouts: list[Cutouts | None]
    epochs: list[IntArray]


def cut_element(
    element: str, exposures: Sequence[StoredExposure], lot: SceneLot, run: LoadRun, step: Step
) -> CutElement:
    """Cut the scenes of objects out of the exposures of an element, day by day; files may be refused."""
    stars = read_stars(element, exposures)
    row = {int(number): k for k, number in enumerate(stars.object_id)}
    at = [row.get(number) for number in lot.object_id]
    scenes = [None if k is None else scene_of(stars, k, lot.options) for k in at]
    known = [scene for scene in scenes if scene is not None]
    kept: list[StoredExposure] = []
    psf_ids: list[int] = []
    parts: list[list[Cutouts]] = [[] for _ in scenes]
    epochs: list[list[int]] = [[] for _ in scenes]
    places = [k for k, scene in enumerate(scenes) if scene is not None]
    for day, several in groupby(exposures, key=lambda exposure: exposure.day_mjd):
        of_day = _present(list(several), run)
        if not of_day:
            continue
        with session.reading() as connection:
            serving = psf_for(connection, lot.detector, element, day + 0.5)
        of_step = replace(step, before=step.before + len(kept))
        read, pieces = _cut_day(of_day, CutLot(serving.psf, known, lot.options), run, of_step)
        for number, k in enumerate(places):
            mine = [(e, piece[number]) for e, piece in enumerate(pieces) if piece[number] is not None]
            if mine:
                bjd = np.array([read[e].midpoint_bjd_tdb for e, _ in mine])
                parts[k].append(assembled([piece for _, piece in mine if piece], serving.psf, bjd))
                epochs[k] += [len(kept) + e for e, _ in mine]
        kept += read
        psf_ids += [NONE if serving.psf_model_id is None else serving.psf_model_id] * len(read)
    cutouts = [joined(part) if part else None for part in parts]
    return CutElement(stars, kept, psf_ids, scenes, cutouts, [np.array(one, np.int64) for one in epochs])


def _present(exposures: list[StoredExposure], run: LoadRun) -> list[StoredExposure]:
    """Those exposures whose files are there; the others are refused."""
    remedy = "Bring the file back, or load it from where it is now: roman-db load exposure FILE"
    present = [exposure for exposure in exposures if exposure.path.is_file()]
    for exposure in exposures:
        if exposure not in present:
            with session.transaction() as connection:
                run.reject(connection, Rejected(str(exposure.path), "is not there", remedy, "missing_file"))
    return present


def _cut_day(
    exposures: Sequence[StoredExposure], lot: CutLot, run: LoadRun, step: Step
) -> tuple[list[StoredExposure], list[list[Piece | None]]]:
    """Cut the exposures of a day, side by side; those whose files can't be used are refused."""
    read, pieces = [], []
    for exposure, outcome in zip(exposures, _cut_side_by_side(exposures, lot), strict=True):
        if isinstance(outcome, Rejected):
            with session.transaction() as connection:
                run.reject(connection, outcome)
        else:
            read.append(exposure)
            pieces.append(outcome)
        step(len(read))
    return read, pieces


def _cut_side_by_side(
    exposures: Sequence[StoredExposure], lot: CutLot
) -> Iterator[list[Piece | None] | Rejected]:
    files = [(exposure.file, exposure.exposure_id) for exposure in exposures]
    workers, module = min(settings().workers, len(files)), "loaders.refined_photometry.cutouts"
    with side_by_side(workers, module, set_lot, (lot,)) as mapped:
        yield from mapped(cut_file, files)


def _refine(
    found: Mapping[str, CutElement], events: Sequence[EventObject], given: Mapping[str, Any], step: Step
) -> list[RefinedEvent]:
    """Refine all events, side by side."""
    with session.reading() as connection:
        jobs = [_job(connection, found, k, event, given) for k, event in enumerate(events)]
    refined = []
    workers = min(settings().workers, len(jobs))
    with side_by_side(workers, "loaders.refined_photometry.refine") as mapped:
        for done, one in enumerate(mapped(refine_job, jobs), 1):
            refined.append(one)
            step(done)
    return refined


def _job(
    connection: sa.Connection,
    found: Mapping[str, CutElement],
    k: int,
    event: EventObject,
    given: Mapping[str, Any],
) -> RefineJob | Status:
    """What is to be known to refine an event; or why it can't be."""
    shown = []
    for name, element in found.items():
        scene, cutouts = element.scenes[k], element.cutouts[k]
        if scene is not None and cutouts is not None:
            epoch = julian_year(float(np.mean([one.midpoint_mjd_tdb for one in element.exposures])))
            stars = scene_stars(connection, scene, given, epoch)
            shown.append((name, cutouts, stars, event.course(name, cutouts.bjd)))
            near = close_neighbours(*scene.offsets(), stars)
    if not shown:
        return Status.NO_EXPOSURE
    courses = {name: course for name, _, _, course in shown if course is not None}
    if len(courses) < len(shown):
        return Status.NO_MODEL
    pixels, stars_of = ({one[0]: one[1] for one in shown}, {one[0]: one[2] for one in shown})
    return RefineJob(pixels, stars_of, courses, near)


def scene_stars(
    connection: sa.Connection, scene: SceneCatalog, given: Mapping[str, Any], epoch: float
) -> SceneStars:
    """What is known of the stars of a scene."""
    which = {name: given[name] for name in ("season", "photometry_kind")}
    values = which | {"object_id": _array(scene.objects), "julian_year": epoch}
    rows = sqlfile.run(connection, sqlfile.find("jobs", "refinement_star"), values)
    return scene.known(rows.all())


def _store(
    run: LoadRun,
    given: Mapping[str, Any],
    found: Mapping[str, CutElement],
    events: Sequence[EventObject],
    refined: Sequence[RefinedEvent],
) -> None:
    """Store blocks, rows and counts in one transaction."""
    with session.transaction() as connection:
        for name, element in found.items():
            scenes = [scene.objects if scene else np.empty(0, np.int64) for scene in element.scenes]
            epochs = [{name: at} for at in element.epochs]
            told = list(zip(refined, scenes, epochs, strict=True))
            objects = lay_out(told, name, len(element.exposures))
            _write_element(connection, run, given, name, element, objects)
        for k, (event, one) in enumerate(zip(events, refined, strict=True)):
            main = found[one.element].cutouts[k] if one.element else None
            _store_rows(connection, run, given, event, row_of(event.target, one, main))
        run.count(connection, loaded=sum(len(element.exposures) for element in found.values()))


def _write_element(
    connection: sa.Connection,
    run: LoadRun,
    given: Mapping[str, Any],
    name: str,
    element: CutElement,
    objects: MeasuredObjects,
) -> None:
    """Store the blocks of an optical element, one a day, in place of those that hold its exposures."""
    blocks = []
    numbered = enumerate(element.exposures)
    for day, several in groupby(numbered, key=lambda pair: pair[1].day_mjd):
        of_day = [number for number, _ in several]
        key = BlockKey(given["field_id"], given["detector"], name, REFINED, day, day + 1)
        some = objects.of_epochs(np.array(of_day))
        if some.object_id.size:
            flux = element.stars.flux[np.searchsorted(element.stars.object_id, some.object_id)]
            blocks.append(NewBlock(key, _epochs(element, of_day), partial(block_photometry, some, flux)))
    if blocks:
        context = BlockContext(run.load_run_id, element.stars.catalog_version_id, EXCLUDING_FLAGS)
        write_blocks(connection, blocks, context, _withdrawn(connection, blocks))


def _withdrawn(connection: sa.Connection, blocks: Sequence[NewBlock]) -> list[int]:
    """Exposures that blocks to be replaced hold and the new ones do not."""
    new = np.concatenate([block.epochs.exposure_id for block in blocks])
    old = {one for block in current_blocks(connection, REFINED, new) for one in block.exposure_id}
    return sorted(old - set(new.tolist()))


def _epochs(element: CutElement, chosen: Sequence[int]) -> Epochs:
    """Some of the exposures, and what they were measured from."""
    exposures = [element.exposures[k] for k in chosen]
    return Epochs(
        np.array([exposure.exposure_id for exposure in exposures], np.int64),
        np.array([exposure.midpoint_mjd_tdb for exposure in exposures], np.float64),
        np.array([exposure.midpoint_bjd_tdb for exposure in exposures], np.float64),
        np.array([exposure.file_id for exposure in exposures], np.int64),
        np.array([element.psf_model_id[k] for k in chosen], np.int64),
    )


def _store_rows(
    connection: sa.Connection,
    run: LoadRun,
    given: Mapping[str, Any],
    event: EventObject,
    row: Mapping[str, Any],
) -> None:
    """Store what became of the events of an object in place of what was said before."""
    rows = table("roman.event_refinement")
    names = ("season", "field_id", "detector")
    for event_id in event.event_id:
        key = {name: given[name] for name in names} | {"event_id": event_id}
        connection.execute(sa.text(_SUPERSEDE), key)
        more = {"object_id": event.target.object_id, "load_run_id": run.load_run_id}
        model = {"event_model_id": event.model.event_model_id if event.model else None}
        connection.execute(rows.insert(), dict(row) | key | more | model)


def _store_unseen(run: LoadRun, given: Mapping[str, Any]) -> None:
    """Say of events that no exposure shows them."""
    values = {"season": given["season"], "status": str(Status.NO_EXPOSURE), "n_exposure": 0}
    rows, events = table("roman.event_refinement"), table("roman.event")
    with session.transaction() as connection:
        query = sa.select(events.c.event_id, events.c.object_id).where(events.c.event_id.in_(given["unseen"]))
        for event_id, object_id in connection.execute(query).all():
            more = {"event_id": event_id, "object_id": object_id, "load_run_id": run.load_run_id}
            connection.execute(rows.insert(), values | more)
        run.count(connection, loaded=1)


def summary_of_refinement(season: int, photometry_kind: str) -> Iterator[str]:
    """Say how many events of a season were refined, and how well the place of the usual one is known."""
    values = {"season": season, "photometry_kind": photometry_kind}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_SUMMARY), values).all()
    if not rows:
        return
    counts = ", ".join(f"{row.n:,} {row.status}" for row in rows)
    best = next((row for row in rows if row.status == Status.FITTED and row.err is not None), None)
    yield f"Refined photometry: {counts}{f'; median error {best.err:.2f} mas' if best else ''}."
