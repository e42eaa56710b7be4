"""A piece of the sky: tables of what is stored of it made into arrays, and arrays into columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.catalogued import (
    Catalogued,
    change_of_catalog,
    correlations,
    parameters,
    star_places,
)
from loaders.astrometric_solution.frame_fit import Frames
from loaders.astrometric_solution.observer import Ephemeris, observer_positions
from loaders.astrometric_solution.points import ExposureTimes, StarPlaces, StarPoints
from loaders.astrometric_solution.segments import Segments, points_of_segments
from loaders.astrometric_solution.solve import reference_epoch
from loaders.astrometric_solution.star_fit import STATUSES, Solutions
from loaders.astrometry.catalog_states import ASTROMETRY, CatalogStates
from loaders.astrometry.place import CatalogAstrometry
from loaders.astrometry.stars import julian_year

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Columns of the errors of what is catalogued.
ERRORS = ("ra_err", "dec_err", "parallax_err", "pm_ra_err", "pm_dec_err")

_OFFSETS = ("offset_ra", "offset_dec", "offset_ra_err", "offset_dec_err")
_NOT_MEASURED = "not_measured"


@dataclass(frozen=True)
class SkyTables:
    """Tables (pyarrow) of a piece of the sky.

    Parameters
    ----------
    objects
        By object: ``object_id``, `ASTROMETRY`, `ERRORS` and ``flux``, in order.
    history
        What was catalogued before: ``object_id``, ``replaced_by`` and `ASTROMETRY`, in order of both.
    said
        What catalogs said of each object last, adopted solutions aside: as of objects, without flux.
    seen
        By object with segments: ``object_id``, and the blocks of its segments, ``block_id`` (a list).
    exposures
        By block and exposure, in order: ``block_id``, ``catalog_version_id``, ``exposure_id``,
        ``midpoint_mjd_tdb``, ``is_known`` (whether the ephemeris counts) and the ephemeris of the file.
    """

    objects: Any
    history: Any
    said: Any
    seen: Any
    exposures: Any


@dataclass(frozen=True)
class PieceOfSky:
    """A piece of the sky, n objects.

    Parameters
    ----------
    object_id, flux, n_segment
        Shape (n,): identifiers, ascending; brightest flux of the catalog, nJy, NaN where unknown; segments.
    catalogued
        What is known of the objects.
    said
        What catalogs say of them, adopted solutions aside.
    history
        What was known before.
    place
        By block the index of its first exposure, and the version of the catalog that served.
    times
        Exposures of all blocks.
    centre
        Ra and dec of the middle, deg ICRS.
    """

    object_id: IntArray
    flux: FloatArray
    n_segment: IntArray
    catalogued: Catalogued
    said: Catalogued
    history: CatalogStates
    place: Mapping[int, tuple[int, int]]
    times: ExposureTimes
    centre: tuple[float, float]


def blocks_of(seen: Any) -> IntArray:
    """Identifiers of the blocks that objects have segments of, ascending."""
    return np.unique(seen["block_id"].combine_chunks().flatten().to_numpy()).astype(np.int64)


def piece_of_sky(tables: SkyTables, centre: tuple[float, float]) -> PieceOfSky:
    """Make arrays of what is stored of a piece of the sky with its middle at a centre, deg ICRS."""
    object_id = tables.objects["object_id"].to_numpy()
    seen = tables.seen["object_id"].to_numpy()
    counts = tables.seen["block_id"].combine_chunks().value_lengths().to_numpy(zero_copy_only=False)
    known = np.isin(seen, object_id)
    n_segment = np.zeros(object_id.size, np.int64)
    n_segment[np.searchsorted(object_id, seen[known])] = counts[known]
    earlier, replaced_by = (
        tables.history[name].to_numpy().astype(np.int64) for name in ("object_id", "replaced_by")
    )
    place, times = _exposures(tables.exposures)
    return PieceOfSky(
        object_id,
        _floats(tables.objects, "flux"),
        n_segment,
        _catalogued(tables.objects),
        _catalogued(tables.said),
        CatalogStates(earlier, replaced_by, _astrometry(tables.history)),
        place,
        times,
        centre,
    )


def points_of_rows(
    sky: PieceOfSky, chosen: IntArray, rows: Any, excluding_flags: int
) -> tuple[StarPoints, StarPlaces]:
    """Points of some of the objects, and what geometry a fit needs of these.

    Parameters
    ----------
    sky
        The piece of the sky.
    chosen
        Indices of the objects, ascending.
    rows
        Their segments: ``object_id, block_id``, lists of offsets and errors, and lists ``flags``.
    excluding_flags
        Flags of points that do not count.
    """
    object_id, epoch = sky.object_id[chosen], reference_epoch(sky.times)
    lists = [rows[name].combine_chunks() for name in (*_OFFSETS, "flags")]
    east, north, east_err, north_err = (
        one.flatten().to_numpy(zero_copy_only=False).astype(np.float64) for one in lists[:4]
    )
    block = [sky.place[one] for one in rows["block_id"].to_pylist()]
    first, version = np.array(block, np.int64).reshape(-1, 2).T
    segments = Segments(
        rows["object_id"].to_numpy(),
        first,
        lists[0].value_lengths().to_numpy(zero_copy_only=False).astype(np.int64),
        np.column_stack([east, north]),
        np.column_stack([east_err, north_err]),
        (lists[4].flatten().to_numpy(zero_copy_only=False).astype(np.int64) & excluding_flags) != 0,
    )
    places = star_places(sky.catalogued.take(chosen).astrometry, epoch, sky.centre)
    change = changes_since(sky, segments.object_id, version, epoch)
    return points_of_segments(segments, object_id, change, sky.times, places, epoch), places


def changes_since(sky: PieceOfSky, object_id: IntArray, version: IntArray, epoch: float) -> FloatArray:
    """Corrections from what the catalog said in a version to what it says now.

    Parameters
    ----------
    sky
        The piece of the sky.
    object_id, version
        Shape (s,): objects, and the versions that served.
    epoch
        To which the corrections of positions belong.

    Returns
    -------
    ndarray
        Shape (s, 5): see `loaders.astrometric_solution.catalogued.change_of_catalog`.
    """
    out = np.zeros((object_id.size, 5))
    row = sky.history.at(object_id, version)
    old = row >= 0
    if old.any():
        now = sky.catalogued.take(np.searchsorted(sky.object_id, object_id[old])).astrometry
        out[old] = change_of_catalog(sky.history.take(row[old]), now, epoch)
    return out


def exposure_columns(times: ExposureTimes, frames: Frames) -> dict[str, Any]:
    """Columns of ``roman.astrometric_exposure``, one row an exposure that has a place."""
    known = np.isfinite(frames.terms[:, 0, 0])
    shift, east, north = np.moveaxis(frames.terms[known], 1, 0)
    return {
        "exposure_id": times.exposure_id[known],
        "shift_ra": shift[:, 0],
        "shift_dec": shift[:, 1],
        "ra_by_east": east[:, 0],
        "ra_by_north": north[:, 0],
        "dec_by_east": east[:, 1],
        "dec_by_north": north[:, 1],
        "n_star": frames.n_star[known],
        "rms": frames.rms[known],
    }


def object_columns(sky: PieceOfSky, stars: Solutions | None) -> dict[str, Any]:
    """Columns of ``roman.object_astrometry``, one row an object.

    Parameters
    ----------
    sky
        The piece of the sky.
    stars
        Solutions of the objects with segments, in order; None where there is none.
    """
    n = sky.object_id.size
    out: dict[str, Any] = {"object_id": sky.object_id, "status": np.full(n, _NOT_MEASURED, object)}
    out |= {"n_epoch": np.zeros(n, np.int64), "n_rejected": np.zeros(n, np.int64)}
    if stars is None:
        return out
    measured, epoch = np.flatnonzero(sky.n_segment), reference_epoch(sky.times)
    out["status"][measured] = np.array(STATUSES, object)[stars.status]
    out["n_epoch"][measured], out["n_rejected"][measured] = stars.n_epoch, stars.n_rejected
    numbers = parameters(sky.catalogued.take(measured).astrometry, stars, epoch)
    for name, values in (numbers | {"reduced_chi2": stars.reduced_chi2}).items():
        out[name] = np.full(n, np.nan)
        out[name][measured] = values
    solved = np.isfinite(out["ra"])
    out["ref_epoch"] = np.where(solved, epoch, np.nan)
    out["correlation"] = [None] * n
    for i, row in zip(measured, correlations(stars), strict=True):
        if solved[i]:
            out["correlation"][i] = row
    return out


def _exposures(rows: Any) -> tuple[dict[int, tuple[int, int]], ExposureTimes]:
    """Exposures of blocks, block by block."""
    block_id, version = rows["block_id"].to_numpy(), rows["catalog_version_id"].to_numpy()
    first = np.flatnonzero(np.diff(block_id, prepend=-1))
    place = {int(block_id[i]): (int(i), int(version[i])) for i in first}
    mjd = _floats(rows, "midpoint_mjd_tdb")
    state = [_floats(rows, f"{kind}_{axis}") for kind in ("spatial", "velocity") for axis in "xyz"]
    known = np.array([bool(one) for one in rows["is_known"].to_pylist()], dtype=bool)
    time = np.where(known, _floats(rows, "ephemeris_time"), np.nan)
    ephemeris = Ephemeris(time, np.column_stack(state[:3]), np.column_stack(state[3:]))
    observer = observer_positions(mjd, ephemeris)
    return place, ExposureTimes(rows["exposure_id"].to_numpy(), julian_year(mjd), observer)


def _floats(rows: Any, name: str) -> FloatArray:
    """A column, NaN where it is empty."""
    return np.array(rows[name].to_numpy(zero_copy_only=False), dtype=np.float64)


def _catalogued(rows: Any) -> Catalogued:
    """Positions, motions and their errors."""
    return Catalogued(_astrometry(rows), np.column_stack([_floats(rows, name) for name in ERRORS]))


def _astrometry(rows: Any) -> CatalogAstrometry:
    """Positions and motions."""
    return CatalogAstrometry(*(_floats(rows, name) for name in ASTROMETRY))
