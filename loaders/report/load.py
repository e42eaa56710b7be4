"""Report pages from the database: what a run and a reference image came to, read, drawn and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from loaders.daily.load import summarise_run
from loaders.detection.load import read_known
from loaders.difference.far_pixels import far_pixels, of_changes
from loaders.difference.load import of_variables, subtract_reference
from loaders.difference.sources import significance_image
from loaders.reference.frame import ReferenceFrame
from loaders.reference.load import open_reference
from loaders.reference.product import StoredReference, read_coverage
from loaders.rejection import Rejected
from loaders.report import statements
from loaders.report.attention import of_image, of_run
from loaders.report.drawing import draw_reference, draw_small
from loaders.report.facts import (
    ChangeFacts,
    DifferenceFacts,
    DifferencePixels,
    ExposureFacts,
    HeldMetric,
    ImageFacts,
    PsfFacts,
    ReferenceFacts,
    ReferencePixels,
    SourceFacts,
)
from loaders.report.flag_counts import count_flags
from loaders.report.page import ImageSummary, reference_file, reference_page, run_page, summary
from loaders.report.run_facts import (
    BlockFacts,
    CatalogFacts,
    FailedUnit,
    MetricFacts,
    RejectionFacts,
    RunFacts,
    TaskFacts,
)
from loaders.report_page.attention import Attention
from loaders.season_report.load import write_season
from roman_db import session
from roman_db.jobs import Progress
from roman_db.settings import settings

#: Modes of whose runs there are reports; those that describe light curves are in the second.
MODES = ("eight-day", "first-30-days", "season", "survey")
SEASONS = MODES[2:]

_T = TypeVar("_T")

_INDEX = "index.html"

#: Arguments of a run that were asked for; the others follow from them.
_ASKED = (
    *("survey", "season", "photometry_kind", "images", "moved_limit", "moved_share"),
    *("detector", "optical_element", "unfinished", "redo"),
)


def write_run_report(load_run_id: int | None, progress: Progress) -> Path:
    """Write the pages of a run, of the images that it made, searched or compared, and of a season's events.

    Parameters
    ----------
    load_run_id
        The run; None for the latest of a mode that has reports.
    progress
        Told of each image, and of events.

    Returns
    -------
    Path
        Page of the run.

    Raises
    ------
    Rejected
        If there is no such run, or it is of another mode.
    """
    with session.reading() as connection:
        row = _chosen(connection, load_run_id)
        images = connection.execute(sa.text(statements.IMAGES), {"load_run_id": row.load_run_id}).all()
        run = _run(connection, row, sum(image.is_made for image in images))
    folder = _folder(run.load_run_id)
    attention, shown = list(of_run(run)), []
    for number, image in enumerate(images):
        progress(f"report reference {image.reference_image_id}", number, len(images))
        one, found = _write_reference(image.reference_image_id, folder, _INDEX)
        shown.append(one)
        attention += found
    season = None
    if run.mode in SEASONS:
        season, found = write_season(row.arguments, folder, progress)
        attention += found
    page = folder / _INDEX
    page.write_text(run_page(run, shown, attention, season), encoding="utf-8")
    return page


def write_reference_report(reference_image_id: int) -> Path:
    """Write the page of a reference image into the folder of the run that made it.

    Raises
    ------
    Rejected
        If there is no such image.
    """
    with session.reading() as connection:
        image, _ = _image(connection, reference_image_id)
    folder = _folder(image.load_run_id)
    index = _INDEX if (folder / _INDEX).exists() else None
    _write_reference(reference_image_id, folder, index)
    return folder / reference_file(reference_image_id)


def _folder(load_run_id: int) -> Path:
    """Folder of the pages of a run, made if it is not there."""
    folder = settings().product_folder / "report" / f"run{load_run_id}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_reference(
    reference_image_id: int, folder: Path, index: str | None
) -> tuple[ImageSummary, list[Attention]]:
    """Write the page of an image and its pictures; what is returned holds no pixels."""
    facts = read_facts(reference_image_id)
    attention = list(of_image(facts))
    pictures = draw_reference(facts, folder)
    page = folder / reference_file(reference_image_id)
    page.write_text(reference_page(facts, pictures, attention, index), encoding="utf-8")
    return summary(facts, draw_small(facts, folder)), attention


def _chosen(connection: sa.Connection, load_run_id: int | None) -> sa.Row[Any]:
    """Row of a run of a mode that has reports."""
    titles = [f"run {mode}" for mode in MODES]
    asked = {"load_run_id": load_run_id, "titles": titles}
    row = connection.execute(sa.text(statements.RUN), asked).one_or_none()
    modes = " or ".join(MODES)
    if row is None:
        where = "the runs" if load_run_id is None else f"run {load_run_id}"
        what = f"none is of the mode {modes}" if load_run_id is None else "there is no such run"
        raise Rejected(where, what, f"Run one first: roman-db run {MODES[0]}", "no_report")
    if row.task not in titles:
        what = f"it is '{row.task}', and reports are of the modes {modes}"
        raise Rejected(f"run {load_run_id}", what, "Name another, or none for the latest", "no_report")
    return row


def _run(connection: sa.Connection, row: sa.Row[Any], n_current: int) -> RunFacts:
    """What a run came to; ``n_current`` of the images that it made are listed."""
    own = {"load_run_id": row.load_run_id}
    made = int(connection.execute(sa.text(statements.MADE), own).scalar_one())

    def rows(statement: str) -> list[dict[str, Any]]:
        return [dict(one) for one in connection.execute(sa.text(statement), own).mappings()]

    names = ("load_run_id", "state", "started_at", "finished_at", "code_version", "n_expected", "n_loaded")
    return RunFacts(
        **{name: getattr(row, name) for name in (*names, "n_rejected", "message")},
        mode=row.task.removeprefix("run "),
        arguments={name: row.arguments[name] for name in _ASKED if name in row.arguments},
        tasks=[TaskFacts(**one) for one in rows(statements.TASKS)],
        failed=[FailedUnit(**one) for one in rows(statements.FAILED)],
        rejections=[RejectionFacts(**one) for one in rows(statements.REJECTIONS)],
        catalogs=[CatalogFacts(**one) for one in rows(statements.CATALOGS)],
        blocks=[BlockFacts(**one) for one in rows(statements.BLOCKS)],
        metrics=_metrics(row.load_run_id),
        n_replaced=made - n_current,
    )


def _metrics(load_run_id: int) -> list[MetricFacts]:
    """Quality of what a run wrote."""
    names = [field.name for field in fields(MetricFacts)]
    return [
        MetricFacts(**{name: getattr(metric, name) for name in names})
        for metric in summarise_run(load_run_id).metrics
    ]


def read_facts(reference_image_id: int) -> ReferenceFacts:
    """Read all that the page of a reference image shows; what cannot be read is left out, and noted.

    Raises
    ------
    Rejected
        If there is no such image.
    """
    notes: list[str] = []
    with session.reading() as connection:
        image, frame = _image(connection, reference_image_id)
        exposures = _exposures(connection, reference_image_id)
        difference = _difference(connection, reference_image_id)
        asked = {"reference_image_id": reference_image_id}
        metrics = connection.execute(sa.text(statements.IMAGE_METRICS), asked).mappings().all()
    sources = _sources(image, frame)
    changes = None if difference is None else _changes(difference.difference_image_id)
    stored = _noting(notes, "its pixels are not shown", lambda: _open(reference_image_id))
    pixels = None if stored is None else _pixels(stored, Path(image.path))
    difference_pixels = None
    if stored is not None and difference is not None and changes is not None:
        before, found = difference.template_id, changes
        difference_pixels = _noting(
            notes, "its difference is not shown", lambda: _difference_pixels(stored, _open(before), found)
        )
    return ReferenceFacts(
        image,
        exposures,
        sources,
        [] if sources is None else count_flags(sources.flags),
        pixels,
        difference,
        changes,
        difference_pixels,
        _psf(reference_image_id),
        [HeldMetric(**metric) for metric in metrics],
        notes,
    )


def _noting(notes: list[str], what: str, read: Callable[[], _T]) -> _T | None:
    """Read something; if it cannot be read, note why."""
    try:
        return read()
    except Rejected as error:
        notes.append(f"{what}: {error.where}: {error.what}.")
        return None


def _image(connection: sa.Connection, reference_image_id: int) -> tuple[ImageFacts, ReferenceFrame]:
    """Row of an image, and its pixels on the sky."""
    asked = {"reference_image_id": reference_image_id}
    row = connection.execute(sa.text(statements.IMAGE), asked).mappings().one_or_none()
    if row is None:
        remedy = 'List them: roman-db query "SELECT reference_image_id, path FROM roman.reference_image"'
        where = f"reference image {reference_image_id}"
        raise Rejected(where, "the database has no such image", remedy, "no_report")
    values: dict[str, Any] = dict(row)
    matrix = np.array(values.pop("rotation_matrix"), dtype=np.float64).reshape(2, 2)
    facts = ImageFacts(**values)
    shape = (facts.n_y, facts.n_x)
    return facts, ReferenceFrame(facts.ra_ref, facts.dec_ref, matrix, shape, facts.oversampling)


def _exposures(connection: sa.Connection, reference_image_id: int) -> ExposureFacts:
    """Exposures of an image."""
    asked = {"reference_image_id": reference_image_id}
    rows = connection.execute(sa.text(statements.EXPOSURES), asked).all()

    def numbers(name: str) -> npt.NDArray[np.float64]:
        return np.array([getattr(row, name) for row in rows], dtype=np.float64)

    values = {name: numbers(name) for name in _NUMBERS}
    # Without an error the exposure was not compared with the others: what stands there is where it began.
    for name in ("east", "north", "scale"):
        values[name] = np.where(np.isfinite(values["east_err"]), values[name], np.nan)
    return ExposureFacts(
        name=np.array([Path(row.name).name for row in rows], dtype=object),
        refused=np.array([row.refused for row in rows], dtype=object),
        is_used=np.array([row.is_used for row in rows], dtype=bool),
        **values,
    )


_NUMBERS = ("time", "east", "north", "east_err", "north_err", "sky", "scale", "rejected")


def _difference(connection: sa.Connection, reference_image_id: int) -> DifferenceFacts | None:
    """Comparison with the image before, if there was one."""
    asked = {"reference_image_id": reference_image_id}
    row = connection.execute(sa.text(statements.DIFFERENCE), asked).mappings().one_or_none()
    return None if row is None else DifferenceFacts(**row)


def _columns(statement: str, identifier: int) -> dict[str, npt.NDArray[Any]]:
    """Columns of many rows as arrays; NaN where a number is unknown."""
    with session.arrow_connection() as connection, connection.cursor() as cursor:
        cursor.execute(statement, (identifier,))
        found = cursor.fetch_arrow_table()
    return {name: found[name].to_numpy(zero_copy_only=False) for name in found.column_names}


def _psf(reference_image_id: int) -> PsfFacts | None:
    """Shape of the PSF over an image; None of images that are older than what is stored of it."""
    columns = _columns(statements.PSF, reference_image_id)
    return PsfFacts(**columns) if columns["x"].size else None


def _sources(image: ImageFacts, frame: ReferenceFrame) -> SourceFacts | None:
    """Objects of an image; those that were not found are where the catalog has them, and as bright."""
    columns = {
        name: np.array(column)
        for name, column in _columns(statements.SOURCES, image.reference_image_id).items()
    }
    if columns["object_id"].size == 0:
        return None
    lost = np.flatnonzero(np.isin(columns["state"], ("merged", "missing")))
    if lost.size:
        _place_lost(columns, lost, image, frame)
    return SourceFacts(**columns)


def _place_lost(
    columns: Mapping[str, npt.NDArray[Any]],
    lost: npt.NDArray[np.int64],
    image: ImageFacts,
    frame: ReferenceFrame,
) -> None:
    """Fill in where objects that were not found should be."""
    known = read_known(frame, {name: getattr(image, name) for name in _KNOWN})
    row = np.searchsorted(known.object_id, columns["object_id"][lost])
    row = np.minimum(row, known.object_id.size - 1)
    same = known.object_id[row] == columns["object_id"][lost]
    for name in ("x", "y", "flux", "flux_err"):
        columns[name][lost[same]] = getattr(known, name)[row[same]]


_KNOWN = ("reference_image_id", "optical_element", "epoch_mjd_tdb")


def _changes(difference_image_id: int) -> ChangeFacts:
    """Sources of a difference."""
    return ChangeFacts(**_columns(statements.CHANGES, difference_image_id))


def _open(reference_image_id: int) -> StoredReference:
    with session.reading() as connection:
        return open_reference(connection, reference_image_id)


def _pixels(stored: StoredReference, path: Path) -> ReferencePixels:
    """Pixels of the file of an image."""
    return ReferencePixels(
        np.asarray(stored.image.data, dtype=np.float32),
        stored.image.usable,
        read_coverage(path),
        stored.psf.at(*stored.frame.middle),
        stored.psf.oversampling,
    )


def _difference_pixels(
    stored: StoredReference, before: StoredReference, changes: ChangeFacts
) -> DifferencePixels:
    """Compute the difference again: its pixels are not stored."""
    difference = subtract_reference(stored, before)
    with session.reading() as connection:
        varies = of_variables(connection, changes.object_id)
    changed = of_changes(difference, stored.psf, (changes.x, changes.y, changes.flux), changes.kind, varies)
    return DifferencePixels(
        significance_image(difference),
        difference.usable,
        difference.kernel,
        np.asarray(stored.image.data, dtype=np.float32),
        difference.model,
        difference.data,
        changed,
        far_pixels(difference, stored.frame.oversampling),
    )
