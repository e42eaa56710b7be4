"""Rows of time series, one a point, made of segments with arrays: whole batches at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from roman_db.vo.interval import ALL, Interval

#: AB magnitude of 1 nJy: 2.5 log10(3631 Jy / 1 nJy) (Oke & Gunn 1983), as ``roman.ab_magnitude`` has it.
_AB_ZERO_POINT = 31.400066
#: 2.5 / ln 10: error of a magnitude by relative error of a flux, to first order.
_MAGNITUDE_ERROR = 1.0857362
_ARRAYS = ("midpoint_bjd_tdb", "midpoint_mjd_tdb", "flux", "flux_err", "exposure_id")


def points_of(segments: pa.RecordBatch, names: list[str], times: Interval) -> pa.RecordBatch:
    """Points of some times that were measured or are flagged, segment after segment.

    Parameters
    ----------
    segments
        Rows of ``queries/services/time_series.sql``; fluxes in nJy, NaN where there is none.
    names
        Columns of the points, in their order; ``ab_mag`` and ``ab_mag_err`` (mag) are NULL where the flux is
        not a positive number.
    times
        First and last midpoint at the observatory, MJD (TDB).
    """
    count = pc.list_value_length(segments["flux"]).to_numpy(zero_copy_only=False)
    columns = {name: segments[name].flatten() for name in _ARRAYS}
    flags = _flags(segments["flags"], count)
    flux = columns["flux"].to_numpy(zero_copy_only=False)
    is_kept = ~np.isnan(flux) | (flags != 0)
    if times != ALL:
        mjd = columns["midpoint_mjd_tdb"].to_numpy(zero_copy_only=False)
        is_kept &= (mjd >= times.low) & (mjd <= times.high)
    kept = np.flatnonzero(is_kept)
    row = pa.array(np.repeat(np.arange(segments.num_rows), count)[kept])
    taken = {name: values.take(pa.array(kept)) for name, values in columns.items()}
    taken |= _magnitudes(
        flux[kept].astype(np.float64), taken["flux_err"].to_numpy(zero_copy_only=False).astype(np.float64)
    )
    taken["flags"] = pa.array(flags[kept])
    return pa.RecordBatch.from_arrays(
        [taken[name] if name in taken else segments[name].take(row) for name in names], names=names
    )


def _flags(flags: pa.Array, count: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
    """Flags of all points; 0 in segments without any."""
    found = np.zeros(int(count.sum()), np.int32)
    has_any = flags.is_valid().to_numpy(zero_copy_only=False)
    found[np.repeat(has_any, count)] = flags.flatten().to_numpy(zero_copy_only=False)
    return found


def _magnitudes(flux: npt.NDArray[np.float64], flux_err: npt.NDArray[np.float64]) -> dict[str, pa.Array]:
    """AB magnitudes and their errors, from fluxes in nJy."""
    is_positive = (flux > 0) & np.isfinite(flux)
    positive = np.where(is_positive, flux, 1.0)
    values = {
        "ab_mag": _AB_ZERO_POINT - 2.5 * np.log10(positive),
        "ab_mag_err": _MAGNITUDE_ERROR * flux_err / positive,
    }
    return {name: pa.array(value, mask=~is_positive) for name, value in values.items()}
