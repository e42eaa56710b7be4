"""From points to blocks: light curves that share their times, in one matrix for each season."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from loaders.external_light_curve.contents import Contents, Curve, SharedTimes, block_plans, curves_of
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
class ExternalBlock:
    """A block to be stored, or some objects of it.

    Parameters
    ----------
    key, epochs
        What it is of.
    photometry
        That of these objects.
    n_object
        Number of its objects, those of other parts of the file included.
    """

    key: BlockKey
    epochs: Epochs
    photometry: BlockPhotometry
    n_object: int


class BlockMaker:
    """Makes blocks of a file part by part: the light curves of a band that have the same times are of one.

    Epochs are kept for as long as light curves are to come that have them.

    Parameters
    ----------
    contents
        What all parts of the file have.
    object_id
        Identifier by name; names that are missing are left out.
    load_run_id
        Run that writes, for the numbers in place of exposures: these are negative, and no two alike.
    borders
        As in `divided`.
    """

    def __init__(
        self, contents: Contents, object_id: Mapping[str, int], load_run_id: int, borders: IntArray
    ) -> None:
        self._object_id = object_id
        self._first = -(load_run_id << _IDENTIFIER_BITS)
        self._borders = borders
        self._plans = block_plans(contents, object_id)
        self._left = {times: plan.n_object for times, plan in self._plans.items()}
        self._epochs: dict[SharedTimes, Epochs] = {}

    def blocks(self, points: ExternalPoints) -> Iterator[ExternalBlock]:
        """Blocks of a part, or their next objects, cut where seasons meet.

        Parameters
        ----------
        points
            In the order of `loaders.external_light_curve.points.points_of`.
        """
        groups: dict[SharedTimes, list[Curve]] = {}
        for curve in curves_of(points):
            if curve.name in self._object_id:
                groups.setdefault(curve.times(points), []).append(curve)
        for times, curves in groups.items():
            curves.sort(key=lambda curve: self._object_id[curve.name])
            epochs = self._epochs_of(times, points.bjd_tdb[curves[0].start : curves[0].stop], len(curves))
            photometry = _photometry(points, curves, self._object_id)
            mjd = epochs.mjd_tdb
            key = BlockKey(None, None, times[0], KIND, int(mjd[0]), int(mjd[-1]) + 1)
            block = ExternalBlock(key, epochs, photometry, self._plans[times].n_object)
            yield from divided(block, self._borders)

    def _epochs_of(self, times: SharedTimes, bjd: FloatArray, n_curve: int) -> Epochs:
        """Epochs of a block, of which so many light curves have come."""
        plan = self._plans[times]
        epochs = self._epochs.pop(times, None)
        if epochs is None:
            number = self._first - (np.arange(bjd.size, dtype=np.int64) + plan.number)
            mjd = to_mjd_tdb(bjd, *np.nan_to_num(plan.place))
            nothing = np.full(bjd.size, NONE, np.int64)
            epochs = Epochs(number, mjd, bjd, nothing, nothing)
        self._left[times] -= n_curve
        if self._left[times]:
            self._epochs[times] = epochs
        return epochs


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
    return ExternalBlock(key, epochs, photometry, block.n_object)


def _photometry(points: ExternalPoints, curves: list[Curve], object_id: Mapping[str, int]) -> BlockPhotometry:
    """Photometry of light curves that have the same times."""
    flux, error, flags = (
        np.stack([getattr(points, name)[c.start : c.stop] for c in curves])
        for name in ("flux", "flux_err", "flags")
    )
    segments = SegmentMatrix(flux.astype(np.float32), error.astype(np.float32), flags.astype(np.uint16))
    ids = np.array([object_id[c.name] for c in curves], np.int64)
    return photometry_of(ids, segments, np.median(flux, axis=1))


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
