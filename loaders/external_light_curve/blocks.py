"""From points to blocks: light curves that share their times, in one matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from loaders.external_light_curve.points import ExternalPoints
from loaders.external_light_curve.times import to_mjd_tdb
from loaders.light_curve.block import NONE, BlockKey, BlockPhotometry, Epochs, MeasurementMatrix
from loaders.light_curve.summary import SegmentMatrix

KIND = "external"
"""Kind of photometry of light curves that others measured."""

_DAYS_A_PLACE = 368
"""Blocks begin at multiples of so many days, so that few partitions hold them."""

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
    points: ExternalPoints, object_id: Mapping[str, int], load_run_id: int
) -> Iterator[ExternalBlock]:
    """Make a block of all light curves in a band that have the same times.

    Parameters
    ----------
    points
        In the order of `loaders.external_light_curve.points.points_of`.
    object_id
        Identifier by name; names that are missing are left out.
    load_run_id
        Run that writes, for the numbers in place of exposures: these are negative, and no two alike.

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
        yield _numbered(block, -((load_run_id << _IDENTIFIER_BITS) + number))
        first += number.size


def _block(
    points: ExternalPoints, band: str, curves: list[Curve], object_id: Mapping[str, int]
) -> ExternalBlock:
    """A block whose exposures are numbered from 0."""
    one = slice(curves[0].start, curves[0].stop)
    bjd = points.bjd_tdb[one]
    mjd = to_mjd_tdb(bjd, np.nan_to_num(points.ra[one]), np.nan_to_num(points.dec[one]))
    nothing = np.full(bjd.size, NONE, np.int64)
    epochs = Epochs(np.arange(bjd.size, dtype=np.int64), mjd, bjd, nothing, nothing)
    start = int(mjd[0]) // _DAYS_A_PLACE * _DAYS_A_PLACE
    key = BlockKey(None, None, band, KIND, start, int(mjd[-1]) + 1)
    flux, error, flags = (
        np.stack([getattr(points, name)[c.start : c.stop] for c in curves])
        for name in ("flux", "flux_err", "flags")
    )
    segments = SegmentMatrix(flux.astype(np.float32), error.astype(np.float32), flags.astype(np.uint16))
    unknown = np.full(len(curves), np.nan)
    photometry = BlockPhotometry(
        np.array([object_id[c.name] for c in curves], np.int64),
        segments,
        np.median(flux, axis=1),
        _nothing(bjd.size, 4),
        _nothing(bjd.size, 7),
        unknown,
        unknown,
        unknown,
    )
    return ExternalBlock(key, epochs, photometry)


def _numbered(block: ExternalBlock, exposure_id: npt.NDArray[np.int64]) -> ExternalBlock:
    """The block with other numbers in place of exposures."""
    old = block.epochs
    epochs = Epochs(exposure_id, old.mjd_tdb, old.bjd_tdb, old.file_id, old.psf_model_id)
    return ExternalBlock(block.key, epochs, block.photometry)


def _nothing(n_epoch: int, n_column: int) -> MeasurementMatrix:
    """Measurements of no object."""
    return MeasurementMatrix(
        np.empty(0, np.int64), [np.empty((0, n_epoch), np.float32) for _ in range(n_column)]
    )
