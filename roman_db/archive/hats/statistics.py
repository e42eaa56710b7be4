"""Statistics of all light curves of a collection, from its files alone.

They equal those of ``roman.light_curve_summary``, joined over its blocks, to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from roman_db.archive.hats.properties import values_of
from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_ELEMENT = "light_curve.optical_element.list.element"
_COLUMNS = (
    "object_id",
    _ELEMENT,
    *(f"light_curve.{name}.list.element" for name in ("flux", "flux_err", "flags")),
)
_NAMES = ("n_point", "mean_flux", "weighted_mean_flux", "chi2", "min_flux", "max_flux", "std_flux")


def tile_files(collection: Path) -> list[Path]:
    """Files of the tiles of the current state of a collection in a folder."""
    current = values_of((collection / "collection.properties").read_bytes())["hats_primary_table_url"]
    return sorted((collection / current / "dataset").glob("*/*/Npix=*.parquet"))


def flux_statistics(files: Sequence[Path], excluding: int, workers: int = 2) -> pa.Table:
    """Statistics of each object in each optical element.

    Parameters
    ----------
    files
        Tiles of a collection of light curves.
    excluding
        Flags, as bits, of points that do not count.
    workers
        Row groups that are read side by side.

    Returns
    -------
    Table
        ``object_id``, ``optical_element``, the number of points that count, their plain and their weighted
        mean flux, chi square about the latter, least and largest flux and standard deviation, nJy; NaN where
        no point counts.
    """
    metadata = {path: parquet.read_metadata(path) for path in files}
    parts = [(path, group) for path in files for group in range(metadata[path].num_row_groups)]

    def of_part(part: tuple[Path, int]) -> pa.Table:
        path, group = part
        with parquet.ParquetFile(path, metadata=metadata[path], read_dictionary=[_ELEMENT]) as file:
            return _of_rows(file.read_row_group(group, columns=list(_COLUMNS), use_threads=False), excluding)

    with ThreadPoolExecutor(workers) as pool:
        tables = list(pool.map(of_part, parts))
    return pa.concat_tables(tables)


def _of_rows(rows: pa.Table, excluding: int) -> pa.Table:
    """Statistics of the rows of a row group."""
    nested = rows["light_curve"]
    curve = nested.chunk(0) if nested.num_chunks == 1 else nested.combine_chunks()
    flux, flux_err = (_values(curve, name) for name in ("flux", "flux_err"))
    excluded = np.bitwise_and(_values(curve, "flags").astype(np.int32, copy=False), excluding)
    offset = curve.field("flux").offsets.to_numpy().astype(np.int64)
    element = curve.field("optical_element").flatten()
    index = element.indices.to_numpy()
    row, first = _runs(offset - offset[0], index)
    out = np.empty((len(_NAMES), row.size))
    _reduce(first, flux, flux_err, excluded, out)
    names = pa.DictionaryArray.from_arrays(pa.array(index[first[:-1]]), element.dictionary).cast(pa.string())
    found = {"object_id": rows["object_id"].to_numpy()[row], "optical_element": names}
    return pa.table(found | dict(zip(_NAMES, out, strict=True)) | {"n_point": out[0].astype(np.int64)})


def _values(curve: pa.StructArray, name: str) -> npt.NDArray[np.generic]:
    """Values of all lists of a column of points, end to end."""
    return np.asarray(curve.field(name).flatten().to_numpy())


@compiled()
def _runs(offset: IntArray, element: IntArray) -> tuple[IntArray, IntArray]:
    """Row and first point of each run of points of one object and element, and the end of the last."""
    row = np.empty(element.size, np.int64)
    first = np.empty(element.size + 1, np.int64)
    count = 0
    for at in range(offset.size - 1):
        for point in range(offset[at], offset[at + 1]):
            if point == offset[at] or element[point] != element[point - 1]:
                row[count], first[count] = at, point
                count += 1
    first[count] = element.size
    return row[:count], first[: count + 1]


@compiled()
def _reduce(
    first: IntArray, flux: FloatArray, flux_err: FloatArray, excluded: IntArray, out: FloatArray
) -> None:
    """Write the statistics of each run; means first, as squares about them do not cancel."""
    for run in range(first.size - 1):
        count, total, weight, weighted = 0, 0.0, 0.0, 0.0
        low, high = np.inf, -np.inf
        for point in range(first[run], first[run + 1]):
            value = np.float64(flux[point])
            if excluded[point] == 0 and value == value:
                one = 1 / np.float64(flux_err[point]) ** 2
                count, total = count + 1, total + value
                weight, weighted = weight + one, weighted + one * value
                low, high = min(low, value), max(high, value)
        out[:, run] = np.nan
        out[0, run] = count
        if count:
            mean, mean_weighted = total / count, weighted / weight
            chi2, square = 0.0, 0.0
            for point in range(first[run], first[run + 1]):
                value = np.float64(flux[point])
                if excluded[point] == 0 and value == value:
                    chi2 += ((value - mean_weighted) / np.float64(flux_err[point])) ** 2
                    square += (value - mean) ** 2
            out[1:, run] = (mean, mean_weighted, chi2, low, high, np.sqrt(square / count))
