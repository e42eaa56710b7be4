"""Light curves of many objects out of their blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from roman_db import session

FloatArray = npt.NDArray[np.float64]

#: Objects whose points are read at once.
AT_ONCE = 2_000

_CURVES = """
SELECT s.object_id, b.optical_element, b.midpoint_bjd_tdb, s.flux, s.flux_err,
       coalesce(roman.expand_flag_run(s.flag_run, b.n_epoch), array_fill(0, ARRAY[b.n_epoch])) AS flags
FROM roman.light_curve_segment s
JOIN roman.light_curve_block b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
WHERE s.object_id = ANY($1) AND b.photometry_kind = $2 AND s.start_mjd >= $3 AND s.start_mjd < $4
ORDER BY s.object_id, b.optical_element, b.start_mjd, b.block_id
"""

_NEWEST = """
SELECT coalesce(max(b.load_run_id), 0) FROM roman.light_curve_block b
WHERE b.superseded_at IS NULL AND b.photometry_kind = :photometry_kind
  AND b.start_mjd >= :from_mjd AND b.start_mjd < :to_mjd
"""


@dataclass(frozen=True)
class StoredCurve:
    """The light curve of an object in one optical element, in order of blocks; shape (n,) each.

    Parameters
    ----------
    object_id, optical_element
        Of which object and in which element.
    time
        BJD (TDB), days.
    flux, error
        nJy; NaN where not measured.
    flags
        Photometry flags.
    """

    object_id: int
    optical_element: str
    time: FloatArray
    flux: FloatArray
    error: FloatArray
    flags: npt.NDArray[np.int64]

    @property
    def n_measured(self) -> int:
        """Points with a flux."""
        return int(np.count_nonzero(np.isfinite(self.flux)))

    def counting(self, excluding_flags: int) -> npt.NDArray[np.bool_]:
        """Points with a flux, an error above zero and none of some flags, shape (n,)."""
        measured = np.isfinite(self.flux) & np.isfinite(self.error) & (np.nan_to_num(self.error) > 0)
        return np.asarray(measured & (self.flags & excluding_flags == 0))


def read_curves(
    object_ids: Sequence[int],
    photometry_kind: str,
    from_mjd: int,
    to_mjd: int,
    role: session.Role = session.Role.LOADER,
) -> Iterator[StoredCurve]:
    """Read the light curves of objects, by object and optical element.

    Parameters
    ----------
    object_ids
        The objects; one without a point has no curve.
    photometry_kind
        See ``roman.light_curve_block``.
    from_mjd, to_mjd
        First day (MJD TDB), and first day that is left out.
    role
        On whose behalf.
    """
    with session.arrow_connection(role) as connection, connection.cursor() as cursor:
        for begin in range(0, len(object_ids), AT_ONCE):
            some = [int(one) for one in object_ids[begin : begin + AT_ONCE]]
            cursor.execute(_CURVES, (some, photometry_kind, from_mjd, to_mjd))
            yield from _curves(cursor.fetch_arrow_table())


def _curves(rows: Any) -> Iterator[StoredCurve]:
    """The curves of a table of segments, which are in order."""
    if rows.num_rows == 0:
        return
    rows = rows.combine_chunks()
    objects = rows["object_id"].to_numpy()
    elements = np.array(rows["optical_element"].to_pylist())
    lists = [rows[name].combine_chunks() for name in ("midpoint_bjd_tdb", "flux", "flux_err", "flags")]
    offset = lists[0].offsets.to_numpy()
    time, flux, error, flags = (one.flatten().to_numpy(zero_copy_only=False) for one in lists)
    changes = (np.diff(objects) != 0) | (elements[1:] != elements[:-1])
    begins = np.concatenate([[0], np.flatnonzero(changes) + 1])
    for first, last in zip(begins, [*begins[1:], objects.size], strict=True):
        part = slice(offset[first], offset[last])
        yield StoredCurve(
            int(objects[first]),
            str(elements[first]),
            time[part],
            flux[part].astype(np.float64),
            error[part].astype(np.float64),
            flags[part].astype(np.int64),
        )


def newest_light_curves(connection: sa.Connection, given: Mapping[str, Any]) -> int:
    """Run that last wrote light curves of a kind within some days; 0 if none did."""
    return int(connection.execute(sa.text(_NEWEST), given).scalar_one())
