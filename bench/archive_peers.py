"""What others do with the same data: see `bench.archive`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from bench.server import seconds

#: Order of pixels of a detector's size divided into some tens.
_ORDER = 9


def plain_pyarrow(table: pa.Table, folder: Path) -> None:
    """Write the rows of each pixel to a file; no margins, no order, nothing said of it."""
    folder.mkdir(exist_ok=True)
    pixel = table["object_id"].to_numpy() >> 2 * (29 - _ORDER)
    for one in np.unique(pixel):
        part = table.filter(pa.array(pixel == one))
        parquet.write_table(part, folder / f"{one}.parquet", compression="zstd")


def hats_import(source: Path, folder: Path) -> None:
    """Import a file as hats-import does, in one process."""
    from dask.distributed import Client
    from hats_import.catalog.arguments import ImportArguments
    from hats_import.pipeline import pipeline_with_client

    arguments = ImportArguments(
        output_path=folder,
        output_artifact_name="objects",
        input_file_list=[source],
        file_reader="parquet",
        pixel_threshold=1_000_000,
        progress_bar=False,
    )
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        pipeline_with_client(arguments, client)


def duckdb_statistics(files: Sequence[Path]) -> None:
    """Count, mean, least and largest flux of each object of a flat table of the same points."""
    import duckdb

    flat = files[0].parents[5] / "flat.parquet"
    names = ", ".join(f"'{path}'" for path in files)
    if not flat.exists():
        duckdb.sql(
            f"COPY (SELECT object_id, unnest(light_curve.flux) AS flux FROM read_parquet([{names}])) "
            f"TO '{flat}' (FORMAT parquet)"
        )
    duckdb.sql(
        f"SELECT object_id, count(*), avg(flux), min(flux), max(flux) FROM '{flat}' GROUP BY object_id"
    ).fetchnumpy()


def lsdb_crossmatch(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray], folder: Path
) -> float:
    """Seconds of a crossmatch of two collections that are on disk, in the scheduler that LSDB takes."""
    import lsdb
    import pandas as pd

    opened = []
    for name, (ra, dec) in (("left", first), ("right", second)):
        frame = pd.DataFrame({"ra": ra, "dec": dec, "number": np.arange(ra.size)})
        catalog = lsdb.from_dataframe(frame, catalog_name=name, margin_threshold=5)
        catalog.write_catalog(folder / name)
        opened.append(lsdb.open_catalog(folder / name))
    return seconds(lambda: opened[0].crossmatch(opened[1], radius_arcsec=1).compute())
