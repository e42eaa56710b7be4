"""Level-3 mosaics into the database: one file is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa
import structlog

from loaders.input_file import fingerprint
from loaders.mosaic.describe import MosaicDescription, PixelGrid, describe_mosaic
from loaders.rejection import Rejected, unexpected
from roman_db import session
from roman_db.bulk import copy_rows, upsert_rows
from roman_db.load_run import Counts, InputFile, LoadRun, load_run
from roman_db.schema.metadata import table

log = structlog.get_logger()

#: Columns of ``roman.mosaic`` that a description has under their names.
_COLUMNS = (
    "set_name", "optical_element", "file_date", "time_first_mjd_tdb", "time_last_mjd_tdb",
    "time_mean_mjd_tdb", "exposure_time", "n_exposure", "pixfrac", "fraction_usable", "footprint",
)  # fmt: skip

_NEAR = """
SELECT sky_cell_id, name, ra, dec, orientat, pixel_scale, n_x, n_y FROM roman.sky_cell
WHERE q3c_radial_query(ra, dec, CAST(:ra AS float8), CAST(:dec AS float8), CAST(:radius AS float8))
ORDER BY sky_cell_id
"""


def load_mosaics(paths: Sequence[Path], replace: bool, progress: Callable[[int], None]) -> Counts:
    """Register Level-3 files; what can't be used is recorded and leaves the others alone.

    Parameters
    ----------
    paths
        Files.
    replace
        Let an older version of a mosaic take the place of a newer one; a newer one does so by itself.
    progress
        Told after every file how many are done.
    """
    arguments = {"files": [str(path) for path in paths], "replace": replace}
    with load_run("load mosaic", arguments, len(paths)) as run:
        for done, path in enumerate(paths, 1):
            _store_or_reject(run, path, replace)
            progress(done)
        return run.counts()


def _store_or_reject(run: LoadRun, path: Path, replace: bool) -> None:
    """Store a mosaic, or record why not."""
    try:
        if path.is_dir():
            raise _refused_folder(path)
        mosaic = describe_mosaic(path)
        with session.transaction() as connection:
            _store(connection, run, mosaic, replace)
    except Rejected as rejected:
        refused = rejected
    except sa.exc.OperationalError:
        raise  # the server is at fault, not the file
    except Exception as error:  # noqa: BLE001 - a fault of ours costs this file, not the others
        refused = unexpected(path, error)
    else:
        return
    with session.transaction() as connection:
        run.record_inputs(connection, [InputFile("mosaic", str(path.absolute()), *fingerprint(path))])
        run.reject(connection, refused)


def _refused_folder(path: Path) -> Rejected:
    """Say why a folder gave no file."""
    what = "no file in this folder is named *_coadd.asdf"
    return Rejected(str(path), what, "Name the files, or another folder", "missing_file")


def _store(connection: sa.Connection, run: LoadRun, mosaic: MosaicDescription, replace: bool) -> None:
    """Store a mosaic with its grid; one that is there already changes nothing."""
    _check_element(connection, mosaic)
    connection.execute(sa.text("LOCK TABLE roman.sky_cell IN SHARE ROW EXCLUSIVE MODE"))
    file = InputFile("mosaic", str(mosaic.path), mosaic.sha256, mosaic.size_bytes)
    if (file_id := _stored_file(connection, mosaic)) is not None:
        log.info("already loaded", file=mosaic.path.name)
        run.record_inputs(connection, [InputFile(**asdict(file) | {"file_id": file_id})])
        run.count(connection, loaded=1, unchanged=1)
        return
    cell = _cell_of(connection, run, mosaic)
    _supersede(connection, mosaic, cell, replace)
    file_id = run.register_file(connection, file)
    own = {"sky_cell_id": cell, "file_id": file_id, "load_run_id": run.load_run_id}
    row = {name: getattr(mosaic, name) for name in _COLUMNS} | own
    copy_rows(connection, "roman.mosaic", {name: [value] for name, value in row.items()})
    run.count(connection, loaded=1)


def _check_element(connection: sa.Connection, mosaic: MosaicDescription) -> None:
    """Refuse an optical element that is none of those registered."""
    elements = table("roman.optical_element").c
    query = sa.select(elements.optical_element).where(elements.kind != "external")
    known = list(connection.execute(query).scalars())
    if mosaic.optical_element not in known:
        what = f"optical element {mosaic.optical_element} is none of {', '.join(sorted(known))}"
        raise Rejected(str(mosaic.path), what, "Correct meta.instrument", "unknown_optical_element")


def _stored_file(connection: sa.Connection, mosaic: MosaicDescription) -> int | None:
    """Find this very file among the current mosaics; where it lies now is noted.

    Raises
    ------
    Rejected
        If a current mosaic of another name has its content.
    """
    files, mosaics = table("ops.input_file"), table("roman.mosaic")
    query = (
        sa.select(files.c.file_id, files.c.filename)
        .join(mosaics, mosaics.c.file_id == files.c.file_id)
        .where(files.c.kind == "mosaic", files.c.sha256 == mosaic.sha256, mosaics.c.superseded_at.is_(None))
    )
    stored = connection.execute(query).first()
    if stored is None:
        return None
    if stored.filename != mosaic.path.name:
        what = f"has the same content as {stored.filename}, which is loaded"
        raise Rejected(str(mosaic.path), what, "Remove one of the two files", "duplicate_content")
    moved = files.update().where(files.c.file_id == stored.file_id)
    connection.execute(moved.values(path=str(mosaic.path)))
    return int(stored.file_id)


def _cell_of(connection: sa.Connection, run: LoadRun, mosaic: MosaicDescription) -> int:
    """Grid of a mosaic: one that is registered, or a new one."""
    grid = mosaic.grid
    near = {"ra": grid.ra, "dec": grid.dec, "radius": grid.pixel_scale / 3600}
    for sky_cell_id, *columns in connection.execute(sa.text(_NEAR), near):
        if grid.is_same(PixelGrid(*columns)):
            return int(sky_cell_id)
    cells = table("roman.sky_cell")
    new = sa.select(sa.func.nextval(sa.func.pg_get_serial_sequence("roman.sky_cell", "sky_cell_id")))
    cell = int(connection.execute(new).scalar_one())
    row = asdict(grid) | {"sky_cell_id": cell, "footprint": mosaic.footprint, "load_run_id": run.load_run_id}
    upsert_rows(connection, cells.fullname, {name: [value] for name, value in row.items()})
    return cell


def _supersede(connection: sa.Connection, mosaic: MosaicDescription, cell: int, replace: bool) -> None:
    """Let a mosaic take the place of an older version of it.

    Raises
    ------
    Rejected
        If the one that is there is newer by its ``file_date``, and may not be replaced.
    """
    mosaics, files = table("roman.mosaic"), table("ops.input_file")
    same = sa.and_(
        mosaics.c.sky_cell_id == cell,
        mosaics.c.set_name == mosaic.set_name,
        mosaics.c.optical_element == mosaic.optical_element,
        mosaics.c.superseded_at.is_(None),
    )
    old = connection.execute(sa.select(mosaics.c.file_id, mosaics.c.file_date).where(same)).first()
    if old is None:
        return
    if old.file_date > mosaic.file_date and not replace:
        what = f"was made at {mosaic.file_date:%Y-%m-%d %H:%M}, before the version of it that is loaded"
        remedy = "Load the newest version, or go back to this one with --replace"
        raise Rejected(str(mosaic.path), what, remedy, "older_version")
    connection.execute(mosaics.update().where(same).values(superseded_at=sa.func.now()))
    gone = files.update().where(files.c.file_id == old.file_id)
    connection.execute(gone.values(superseded_at=sa.func.now()))


def expand(paths: Iterable[Path]) -> list[Path]:
    """Files as given, and the mosaics (``*_coadd.asdf``) of folders in order of their names.

    A folder without any stands for itself, to be refused.
    """
    found: list[Path] = []
    for path in paths:
        found += sorted(path.glob("*_coadd.asdf")) or [path] if path.is_dir() else [path]
    return found
