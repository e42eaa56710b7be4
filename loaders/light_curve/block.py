"""Blocks: the exposures that the light curves of a detector share, and the photometry in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from loaders.light_curve.summary import SegmentMatrix

FloatArray = npt.NDArray[np.float64]
FloatMatrix = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]

#: In ``Epochs.file_id``: which file was measured is not known. In ``Epochs.psf_model_id``: the PSF of the
#: optics served. Stored as NULL.
NONE = -1

#: In ``Epochs.psf_model_id``: which PSF served was not recorded.
NOT_RECORDED = 0


@dataclass(frozen=True)
class BlockKey:
    """What all exposures of a block have in common. ``photometry_kind``: see `roman.light_curve_block`.

    Field and detector are None of light curves that others measured.
    """

    field_id: int | None
    detector: str | None
    optical_element: str
    photometry_kind: str
    start_mjd: int
    end_mjd: int


@dataclass(frozen=True)
class Epochs:
    """Exposures in order of time, and what each was measured from.

    Parameters
    ----------
    exposure_id
        Shape (n_epoch,): identifiers.
    mjd_tdb, bjd_tdb
        Shape (n_epoch,): midpoints in TDB, at the observatory as MJD and at the barycentre of the solar
        system as BJD.
    file_id
        Shape (n_epoch,): file that was measured, or `NONE`.
    psf_model_id
        Shape (n_epoch,): PSF that it was measured with, `NONE` or `NOT_RECORDED`.
    """

    exposure_id: Int64Array
    mjd_tdb: FloatArray
    bjd_tdb: FloatArray
    file_id: Int64Array
    psf_model_id: Int64Array

    def __post_init__(self) -> None:
        shapes = {field.name: getattr(self, field.name).shape for field in fields(self)}
        if len(set(shapes.values())) != 1:
            raise ValueError(f"the arrays of epochs must have the same shape, got {shapes}")
        if np.any(np.diff(self.mjd_tdb) < 0):
            raise ValueError("epochs must be in order of time")


@dataclass(frozen=True)
class MeasurementMatrix:
    """A group of measurements that bright objects carry beside their flux.

    Parameters
    ----------
    object_id
        Shape (n_bright,), ascending: the objects with at least one measurement.
    arrays
        One matrix of shape (n_bright, n_epoch) for each column of the segment table; NaN: not measured.
    """

    object_id: Int64Array
    arrays: Sequence[FloatMatrix]


@dataclass(frozen=True)
class BlockPhotometry:
    """All that was measured in the exposures of one block.

    Parameters
    ----------
    object_id
        Shape (n_object,), ascending.
    segments
        Fluxes (nJy), errors and flags, shape (n_object, n_epoch).
    reference_flux
        Shape (n_object,), nJy: catalogued flux, NaN where unknown.
    astrometry, shape
        Measurements for ``astrometry_segment`` and ``shape_segment``.
    mean_reduced_chi2, mean_crowding, mean_background
        Shape (n_object,): means over the epochs, NaN where there is none; background in nJy a pixel.
    """

    object_id: Int64Array
    segments: SegmentMatrix
    reference_flux: FloatArray
    astrometry: MeasurementMatrix
    shape: MeasurementMatrix
    mean_reduced_chi2: FloatArray
    mean_crowding: FloatArray
    mean_background: FloatArray

    def __post_init__(self) -> None:
        if np.any(np.diff(self.object_id) <= 0):
            raise ValueError("object_id must be ascending and without repetition")


def epochs_in_order(parts: Sequence[Epochs]) -> tuple[Epochs, Int64Array, Int64Array]:
    """Merge the epochs of several blocks into one sequence.

    Returns
    -------
    epochs
        All epochs in order of time.
    column
        Position in ``epochs`` of every epoch of the parts, laid end to end.
    start
        Where each part begins in ``column``; one more than there are parts.
    """
    mjd = np.concatenate([part.mjd_tdb for part in parts])
    order = np.argsort(mjd, kind="stable")
    column = np.empty(order.size, np.int64)
    column[order] = np.arange(order.size)
    start = np.cumsum([0] + [part.mjd_tdb.size for part in parts])
    merged = Epochs(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])[order]
            for field in fields(Epochs)
        }
    )
    return merged, column, start
