"""Exposures into the database: one file is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa
import structlog

from loaders.input_file import fingerprint, unreadable
from loaders.rejection import Rejected, unexpected
from loaders.wfi.describe import ExposureDescription, describe_exposure
from loaders.wfi.known import check_known
from loaders.wfi.metadata import archive_columns
from roman_db import session
from roman_db.bulk import upsert_rows
from roman_db.load_run import Counts, InputFile, LoadRun, load_run
from roman_db.parallel import side_by_side
from roman_db.schema.metadata import table
from roman_db.schema.model import read_tables
from roman_db.settings import settings

log = structlog.get_logger()

#: What storing one exposure may raise by its content; all else, such as a server that is gone, ends the run.
_FAULTS_OF_ONE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    sa.exc.DataError,
    sa.exc.IntegrityError,
)

#: Radius (deg) of a field that is registered from its first exposure.
NEW_FIELD_RADIUS = 0.2


def load_exposures(paths: Sequence[Path], replace: bool, progress: Callable[[int], None]) -> Counts:
    """Load Level-2 files; what can't be loaded is recorded and leaves the others alone.

    Parameters
    ----------
    replace
        Let a file whose content has changed, or an earlier version, take the place of the one that is loaded.
    progress
        Told after every file how many are done.
    """
    arguments = {"files": [str(path) for path in paths], "replace": replace}
    with load_run("load exposure", arguments, len(paths)) as run:
        for done, given in enumerate(_describe_all(paths), 1):
            _store_or_reject(run, given, replace)
            progress(done)
        return run.counts()


@dataclass(frozen=True)
class _Given:
    """A file that was given, and what is to be stored of it or why it is refused."""

    file: InputFile
    outcome: ExposureDescription | Rejected


def _describe_all(paths: Sequence[Path]) -> Iterator[_Given]:
    """Describe the files side by side, in order."""
    workers = min(settings().workers, len(paths))
    with side_by_side(workers, __name__) as of_each:
        yield from of_each(_examine, paths)


def _examine(path: Path) -> _Given:
    """Describe a file, with its checksum also where it is refused."""
    outcome = _describe(path)
    found = fingerprint(path) if isinstance(outcome, Rejected) else (outcome.sha256, outcome.size_bytes)
    return _Given(InputFile("exposure", str(path.absolute()), *found), outcome)


def _describe(path: Path) -> ExposureDescription | Rejected:
    """Describe a file, or say why it can't be."""
    try:
        if path.is_dir():
            return _refused_folder(path)
        return describe_exposure(path)
    except Rejected as rejected:
        return rejected
    except OSError as error:
        return unreadable(path, error)
    except Exception as error:  # noqa: BLE001 - a fault of ours costs this file, not the others
        return unexpected(path, error)


def _refused_folder(path: Path) -> Rejected:
    """Say why a folder gave no file: none has the name, or it cannot be listed (an OSError)."""
    list(path.iterdir())
    what = "no file in this folder is named *_cal.asdf"
    return Rejected(str(path), what, "Name the files, or another folder", "missing_file")


def _store_or_reject(run: LoadRun, given: _Given, replace: bool) -> None:
    """Store an exposure, or record why not."""
    outcome = given.outcome
    if not isinstance(outcome, Rejected):
        try:
            with session.transaction() as connection:
                _store(connection, run, outcome, replace)
        except Rejected as rejected:
            outcome = rejected
        except _FAULTS_OF_ONE as error:
            outcome = unexpected(given.file.path, error)
        else:
            return
    with session.transaction() as connection:
        run.record_inputs(connection, [given.file])
        run.reject(connection, outcome)


def _store(connection: sa.Connection, run: LoadRun, exposure: ExposureDescription, replace: bool) -> None:
    """Store an exposure with its visit, program and field; a file that is there already changes nothing."""
    check_known(exposure.metadata, *_known_instruments(connection))
    _take_turns(connection, exposure)
    if (file_id := _stored_file(connection, exposure, replace)) is not None:
        log.info("already loaded", file=exposure.path.name)
        run.record_inputs(connection, [_input_file(exposure, file_id)])
        run.count(connection, loaded=1, unchanged=1)
        return
    _check_identity(connection, exposure, replace)
    file_id = run.register_file(connection, _input_file(exposure))
    columns = archive_columns(exposure.metadata) | {"load_run_id": run.load_run_id}
    _insert_missing(connection, "roman.program", columns)
    _insert_missing(connection, "roman.visit", columns)
    row = _exposure_row(exposure, columns) | {
        "field_id": _field_of(connection, exposure),
        "file_id": file_id,
    }
    upsert_rows(connection, "roman.exposure", {name: [value] for name, value in row.items()})
    run.count(connection, loaded=1)


def _take_turns(connection: sa.Connection, exposure: ExposureDescription) -> None:
    """Wait until no other transaction stores this exposure, so that each finds what the other has stored."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(exposure.exposure_id)))


def _known_instruments(connection: sa.Connection) -> tuple[set[str], set[str]]:
    """Registered detectors and optical elements."""
    detectors, elements = table("roman.detector"), table("roman.optical_element")
    return (
        set(connection.execute(sa.select(detectors.c.detector)).scalars()),
        set(
            connection.execute(
                sa.select(elements.c.optical_element).where(elements.c.kind != "external")
            ).scalars()
        ),
    )


def _input_file(exposure: ExposureDescription, file_id: int | None = None) -> InputFile:
    """File of an exposure, as the run records it."""
    return InputFile("exposure", str(exposure.path), exposure.sha256, exposure.size_bytes, file_id)


def _stored_file(connection: sa.Connection, exposure: ExposureDescription, replace: bool) -> int | None:
    """Find this very file, if it is loaded; where it lies now is noted. An earlier version may come back.

    Raises
    ------
    Rejected
        If the content is loaded under another name, or was superseded and may not replace what is there.
    """
    files = table("ops.input_file")
    query = sa.select(files.c.file_id, files.c.filename, files.c.superseded_at).where(
        files.c.kind == "exposure", files.c.sha256 == exposure.sha256
    )
    stored = connection.execute(query).first()
    if stored is None:
        return None
    if stored.filename != exposure.path.name:
        what = f"has the same content as {stored.filename}, which is loaded"
        raise Rejected(str(exposure.path), what, "Remove one of the two files", "duplicate_content")
    if stored.superseded_at is not None:
        if replace:
            return None
        what = f"is an older version, replaced at {stored.superseded_at:%Y-%m-%d %H:%M} UTC"
        remedy = "Load the newest version, or go back to this one with --replace"
        raise Rejected(str(exposure.path), what, remedy, "superseded_content")
    moved = files.update().where(files.c.kind == "exposure", files.c.sha256 == exposure.sha256)
    connection.execute(moved.values(path=str(exposure.path)))
    return int(stored.file_id)


def _check_identity(connection: sa.Connection, exposure: ExposureDescription, replace: bool) -> None:
    """Refuse an exposure whose place is taken, unless it may replace what is there."""
    exposures, files = table("roman.exposure"), table("ops.input_file")
    metadata = exposure.metadata
    same = sa.and_(
        exposures.c.visit_id == metadata.visit_id,
        exposures.c.exposure == metadata.exposure,
        exposures.c.detector == metadata.detector,
        exposures.c.optical_element == metadata.optical_element,
    )
    query = sa.select(exposures.c.exposure_id, files.c.filename, files.c.file_id, same.label("same")).join(
        files, files.c.file_id == exposures.c.file_id
    )
    taken = connection.execute(
        query.where(sa.or_(exposures.c.exposure_id == exposure.exposure_id, same))
    ).all()
    for row in taken:
        if not row.same or row.exposure_id != exposure.exposure_id:
            what = (
                f"begins with the same detector at the same time as {row.filename}"
                if not row.same
                else (
                    f"is the same visit, exposure and detector as {row.filename}, but begins at another time"
                )
            )
            raise Rejected(str(exposure.path), what, "Correct its keywords", "exposure_taken")
        if not replace:
            what = f"differs from {row.filename}, which was loaded for this exposure"
            remedy = "Load it with --replace if it is the better version"
            raise Rejected(str(exposure.path), what, remedy, "changed_content")
        statement = files.update().where(files.c.file_id == row.file_id)
        connection.execute(statement.values(superseded_at=sa.func.now()))


def _insert_missing(connection: sa.Connection, name: str, values: dict[str, object]) -> None:
    """Insert a row made of those of the values that the table has columns for, unless it is there."""
    target = table(name)
    row = {column.name: values[column.name] for column in target.columns}
    statement = sa.dialects.postgresql.insert(target).on_conflict_do_nothing()
    connection.execute(statement, row)


@cache
def _archived() -> tuple[str, ...]:
    """Columns of ``roman.exposure`` that the archive has, too."""
    columns = read_tables()["roman.exposure"].columns
    return tuple(column.name for column in columns if column.archive)


def _exposure_row(exposure: ExposureDescription, columns: dict[str, object]) -> dict[str, object]:
    """Row of ``roman.exposure`` without field and file."""
    quality = exposure.quality
    return {name: columns[name] for name in _archived()} | {
        "exposure_id": exposure.exposure_id,
        "ra": exposure.center[0],
        "dec": exposure.center[1],
        "footprint": exposure.footprint,
        "midpoint_mjd_utc": exposure.midpoint_mjd_utc,
        "midpoint_mjd_tdb": exposure.midpoint_mjd_tdb,
        "midpoint_bjd_tdb": exposure.midpoint_bjd_tdb,
        "observatory_source": exposure.observatory_source,
        "day_mjd": exposure.day_mjd,
        "n_y": exposure.shape[0],
        "n_x": exposure.shape[1],
        "njy_per_unit": exposure.njy_per_unit,
        "fraction_usable": quality.fraction_usable,
        "fraction_saturated": quality.fraction_saturated,
        "median_background": quality.median_background,
        "background_noise": quality.background_noise,
        "load_run_id": columns["load_run_id"],
    }


def _field_of(connection: sa.Connection, exposure: ExposureDescription) -> int:
    """Nearest field whose radius holds the pointing; a new one is registered where there is none."""
    ra, dec = exposure.pointing
    nearest = sa.text(
        "SELECT field_id FROM roman.field WHERE q3c_dist(ra, dec, :ra, :dec) < radius "
        "ORDER BY q3c_dist(ra, dec, :ra, :dec) LIMIT 1"
    )
    connection.execute(sa.text("LOCK TABLE roman.field IN SHARE ROW EXCLUSIVE MODE"))
    found = connection.execute(nearest, {"ra": ra, "dec": dec}).scalar()
    if found is not None:
        return int(found)
    fields = table("roman.field")
    row = {"name": f"J{ra:08.4f}{dec:+08.4f}", "ra": ra, "dec": dec, "radius": NEW_FIELD_RADIUS}
    log.info("new field", **row)
    return int(connection.execute(fields.insert().returning(fields.c.field_id), row).scalar_one())


def expand(paths: Iterable[Path]) -> list[Path]:
    """Files as given, and the Level-2 files (``*_cal.asdf``) of folders in order of their names.

    A folder without any, or that cannot be listed, stands for itself, to be refused.
    """
    found: list[Path] = []
    for path in paths:
        found += _level2_files(path) or [path]
    return found


def _level2_files(folder: Path) -> list[Path]:
    """Level-2 files of a folder; none if it is none or cannot be listed."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith("_cal.asdf"))
    except OSError:
        return []
