"""From points to blocks: light curves that share their times, in one matrix for each season."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from loaders.external_light_curve.points import ExternalPoints
from loaders.external_light_curve.times import to_mjd_tdb
from loaders.light_curve.block import NONE, BlockKey, BlockPhotometry, Epochs, MeasurementMatrix
from loaders.light_curve.summary import SegmentMatrix

KIND = "external"
"""Kind of photometry of light curves that others measured."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_DAYS_A_PLACE = 368
"""Before the first season blocks begin at multiples of so many days, so that few partitions hold them."""

_IDENTIFIER_BITS = 32


@dataclass(frozen=True)
class Curve:
    """Points of one object in one band, in order of time: the points from ``start`` to ``stop``."""

    name: str
    band: str
    start: int
    stop: int


@dataclass(frozen=True)
class ExternalBlock:
    """A block to be stored, with its photometry."""

    key: BlockKey
    epochs: Epochs
    photometry: BlockPhotometry


def curves_of(points: ExternalPoints) -> list[Curve]:
    """Light curves of points in their order."""
    if not len(points):
        return []
    new = (points.name[1:] != points.name[:-1]) | (points.band[1:] != points.band[:-1])
    edge = np.concatenate([[0], np.flatnonzero(new) + 1, [len(points)]])
    return [Curve(str(points.name[a]), str(points.band[a]), int(a), int(b)) for a, b in pairwise(edge)]


def blocks_of(
    points: ExternalPoints, object_id: Mapping[str, int], load_run_id: int, borders: IntArray
) -> Iterator[ExternalBlock]:
    """Make a block of all light curves in a band that have the same times, and cut it where seasons meet.

    Parameters
    ----------
    points
        In the order of `loaders.external_light_curve.points.points_of`.
    object_id
        Identifier by name; names that are missing are left out.
    load_run_id
        Run that writes, for the numbers in place of exposures: these are negative, and no two alike.
    borders
        As in `divided`.

    Yields
    ------
    ExternalBlock
    """
    groups: dict[tuple[str, bytes], list[Curve]] = {}
    for curve in curves_of(points):
        if curve.name in object_id:
            times = points.bjd_tdb[curve.start : curve.stop].tobytes()
            groups.setdefault((curve.band, times), []).append(curve)
    first = 1
    for (band, _), curves in groups.items():
        block = _block(points, band, sorted(curves, key=lambda c: object_id[c.name]), object_id)
        number = block.epochs.exposure_id + first
        numbered = replace(block.epochs, exposure_id=-((load_run_id << _IDENTIFIER_BITS) + number))
        yield from divided(replace(block, epochs=numbered), borders)
        first += number.size


def divided(block: ExternalBlock, borders: IntArray) -> list[ExternalBlock]:
    """Cut a block where seasons begin and end, so that whoever asks for a season's blocks gets its points.

    Parameters
    ----------
    block
        As it was measured, of photometry alone.
    borders
        Shape (n,), ascending: days (MJD TDB) on which a season of any survey begins, or that are the first
        after one.

    Returns
    -------
    list of ExternalBlock
        In order of time. Each begins on the border before its points, those before all borders on a multiple
        of 368 days.
    """
    mjd = block.epochs.mjd_tdb
    place = np.searchsorted(borders, mjd, side="right")
    edge = [0, *(np.flatnonzero(np.diff(place)) + 1).tolist(), mjd.size]
    return [_part(block, slice(a, b), _start(mjd[a], int(place[a]), borders)) for a, b in pairwise(edge)]


def _start(mjd: float, n_before: int, borders: IntArray) -> int:
    """First day of a block whose first point has so many borders before it."""
    return int(borders[n_before - 1]) if n_before else int(mjd) // _DAYS_A_PLACE * _DAYS_A_PLACE


def _part(block: ExternalBlock, some: slice, start: int) -> ExternalBlock:
    """Some epochs of a block, as a block that begins on another day."""
    epochs = Epochs(*(getattr(block.epochs, one.name)[some] for one in fields(Epochs)))
    matrices = block.photometry.segments
    segments = SegmentMatrix(matrices.flux[:, some], matrices.flux_err[:, some], matrices.flags[:, some])
    photometry = photometry_of(block.photometry.object_id, segments, block.photometry.reference_flux)
    key = replace(block.key, start_mjd=start, end_mjd=int(epochs.mjd_tdb[-1]) + 1)
    return ExternalBlock(key, epochs, photometry)


def _block(
    points: ExternalPoints, band: str, curves: list[Curve], object_id: Mapping[str, int]
) -> ExternalBlock:
    """A block whose exposures are numbered from 0."""
    one = slice(curves[0].start, curves[0].stop)
    bjd = points.bjd_tdb[one]
    mjd = to_mjd_tdb(bjd, np.nan_to_num(points.ra[one]), np.nan_to_num(points.dec[one]))
    nothing = np.full(bjd.size, NONE, np.int64)
    epochs = Epochs(np.arange(bjd.size, dtype=np.int64), mjd, bjd, nothing, nothing)
    key = BlockKey(None, None, band, KIND, int(mjd[0]), int(mjd[-1]) + 1)
    flux, error, flags = (
        np.stack([getattr(points, name)[c.start : c.stop] for c in curves])
        for name in ("flux", "flux_err", "flags")
    )
    segments = SegmentMatrix(flux.astype(np.float32), error.astype(np.float32), flags.astype(np.uint16))
    ids = np.array([object_id[c.name] for c in curves], np.int64)
    return ExternalBlock(key, epochs, photometry_of(ids, segments, np.median(flux, axis=1)))


def photometry_of(
    object_id: IntArray, segments: SegmentMatrix, reference_flux: FloatArray
) -> BlockPhotometry:
    """Photometry of a block that has fluxes alone; shapes as in `BlockPhotometry`."""
    size = segments.flux.shape[1]
    unknown = np.full(object_id.size, np.nan)
    nothing = empty(size, 4), empty(size, 7)
    return BlockPhotometry(object_id, segments, reference_flux, *nothing, unknown, unknown, unknown)


def empty(n_epoch: int, n_column: int) -> MeasurementMatrix:
    """Measurements of no object."""
    return MeasurementMatrix(
        np.empty(0, np.int64), [np.empty((0, n_epoch), np.float32) for _ in range(n_column)]
    )
