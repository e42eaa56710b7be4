"""The measurements of many exposures laid out as the matrices of one block."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from loaders.astrometry.stars import CatalogStars
from loaders.light_curve.block import BlockPhotometry, MeasurementMatrix
from loaders.light_curve.summary import SegmentMatrix
from loaders.photometry.measure import ExposureMeasurement

FloatMatrix = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


def assemble_block(stars: CatalogStars, measurements: Sequence[ExposureMeasurement]) -> BlockPhotometry:
    """Lay out the measurements of exposures in order of time.

    Parameters
    ----------
    stars
        The catalog that the measurements refer to, ascending in object_id.
    measurements
        One for each exposure of the block.

    Returns
    -------
    BlockPhotometry
        Of the stars that were on the detector in at least one exposure.
    """
    star = np.unique(np.concatenate([measurement.star for measurement in measurements]))
    rows = [np.searchsorted(star, measurement.star) for measurement in measurements]

    def matrix(value: Callable[[ExposureMeasurement], npt.NDArray[np.float64]]) -> FloatMatrix:
        out = np.full((star.size, len(measurements)), np.nan, np.float32)
        for epoch, measurement in enumerate(measurements):
            out[rows[epoch], epoch] = value(measurement)
        return out

    flags = np.zeros((star.size, len(measurements)), np.uint16)
    for epoch, measurement in enumerate(measurements):
        flags[rows[epoch], epoch] = measurement.flags
    object_id = stars.object_id[star]
    chi2 = matrix(lambda m: m.reduced_chi2)
    astrometry = [
        matrix(lambda m, name=name: getattr(m, name))  # type: ignore[misc]
        for name in ("offset_ra", "offset_dec", "offset_ra_err", "offset_dec_err")
    ]
    shape = [matrix(lambda m, k=k: m.shape[k]) for k in range(6)]  # type: ignore[misc]
    return BlockPhotometry(
        object_id,
        SegmentMatrix(matrix(lambda m: m.flux), matrix(lambda m: m.flux_err), flags),
        stars.flux[star],
        _measured(object_id, astrometry, astrometry[0]),
        _measured(object_id, [*shape, np.where(np.isnan(shape[0]), np.float32(np.nan), chi2)], shape[0]),
        _mean(chi2),
        _mean(matrix(lambda m: m.crowding)),
        _mean(matrix(lambda m: m.background)),
    )


def _measured(object_id: IntArray, arrays: Sequence[FloatMatrix], key: FloatMatrix) -> MeasurementMatrix:
    """Rows in which the key matrix has a value."""
    rows = np.isfinite(key).any(axis=1)
    return MeasurementMatrix(object_id[rows], [array[rows] for array in arrays])


def _mean(values: FloatMatrix) -> npt.NDArray[np.float64]:
    """Mean over the epochs, NaN where there is none."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        return np.asarray(np.nanmean(values, axis=1, dtype=np.float64))
