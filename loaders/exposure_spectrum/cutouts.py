"""2D cut-outs of the spectra of an exposure, others taken off: a Parquet file, a row for each spectrum.

Images are lists, row by row of the trace: of ``n_x`` columns and as many rows as there are wavelengths.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loaders.exposure_spectrum.measure import Measured
from loaders.input_file import fingerprint
from loaders.output_folder import writable_folder, writing
from loaders.spectral_extraction.spectrum import Decontaminated
from loaders.wfi.catalog_product import write_whole

AT_ONCE = 64
"""Spectra in memory at a time, and in a group of rows of the file, so that one is read without the others."""

_IMAGES = {
    "rate": ("s**-1", "Electrons a second without sky and others; NaN in pixels that are not used"),
    "variance": ("s**-2", "Variance of rate, with that of what was taken off"),
    "other_rate": ("s**-1", "What the model of all others brings, which was taken off"),
    "profile": ("", "Share of the light of a row of the trace in each pixel, by the direct image"),
}


def _field(name: str, kind: pa.DataType, unit: str, description: str) -> pa.Field:
    """Column that is never empty, with the words that products have."""
    return pa.field(name, kind, False, {"unit": unit or "None", "description": description})


SCHEMA = pa.schema(
    [
        _field("object_id", pa.int64(), "", "Object"),
        _field("x_corner", pa.int32(), "pixel", "First column (from 0) of the exposure in the cut-out"),
        _field("y_corner", pa.int32(), "pixel", "First row of the same"),
        _field("n_x", pa.int32(), "pixel", "Number of its columns"),
        _field("row_wavelength", pa.list_(pa.float64()), "um", "Wavelength of each of its rows"),
        *(_field(name, pa.list_(pa.float32()), *words) for name, words in _IMAGES.items()),
    ]
)


def cutout_file(measured: Measured, path: Path, kept: Collection[Path]) -> dict[str, str]:
    """Write the cut-outs of an exposure, and remove files of it that a run left that did not come to its end.

    Parameters
    ----------
    measured
        What the exposure gives.
    path
        File: ``<exposure>_run<number>_cutouts.parquet``.
    kept
        Files of the exposure that are still referred to.

    Returns
    -------
    Columns of its row in the database: none without a spectrum.

    Raises
    ------
    Rejected
        Code ``unwritable_folder``.
    """
    if not measured.spectra:
        return {}
    folder = writable_folder(path.parent)
    with writing(folder):
        for left in folder.glob(f"{path.name.rpartition('_run')[0]}_run*_cutouts.parquet"):
            if left not in kept:
                left.unlink(missing_ok=True)
        write_whole(path, lambda part: write_cutouts(measured, part))
    return {"cutout_path": str(path), "cutout_sha256": str(fingerprint(path)[0])}


def write_cutouts(measured: Measured, path: Path) -> None:
    """Write the cut-outs of all spectra of an exposure, by object, some at a time.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If nothing was extracted.
    """
    extraction, object_id = measured.extraction, measured.object_id
    if extraction is None:
        raise ValueError("nothing was extracted of which there could be cut-outs")
    numbers = sorted(measured.spectra, key=lambda n: int(object_id[n]))
    # Bytes of numbers side by side are packed to 0.89 of what they are packed to else.
    split = [f"{name}.list.element" for name in ("row_wavelength", *_IMAGES)]
    packed = {"compression": "zstd", "use_dictionary": False, "use_byte_stream_split": split}
    with pq.ParquetWriter(path, SCHEMA, **packed) as writer:
        for first in range(0, len(numbers), AT_ONCE):
            some = numbers[first : first + AT_ONCE]
            rows = [_row(int(object_id[n]), extraction.cutout(n)) for n in some]
            writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))


def _row(object_id: int, cutout: Decontaminated) -> dict[str, object]:
    """Row of a cut-out."""
    images = zip(_IMAGES, (cutout.rate, cutout.variance, cutout.other, cutout.profile), strict=True)
    return {
        "object_id": object_id,
        "x_corner": cutout.corner[0],
        "y_corner": cutout.corner[1],
        "n_x": cutout.rate.shape[1],
        "row_wavelength": cutout.wavelength,
        **{name: image.astype(np.float32).ravel() for name, image in images},
    }
