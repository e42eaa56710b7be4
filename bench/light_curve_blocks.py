"""Blocks of made-up light curves for the storage benchmarks, and the same points in a plain table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sqlalchemy as sa

from loaders.catalog.identity import wanted_id
from loaders.light_curve.block import BlockKey, BlockPhotometry, Epochs, MeasurementMatrix
from loaders.light_curve.load import BlockContext, empty_measurements, write_block
from loaders.light_curve.summary import SegmentMatrix
from roman_db import session
from roman_db.bulk import copy_stream, upsert_rows
from roman_db.copy_binary import encode_column, encode_rows

#: Objects of a detector and exposures of a day at one in 12 minutes.
N_OBJECT, N_EPOCH = 10_000, 120
POINTS = N_OBJECT * N_EPOCH
FIRST_DAY = 61520
RA, DEC, SIDE = 268.0, -29.3, 0.125
STRANGER = 1
#: Of the stars of the romanisim files those for which `run daily` stored position offsets, and shapes.
POSITION_SHARE, SHAPE_SHARE = 0.23, 0.07

_PLAIN = {
    "object_id": "bigint",
    "exposure_id": "bigint",
    "midpoint_mjd_tdb": "double precision",
    "flux": "real",
    "flux_err": "real",
    "flags": "smallint",
}


def positions(n: int = N_OBJECT) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Identifiers (ascending), right ascensions and declinations of objects spread over a detector."""
    rng = np.random.default_rng(1)
    ra = RA + rng.uniform(-SIDE / 2, SIDE / 2, n) / np.cos(np.deg2rad(DEC))
    dec = DEC + rng.uniform(-SIDE / 2, SIDE / 2, n)
    object_id, first = np.unique(wanted_id(ra, dec), return_index=True)
    return object_id, ra[first], dec[first]


def epochs(day: int) -> Epochs:
    """Exposures of a day."""
    mjd = day + np.arange(N_EPOCH) / N_EPOCH
    exposure_id = day * 1000 + np.arange(N_EPOCH)
    return Epochs(exposure_id, mjd, mjd + 0.004, exposure_id, np.full(N_EPOCH, day))


def key(day: int) -> BlockKey:
    """Block of a day."""
    return BlockKey(1, "WFI07", "F146", "psf", day, day + 1)


def photometry(day: int, with_bright: bool = False) -> BlockPhotometry:
    """Fluxes of a day; 5 % of the objects are flagged for ten exposures.

    With ``with_bright`` the brightest have position offsets and shapes, too, as the daily job measures them.
    """
    rng = np.random.default_rng(day)
    shape = (N_OBJECT, N_EPOCH)
    flags = np.zeros(shape, np.uint16)
    flags[rng.random(N_OBJECT) < 0.05, 10:20] = 1
    segments = SegmentMatrix(
        rng.normal(1000, 30, shape).astype(np.float32), rng.normal(30, 1, shape).astype(np.float32), flags
    )
    ones = np.ones(N_OBJECT)
    measured = empty_measurements(N_EPOCH, 4), empty_measurements(N_EPOCH, 7)
    if with_bright:
        measured = _bright(rng, POSITION_SHARE, 4), _bright(rng, SHAPE_SHARE, 7)
    return BlockPhotometry(positions()[0], segments, 1000 * ones, *measured, ones, ones, ones)


def _bright(rng: np.random.Generator, share: float, n_column: int) -> MeasurementMatrix:
    """Measurements of a share of the objects in all exposures."""
    shape = (round(share * N_OBJECT), N_EPOCH)
    chosen = np.sort(rng.choice(positions()[0], shape[0], replace=False))
    return MeasurementMatrix(chosen, [rng.normal(0, 1, shape).astype(np.float32) for _ in range(n_column)])


def prepare() -> BlockContext:
    """Store what blocks refer to: a run, a catalog version and the objects."""
    with session.transaction() as connection:
        for statement in _ORIGIN:
            connection.execute(sa.text(statement))
        query = sa.text("SELECT load_run_id, catalog_version_id FROM roman.catalog_version")
        context = BlockContext(*connection.execute(query).one(), excluding_flags=1)
        upsert_rows(connection, "roman.object", object_columns(context))
    return context


def object_columns(context: BlockContext, n: int = N_OBJECT) -> dict[str, np.ndarray]:
    """Columns of ``roman.object``."""
    object_id, ra, dec = positions(n)
    every = np.ones(object_id.size, np.int64)
    error = np.full(object_id.size, 0.5)
    return {
        "object_id": object_id,
        "ra": ra,
        "dec": dec,
        "ra_err": error,
        "dec_err": error,
        "ref_epoch": 2027.0 * every,
        "first_catalog_version_id": every * context.catalog_version_id,
        "catalog_version_id": every * context.catalog_version_id,
        "load_run_id": every * context.load_run_id,
    }


_ORIGIN = (
    """
    INSERT INTO ops.load_run (task, arguments, code_version, schema_version, host, pid)
    VALUES ('bench', '{}', '', '', '', 1)
    """,
    """
    INSERT INTO roman.catalog_version (name, n_new, n_changed, n_unchanged, n_merged, load_run_id)
    SELECT 'bench', 0, 0, 0, 0, load_run_id FROM ops.load_run
    """,
)


def write_day(day: int, context: BlockContext) -> None:
    """Store the block of a day."""
    with session.transaction() as connection:
        write_block(connection, key(day), epochs(day), photometry(day), context)


def write_other_blocks(context: BlockContext) -> None:
    """Store the rows of the blocks that 17 other detectors and 5 other fields would have in 100 days."""
    with session.transaction() as connection:
        connection.execute(sa.text(_OTHER_BLOCKS), {"first": FIRST_DAY})
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text("ANALYZE roman.light_curve_block"))


_OTHER_BLOCKS = """
INSERT INTO roman.light_curve_block (
    field_id, detector, optical_element, photometry_kind, start_mjd, end_mjd, n_epoch, exposure_id, file_id,
    psf_model_id, midpoint_mjd_tdb, midpoint_bjd_tdb, n_object, n_point, catalog_version_id, load_run_id
)
SELECT f.field_id, d.detector, b.optical_element, b.photometry_kind, :first + day, :first + day + 1,
       b.n_epoch, b.exposure_id, b.file_id, b.psf_model_id, b.midpoint_mjd_tdb, b.midpoint_bjd_tdb,
       b.n_object, b.n_point, b.catalog_version_id, b.load_run_id
FROM (SELECT * FROM roman.light_curve_block ORDER BY block_id LIMIT 1) b,
     (SELECT field_id FROM roman.field ORDER BY field_id LIMIT 6) f,
     roman.detector d, generate_series(0, 99) day
WHERE d.detector <> b.detector
"""


def write_stranger(context: BlockContext) -> None:
    """Store one more object, `STRANGER`, far from the others in time."""
    day = FIRST_DAY + 800
    all_objects = photometry(day)
    segments = all_objects.segments
    first = slice(1)
    one = replace(
        all_objects,
        object_id=np.array([STRANGER]),
        segments=SegmentMatrix(segments.flux[first], segments.flux_err[first], segments.flags[first]),
        reference_flux=all_objects.reference_flux[first],
        mean_reduced_chi2=all_objects.mean_reduced_chi2[first],
        mean_crowding=all_objects.mean_crowding[first],
        mean_background=all_objects.mean_background[first],
    )
    with session.transaction() as connection:
        write_block(connection, key(day), epochs(day), one, context)


def write_plain_table(days: range) -> None:
    """Store the points of some days one a row, in order of time, in ``public.point``, and index them."""
    body = ", ".join(f"{name} {kind}" for name, kind in _PLAIN.items())
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(f"CREATE TABLE public.point ({body})")
        for day in days:
            columns = _plain_columns(day)
            encoded = [encode_column(columns[name], kind) for name, kind in _PLAIN.items()]
            copy_stream(connection, "public.point", list(_PLAIN), encode_rows(encoded))
        stranger = f"INSERT INTO public.point VALUES ({STRANGER}, 1, {days.start}, 1, 1, 0)"
        connection.exec_driver_sql(stranger)
        connection.exec_driver_sql("CREATE INDEX ON public.point (object_id, midpoint_mjd_tdb)")
        connection.exec_driver_sql("GRANT SELECT ON public.point TO roman_reader")
    with session.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE public.point")


def _plain_columns(day: int) -> dict[str, np.ndarray]:
    """Points of a day, exposure by exposure."""
    measured, when = photometry(day), epochs(day)
    return {
        "object_id": np.tile(measured.object_id, N_EPOCH),
        "exposure_id": np.repeat(when.exposure_id, N_OBJECT),
        "midpoint_mjd_tdb": np.repeat(when.mjd_tdb, N_OBJECT),
        "flux": measured.segments.flux.T.ravel(),
        "flux_err": measured.segments.flux_err.T.ravel(),
        "flags": measured.segments.flags.T.ravel(),
    }
