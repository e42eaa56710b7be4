"""Which rows belong to a tile, and which to its margin, by where they are on the sky."""

from __future__ import annotations

import cdshealpix.nested
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from astropy.coordinates import Latitude, Longitude, angular_separation

from roman_db.archive.hats.tile import FINEST

IntArray = npt.NDArray[np.int64]

#: Name of the column that HATS sorts rows by, and its type.
INDEX = pa.field(
    "_healpix_29",
    pa.int64(),
    metadata={"ucd": "pos.healpix", "description": "Nested HEALPix pixel of order 29 of ra, dec."},
)


def spatial_index(rows: pa.Table) -> IntArray:
    """Nested HEALPix pixel of order 29 of each row, by ``ra`` and ``dec`` in deg."""
    lon = Longitude(rows["ra"].to_numpy(), "deg", copy=False)
    lat = Latitude(rows["dec"].to_numpy(), "deg", copy=False)
    return np.asarray(cdshealpix.nested.lonlat_to_healpix(lon, lat, FINEST, num_threads=1), np.int64)


def indexed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows in the order of their places, with the pixels in front, in a schema that begins with them."""
    pixel = spatial_index(rows)
    table = pa.Table.from_arrays([pa.chunked_array([pixel]), *rows.columns], schema=schema)
    is_ordered = bool(np.all(pixel[1:] >= pixel[:-1]))
    return table if is_ordered else table.take(pa.array(np.argsort(pixel, kind="stable")))


def chosen(rows: pa.Table, mask: npt.NDArray[np.bool_]) -> pa.Table:
    """Rows of a mask; all of them without a copy."""
    return rows if mask.all() else rows.filter(pa.array(mask))


def separation(first: IntArray, second: IntArray) -> npt.NDArray[np.float64]:
    """Distances between the centres of pixels of order 29, arcsec."""
    if first.size == 0:
        return np.zeros(0)
    lon, lat = cdshealpix.nested.healpix_to_lonlat(np.concatenate([first, second]), FINEST, num_threads=1)
    (lon_1, lon_2), (lat_1, lat_2) = np.split(lon.rad, 2), np.split(lat.rad, 2)
    return np.asarray(np.degrees(angular_separation(lon_1, lat_1, lon_2, lat_2)) * 3600)
