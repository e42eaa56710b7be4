"""Photometry of blocks that wait on disk until they are stored together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from loaders.light_curve.block import BlockPhotometry, MeasurementMatrix
from loaders.light_curve.summary import SegmentMatrix

_SEGMENTS = ("flux", "flux_err", "flags")
_OF_OBJECTS = ("object_id", "reference_flux", "mean_reduced_chi2", "mean_crowding", "mean_background")
_MATRICES = ("astrometry", "shape")


def spool(photometry: BlockPhotometry, path: Path) -> Callable[[], BlockPhotometry]:
    """Write the photometry of a block to a file, and give the function that reads it back, bit for bit.

    Parameters
    ----------
    path
        Name of the new file, with suffix ``.npz``. It takes as much as the arrays in memory.
    """
    arrays = {name: getattr(photometry, name) for name in _OF_OBJECTS}
    arrays |= {name: getattr(photometry.segments, name) for name in _SEGMENTS}
    for name in _MATRICES:
        matrix: MeasurementMatrix = getattr(photometry, name)
        arrays |= {f"{name}_{k}": array for k, array in enumerate((matrix.object_id, *matrix.arrays))}
    np.savez(path, **arrays)
    return lambda: _read(path)


def _read(path: Path) -> BlockPhotometry:
    """Read the photometry of a block."""
    with np.load(path) as stored:
        return BlockPhotometry(
            segments=SegmentMatrix(*(stored[name] for name in _SEGMENTS)),
            **{name: stored[name] for name in _OF_OBJECTS},
            astrometry=_matrix(stored, "astrometry"),
            shape=_matrix(stored, "shape"),
        )


def _matrix(stored: np.lib.npyio.NpzFile, name: str) -> MeasurementMatrix:
    """Group of measurements: the objects, then the columns."""
    count = sum(key.rpartition("_")[0] == name for key in stored)
    object_id, *arrays = (stored[f"{name}_{k}"] for k in range(count))
    return MeasurementMatrix(object_id, arrays)
