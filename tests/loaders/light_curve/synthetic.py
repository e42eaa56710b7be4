"""Light curves made up for tests, and what the database says of them, by natural keys."""

from __future__ import annotations

import dataclasses

import numpy as np
import sqlalchemy as sa

from loaders.light_curve.block import NONE, BlockKey, BlockPhotometry, Epochs, MeasurementMatrix
from loaders.light_curve.load import BlockContext, empty_measurements, write_block
from loaders.light_curve.summary import SegmentMatrix
from roman_db import session

#: Bits that keep a point out of the summaries.
EXCLUDING = 4
FIRST_DAY = 61520


def key(day: int = FIRST_DAY, days: int = 1, **changes) -> BlockKey:
    return dataclasses.replace(BlockKey(1, "WFI07", "F146", "psf", day, day + days), **changes)


def epochs(day: int = FIRST_DAY, n: int = 5, first: int = 0, step: int = 1, series: int = 0) -> Epochs:
    """Exposures of a day: every ``step``-th of 100 that are spread over it, numbered by time.

    Those of another detector or optical element are another series.
    """
    number = first + step * np.arange(n)
    mjd = day + number / 100.0
    exposure_id = np.asarray(series * 10**9 + day * 1000 + number, np.int64)
    return Epochs(exposure_id, mjd, mjd + 0.001, *provenance(exposure_id))


def provenance(exposure_id: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """File and PSF of an exposure: of some the file is not known, of some the PSF is that of the optics."""
    known = exposure_id % 7 > 0
    return np.where(known, 10 * exposure_id, NONE), np.where(exposure_id % 5 > 0, exposure_id % 11, NONE)


def object_ids(n: int = 7, first: int = 10**18) -> np.ndarray:
    return first + 1000 * np.arange(n, dtype=np.int64)


def photometry(seed: int, object_id: np.ndarray, n_epoch: int, **changes) -> BlockPhotometry:
    """Noise of every kind: NaN where not measured, flags in runs, bright objects with offsets and shapes."""
    rng = np.random.default_rng(seed)
    shape = (object_id.size, n_epoch)
    flux = rng.normal(100, 10, shape).astype("f4")
    flux_err = rng.uniform(1, 5, shape).astype("f4")
    missing = rng.random(shape) < 0.1
    flux[missing] = flux_err[missing] = np.nan
    flags = np.repeat(rng.choice([0, 0, 0, 1, EXCLUDING, 65535], (shape[0], shape[1] // 2 + 1)), 2, axis=1)
    made = BlockPhotometry(
        object_id,
        SegmentMatrix(flux, flux_err, flags[:, :n_epoch].astype("u2")),
        rng.uniform(50, 150, object_id.size).astype("f4").astype("f8"),
        measurements(rng, object_id[::2], n_epoch, 4),
        measurements(rng, object_id[::3], n_epoch, 7),
        *(rng.uniform(0.5, 2, object_id.size).astype("f4").astype("f8") for _ in range(3)),
    )
    return dataclasses.replace(made, **changes)


def fluxes(
    object_id: np.ndarray, flux: np.ndarray, flux_err: np.ndarray, flags: np.ndarray
) -> BlockPhotometry:
    """Photometry of nothing but fluxes."""
    none = np.full(object_id.size, np.nan)
    n = flux.shape[1]
    return BlockPhotometry(
        object_id,
        SegmentMatrix(flux, flux_err, flags),
        none,
        empty_measurements(n, 4),
        empty_measurements(n, 7),
        none,
        none,
        none,
    )


def measurements(rng, object_id: np.ndarray, n_epoch: int, n_column: int) -> MeasurementMatrix:
    shape = (object_id.size, n_epoch)
    arrays = [rng.normal(0, 1, shape).astype("f4") for _ in range(n_column)]
    missing = rng.random(shape) < 0.2
    for array in arrays:
        array[missing] = np.nan
    return MeasurementMatrix(object_id, arrays)


def context() -> BlockContext:
    """Insert what blocks refer to, once, and return it."""
    query = sa.text("SELECT load_run_id, catalog_version_id FROM roman.catalog_version LIMIT 1")
    with session.transaction() as connection:
        if connection.execute(query).first() is None:
            for statement in _ORIGIN:
                connection.execute(sa.text(statement))
        return BlockContext(*connection.execute(query).one(), EXCLUDING)


_ORIGIN = (
    """
    INSERT INTO ops.load_run (task, arguments, code_version, schema_version, host, pid)
    VALUES ('test', '{}', '0', '0', 'nowhere', 1)
    """,
    """
    INSERT INTO roman.catalog_version (name, n_new, n_changed, n_unchanged, n_merged, load_run_id)
    SELECT 'test', 0, 0, 0, 0, load_run_id FROM ops.load_run
    """,
)


def write(block: BlockKey, when: Epochs, measured: BlockPhotometry) -> int:
    """Write one block in a transaction of its own."""
    where = context()
    with session.transaction() as connection:
        return write_block(connection, block, when, measured, where)


def write_days(days: int, objects: int = 7, n_epoch: int = 5, series: int = 0, **changes) -> None:
    """Write one block a day."""
    for day in range(FIRST_DAY, FIRST_DAY + days):
        measured = photometry(1000 * series + day, object_ids(objects), n_epoch)
        write(key(day, **changes), epochs(day, n_epoch, series=series), measured)


_POINTS = """
SELECT 'flux', object_id, photometry_kind, exposure_id, midpoint_mjd_tdb, midpoint_bjd_tdb,
       ARRAY[float4send(flux), float4send(flux_err)]::text || flags FROM roman.light_curve
UNION ALL
SELECT 'offset', object_id, photometry_kind, exposure_id, midpoint_mjd_tdb, midpoint_bjd_tdb,
       ARRAY[offset_ra, offset_dec, offset_ra_err, offset_dec_err]::text FROM roman.astrometry_curve
UNION ALL
SELECT 'shape', object_id, photometry_kind, exposure_id, midpoint_mjd_tdb, midpoint_bjd_tdb,
       ARRAY[size_excess, e1, e2, size_excess_err, e1_err, e2_err, reduced_chi2]::text FROM roman.shape_curve
ORDER BY 1, 2, 3, 4
"""


def points(connection: sa.Connection | None = None) -> list[tuple]:
    """Every point that a reader sees, bit for bit, without identifiers that a second run would not repeat."""
    if connection is not None:
        return [tuple(row) for row in connection.execute(sa.text(_POINTS))]
    with session.reading() as own:
        return points(own)


def summaries() -> np.ndarray:
    """Current summaries with the first day of their block, in order of objects and days."""
    query = sa.text(
        "SELECT s.* FROM roman.light_curve_summary s JOIN roman.light_curve_block b USING (block_id) "
        "WHERE b.superseded_at IS NULL ORDER BY s.object_id, b.start_mjd, s.first_mjd_tdb"
    )
    with session.reading() as connection:
        rows = connection.execute(query).mappings().all()
    names = [name for name in rows[0] if name != "block_id"]
    made = np.empty(len(rows), [(name, "i8" if name == "object_id" else "f8") for name in names])
    for name in names:
        made[name] = [np.nan if row[name] is None else row[name] for row in rows]
    return made
