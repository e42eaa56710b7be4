"""Photometry of mosaics into light curves: what is still to do, and one mosaic in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.astrometry.load import stars_around
from loaders.astrometry.stars import CatalogStars
from loaders.light_curve.block import NONE, BlockKey, BlockPhotometry, Epochs
from loaders.light_curve.load import BlockContext, NewBlock, write_blocks
from loaders.mosaic_photometry.measure import measure_circles, measure_psf
from loaders.photometry.assemble import assemble_block
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.photometry.load import with_static_flux
from loaders.rejection import Rejected
from loaders.static_catalog.load import StoredMosaic, read_band, read_set
from loaders.wfi.times import bjd_tdb, sun_earth_l2
from roman_db import session, sqlfile
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun

#: Kinds of photometry that are made here, as in ``roman.light_curve_block``.
PSF, CIRCLES = "psf_mosaic", "aperture_mosaic"

#: How far beyond the pixels stars are taken from the catalog, deg.
_BEYOND = 8.0 / 3600

_SUMMARY = """
SELECT count(DISTINCT exposure_id[1]) AS n_mosaic, count(*) AS n_block, coalesce(sum(n_point), 0) AS n_point
FROM roman.light_curve_block WHERE load_run_id = CAST(:run AS bigint)
"""


@dataclass(frozen=True)
class Summary:
    """What a run wrote: mosaics measured, blocks, points."""

    n_mosaic: int
    n_block: int
    n_point: int


def summary_of(load_run_id: int) -> Summary:
    """Read what a run wrote."""
    with session.reading() as connection:
        return Summary(*connection.execute(sa.text(_SUMMARY), {"run": load_run_id}).one())


def pending_mosaics(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the mosaics to be photometered. Arguments: ``cell, optical_element`` (or None), ``redo``."""
    chosen = {name: arguments[name] for name in ("cell", "optical_element", "redo")}
    with session.reading() as connection:
        rows = sqlfile.run(connection, sqlfile.find("jobs", "mosaic_photometry"), chosen).all()
    return [_unit(row) for row in rows]


def _unit(row: sa.Row[Any]) -> Unit:
    """A unit; ``mosaic_id`` is a list, as of sets of mosaics."""
    name = f"{row.set_name} {row.optical_element} {row.cell}"
    return Unit(name, row._asdict() | {"mosaic_id": [row.mosaic_id]})


def photometer_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Photometer a mosaic in both ways, and store a block of each in place of those of older versions."""
    given = unit.arguments
    with session.reading() as connection:
        (stored,) = read_set(connection, unit)
    band = read_band(stored)
    circle = (given["ra"], given["dec"], given["radius"] + _BEYOND)
    stars = stars_around(given["optical_element"], circle, stored.path)
    with session.reading() as connection:
        extended = with_static_flux(connection, stars, given["optical_element"])
    mjd, number = stored.time_mean_mjd_tdb, -stored.mosaic_id
    measured = {
        PSF: assemble_block(stars, [measure_psf(band.mosaic, band.psf.psf, stars, mjd, number)]),
        CIRCLES: assemble_block(extended, [measure_circles(band.mosaic, extended, mjd, number)]),
    }
    with session.transaction() as connection:
        _check_current(connection, unit)
        for kind, photometry in measured.items():
            _write(connection, run, (unit, stored, stars), kind, photometry)
        run.count(connection, loaded=1)
    progress(f"photometer {unit.name}", 1, 1)


def _check_current(connection: sa.Connection, unit: Unit) -> None:
    """Refuse a mosaic that was replaced.

    Raises
    ------
    Rejected
        Code ``superseded_mosaic``.
    """
    (stored,) = read_set(connection, unit)
    if stored.is_old:
        what = "was replaced while it was measured"
        raise Rejected(str(stored.path), what, "Give the same command again", "superseded_mosaic")


def _write(
    connection: sa.Connection,
    run: LoadRun,
    what: tuple[Unit, StoredMosaic, CatalogStars],
    kind: str,
    photometry: BlockPhotometry,
) -> None:
    """Store the block of a kind."""
    unit, stored, stars = what
    day = int(stored.time_mean_mjd_tdb)
    key = BlockKey(None, None, stored.optical_element, kind, day, day + 1)
    block = NewBlock(key, _epoch(unit, stored), lambda: photometry)
    context = BlockContext(run.load_run_id, stars.catalog_version_id, EXCLUDING_FLAGS)
    write_blocks(connection, [block], context, unit.arguments["withdrawn"])


def _epoch(unit: Unit, stored: StoredMosaic) -> Epochs:
    """The mean time of a mosaic as the only epoch of a block."""
    mjd = stored.time_mean_mjd_tdb
    bjd = bjd_tdb(mjd, sun_earth_l2(mjd), unit.arguments["ra"], unit.arguments["dec"])
    return Epochs(
        np.array([-stored.mosaic_id], np.int64),
        np.array([mjd]),
        np.atleast_1d(bjd),
        np.array([stored.file_id], np.int64),
        np.array([NONE], np.int64),
    )
