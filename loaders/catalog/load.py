"""Object catalogs into the database: one file is one transaction and one version of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
import structlog

from loaders.catalog.cells import cells
from loaders.catalog.check import check_rows
from loaders.catalog.duplicates import merge_duplicates
from loaders.catalog.given import CatalogInput, distinct_sources, refused_rows
from loaders.catalog.identity import free_ids, wanted_id
from loaders.catalog.mapping import (
    CatalogMapping,
    apply_mapping,
    check_mapping,
    magnitudes,
    needed_columns,
)
from loaders.catalog.mapping_file import read_mapping
from loaders.catalog.propagate import propagate
from loaders.catalog.read import open_catalog, read_chunks
from loaders.catalog.recognise import recognise
from loaders.catalog.sources import Sources, joined
from loaders.input_file import fingerprint
from loaders.rejection import Rejected
from roman_db import session, sqlfile
from roman_db.bulk import stage_rows
from roman_db.load_run import Counts, InputFile, LoadRun, load_run
from roman_db.schema.metadata import table

log = structlog.get_logger()

#: Distance (arcsec) from an object beyond which a source of its name is another object.
NAME_RADIUS = 2.0

#: Name of the versions that searches of reference images make: `loaders.presence` says what is back by them,
#: while whatever another one lists is an object.
IMAGES = "reference"

#: Refused rows that are named on the screen; all are in the database.
SHOWN_ROWS = 3

_NUMBERS = (
    "ra",
    "dec",
    "ra_err",
    "dec_err",
    "ref_epoch",
    "pm_ra",
    "pm_dec",
    "pm_ra_err",
    "pm_dec_err",
    "parallax",
    "parallax_err",
)
_SOURCE_TYPES = {
    "n": "bigint",
    "source_id": "text",
    **{name: "double precision" if name in ("ra", "dec", "ref_epoch") else "real" for name in _NUMBERS},
    "object_id": "bigint",
}
_FLUX_TYPES = {"n": "bigint", "optical_element": "text", "psf_flux": "real", "psf_flux_err": "real"}
_NEW_TYPES = {"n": "bigint", "object_id": "bigint"}


@dataclass(frozen=True)
class CatalogOptions:
    """How a catalog is loaded.

    Parameters
    ----------
    name
        Name of the catalog, under which its identifiers are kept; None for the one that is recognised.
    mapping_file
        YAML file that says which column is which; None to recognise them.
    match_radius
        Distance in arcsec within which a source is an object that is known already.
    anywhere
        Load the catalog though it has no sky in common with the exposures that are loaded.
    """

    name: str | None = None
    mapping_file: Path | None = None
    match_radius: float = 0.05
    anywhere: bool = False


@dataclass(frozen=True)
class CatalogChange:
    """What a catalog changed. Version None: nothing did. ``n_flux`` counts fluxes that are new or changed."""

    catalog_version_id: int | None
    n_new: int
    n_changed: int
    n_unchanged: int
    n_flux: int
    n_merged: int


def load_catalog(
    path: Path, options: CatalogOptions, progress: Callable[[int, int], None]
) -> tuple[Counts, CatalogChange | None]:
    """Load a catalog; a file that can't be used is recorded as rejected, and changes nothing."""
    arguments = {"file": str(path), "name": options.name, "match_radius": options.match_radius}
    change = None
    # A file that is refused is one unit of input; of one that is used, each row is.
    with load_run("load catalog", arguments, expected=1) as run:
        files = _record_files(run, path, options.mapping_file)
        try:
            given = _read(path, options, progress)
            with session.transaction() as connection:
                run.expect(connection, given.n_row)
                change = _store(connection, run, given, options)
                if len(given.sources):
                    _register_file(connection, run, files[0])
                # Or nothing is stored: a row that got lost would go unnoticed once the others are there.
                run.check_accounts(connection)
        except Rejected as rejected:
            with session.transaction() as connection:
                run.reject(connection, rejected)
        counts = run.counts()
    refresh_statistics(change)
    return counts, change


def refresh_statistics(change: CatalogChange | None) -> None:
    """Tell the planner what has been written, which only the owner may: the next catalog is joined to it."""
    if change is not None and change.catalog_version_id is not None:
        with session.transaction(session.Role.OWNER) as connection:
            connection.exec_driver_sql("ANALYZE roman.object, roman.object_flux, roman.object_alias")


def _record_files(run: LoadRun, path: Path, mapping: Path | None) -> list[InputFile]:
    """Record the files that were given, before they are read: also what is refused, or was loaded before."""
    given = {"catalog": path} | ({} if mapping is None else {"mapping": mapping})
    files = [InputFile(role, str(one.absolute()), *fingerprint(one)) for role, one in given.items()]
    with session.transaction() as connection:
        run.record_inputs(connection, files)
    return files


def _read(path: Path, options: CatalogOptions, progress: Callable[[int, int], None]) -> CatalogInput:
    """Read, map and check all rows of a file."""
    reader = open_catalog(path)
    elements = _optical_elements()
    mapping: CatalogMapping = (
        recognise(reader.file, elements)
        if options.mapping_file is None
        else read_mapping(options.mapping_file, elements)
    )
    check_mapping(mapping, reader.file)
    good, refused = [], []
    for chunk in read_chunks(reader, needed_columns(mapping)):
        mapped = apply_mapping(chunk, mapping, reader.file)
        sources, rejections = check_rows(mapped, magnitudes(chunk, mapping, reader.file))
        good.append(propagate(sources))
        refused.append(rejections)
        progress(chunk.first_row + len(chunk), reader.file.n_row)
    return CatalogInput(path, options.name or mapping.name, reader.file.n_row, joined(good), refused)


def _optical_elements() -> list[str]:
    """Registered optical elements."""
    with session.reading() as connection:
        elements = table("roman.optical_element").c
        query = sa.select(elements.optical_element).where(elements.kind != "external")
        return list(connection.execute(query).scalars())


def _store(
    connection: sa.Connection, run: LoadRun, given: CatalogInput, options: CatalogOptions
) -> CatalogChange:
    """Store the sources, and record what was refused."""
    good, group, repeated = distinct_sources(given)
    n_good = len(good)
    if n_good and not options.anywhere:
        _check_overlap(connection, given)
    _record_refused(connection, run, [*refused_rows(given), *repeated])
    if n_good == 0:
        return CatalogChange(None, 0, 0, 0, 0, 0)
    connection.execute(sa.text("LOCK TABLE roman.object IN SHARE ROW EXCLUSIVE MODE"))
    sources = merge_duplicates(good, group)
    try:
        _stage(connection, sources)
    except ValueError as error:
        remedy = "Leave unknown values empty, or correct the rows"
        raise Rejected(str(given.path), str(error), remedy, "number_too_large") from error
    _match(connection, given.name, options.match_radius)
    _stage_new(connection, sources)
    change = _upsert(connection, run, given.name, n_good - len(sources))
    run.count(connection, loaded=n_good, unchanged=n_good if change.catalog_version_id is None else 0)
    return change


def _record_refused(connection: sa.Connection, run: LoadRun, rows: list[dict[str, Any]]) -> None:
    """Record the refused rows, and name the first of them on the screen."""
    if not rows:
        return
    run.reject_rows(connection, rows)
    shown = rows[:SHOWN_ROWS]
    reasons = [f"row {row['row_number']}: {row['reason']}" for row in shown]
    if len(rows) > SHOWN_ROWS:
        reasons.append(f"and {len(rows) - SHOWN_ROWS} more")
    remedies = dict.fromkeys(row["remedy"] for row in shown)
    log.warning(
        "rejected rows", source=shown[0]["source"], reason="; ".join(reasons), remedy="; ".join(remedies)
    )


def _check_overlap(connection: sa.Connection, given: CatalogInput) -> None:
    """Refuse a catalog that has no sky in common with any exposure, if there are exposures."""
    ranges = ",".join(f"[{low},{high})" for low, high in cells(given.sources).tolist())
    query = sa.text(
        "SELECT EXISTS (SELECT FROM roman.exposure), EXISTS (SELECT FROM roman.exposure "
        "WHERE footprint && CAST(:ranges AS int8multirange))"
    )
    observed, overlaps = connection.execute(query, {"ranges": f"{{{ranges}}}"}).one()
    if observed and not overlaps:
        what = f"none of its {len(given.sources)} sources lies on the sky that the loaded exposures cover"
        remedy = "Give a catalog of the observed field, or load it all the same with --anywhere"
        raise Rejected(str(given.path), what, remedy, "no_overlap")


def store_known(
    connection: sa.Connection,
    run: LoadRun,
    name: str,
    sources: Sources,
    object_id: Sequence[int | None],
) -> tuple[CatalogChange, npt.NDArray[np.int64]]:
    """Store sources of which it is known which objects they are, as `store_found` does; None for a new one.

    Nothing is counted. The caller holds the lock on ``roman.object`` under which it found the objects.
    """
    _stage(connection, sources, object_id)
    return _store_staged(connection, run, name, sources)


def store_found(
    connection: sa.Connection,
    run: LoadRun,
    name: str,
    sources: Sources,
    object_id: npt.NDArray[np.int64],
    match_radius: float,
) -> tuple[CatalogChange, npt.NDArray[np.int64]]:
    """Store sources that a loader found on images, as a version of the catalog, also where nothing changes.

    Parameters
    ----------
    connection
        Open transaction.
    run
        The run that writes.
    name
        Name of the version.
    sources
        The sources; all different.
    object_id
        Shape (n,): object that each is known to be; -1 where that is not known.
    match_radius
        Distance in arcsec within which a source of which that is not known is an object.

    Returns
    -------
    change
        What changed.
    object_id : ndarray
        Shape (n,): object of every source.
    """
    connection.execute(sa.text("LOCK TABLE roman.object IN SHARE ROW EXCLUSIVE MODE"))
    _stage(connection, sources, [one if one >= 0 else None for one in object_id.tolist()])
    _run_job(connection, "object_match_place", {"radius": match_radius / 3600})
    return _store_staged(connection, run, name, sources, always=True)


def _store_staged(
    connection: sa.Connection, run: LoadRun, name: str, sources: Sources, *, always: bool = False
) -> tuple[CatalogChange, npt.NDArray[np.int64]]:
    """Store what is staged, new objects for what is none, and say which object each source is."""
    _stage_new(connection, sources)
    change = _upsert(connection, run, name, 0, always=always)
    query = sa.text("SELECT object_id FROM pg_temp.staged_source ORDER BY n")
    return change, np.fromiter(connection.execute(query).scalars(), np.int64, len(sources))


def _stage(
    connection: sa.Connection, sources: Sources, object_id: Sequence[int | None] | None = None
) -> None:
    """Copy the sources, and what is known of their objects, and their fluxes into temporary tables."""
    number = np.arange(len(sources))
    columns = {name: getattr(sources, name) for name in _NUMBERS}
    known_as = [None] * len(sources) if object_id is None else object_id
    identity = {"n": number, "source_id": sources.source_id, "object_id": known_as}
    stage_rows(connection, "staged_source", _SOURCE_TYPES, identity | columns)
    known = {element: np.isfinite(flux) for element, flux in sources.flux.items()}
    flux = {
        "n": [number[known[element]] for element in known],
        "optical_element": [np.full(int(known[element].sum()), element, object) for element in known],
        "psf_flux": [sources.flux[element][known[element]] for element in known],
        "psf_flux_err": [sources.flux_err[element][known[element]] for element in known],
    }
    rows = {name: np.concatenate(parts) if parts else np.empty(0) for name, parts in flux.items()}
    stage_rows(connection, "staged_flux", _FLUX_TYPES, rows)


def _match(connection: sa.Connection, name: str, radius: float) -> None:
    """Find the objects that the staged sources are: by name first, then within a radius (arcsec)."""
    _run_job(connection, "object_match_name", {"name": name, "name_radius": NAME_RADIUS / 3600})
    # Which sources have an object is news to the planner, which would compare each with each.
    connection.exec_driver_sql("ANALYZE pg_temp.staged_source")
    _run_job(connection, "object_match_place", {"radius": radius / 3600})


def _stage_new(connection: sa.Connection, sources: Sources) -> None:
    """Give the sources that are no known object a free identifier."""
    query = sa.text("SELECT n FROM pg_temp.staged_source WHERE object_id IS NULL ORDER BY n")
    new = np.fromiter(connection.execute(query).scalars(), np.int64)
    ra, dec = sources.ra[new], sources.dec[new]
    wanted = wanted_id(ra, dec)
    taken = np.empty(0, np.int64)
    while True:
        given = free_ids(wanted, taken, (ra, dec))
        stage_rows(connection, "new_object", _NEW_TYPES, {"n": new, "object_id": given})
        clash = sa.text("SELECT object_id FROM pg_temp.new_object JOIN roman.object USING (object_id)")
        clashing = np.fromiter(connection.execute(clash).scalars(), np.int64)
        if clashing.size == 0:
            break
        taken = np.concatenate([taken, clashing])
    connection.execute(
        sa.text(
            "UPDATE pg_temp.staged_source s SET object_id = w.object_id "
            "FROM pg_temp.new_object w WHERE w.n = s.n"
        )
    )


def _upsert(
    connection: sa.Connection, run: LoadRun, name: str, n_merged: int, *, always: bool = False
) -> CatalogChange:
    """Write what is new or has changed under a new version; where nothing is, only ``always`` makes one."""
    versions = table("roman.catalog_version")
    row = {
        "name": name,
        "n_new": 0,
        "n_changed": 0,
        "n_unchanged": 0,
        "n_merged": n_merged,
        "load_run_id": run.load_run_id,
    }
    version = int(
        connection.execute(versions.insert().returning(versions.c.catalog_version_id), row).scalar_one()
    )
    keys: dict[str, object] = {"version": version, "load_run_id": run.load_run_id}
    n_new, n_changed, n_same = _run_job(connection, "object", keys)
    (n_flux,) = _run_job(connection, "object_flux", keys)
    (n_alias,) = _run_job(connection, "object_alias", keys | {"name": name})
    (n_back,) = (0,) if name == IMAGES else _run_job(connection, "restore_object", {"version": version})
    mine = versions.c.catalog_version_id == version
    if n_new + n_changed + n_flux + n_alias + n_back == 0 and not always:
        connection.execute(versions.delete().where(mine))
        return CatalogChange(None, 0, 0, n_same, 0, n_merged)
    counts = {"n_new": n_new, "n_changed": n_changed, "n_unchanged": n_same, "n_restored": n_back}
    connection.execute(versions.update().where(mine).values(counts))
    return CatalogChange(version, n_new, n_changed, n_same, n_flux, n_merged)


def _run_job(connection: sa.Connection, name: str, values: dict[str, object]) -> tuple[int, ...]:
    """Run a file of ``queries/jobs``; the counts that it returns, if any."""
    result = sqlfile.run(connection, sqlfile.find("jobs", name), values)
    return tuple(int(str(count)) for count in result.one()) if result.returns_rows else ()


def _register_file(connection: sa.Connection, run: LoadRun, file: InputFile) -> None:
    """Register the file, unless it is registered."""
    files = table("ops.input_file")
    row = {
        "kind": "catalog",
        "filename": Path(file.path).name,
        "path": file.path,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "load_run_id": run.load_run_id,
    }
    connection.execute(sa.dialects.postgresql.insert(files).on_conflict_do_nothing(), row)
    mine = sa.select(files.c.file_id).where(files.c.kind == "catalog", files.c.sha256 == file.sha256)
    run.record_inputs(connection, [replace(file, file_id=connection.execute(mine).scalar_one())])
