"""Catalogs that the tests write, in all four formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from loaders.catalog.sources import Sources

FORMATS = ("parquet", "fits", "votable", "ecsv")
WriteCatalog = Callable[[Table, str], Path]


@pytest.fixture
def write_catalog(tmp_path: Path) -> WriteCatalog:
    """Return a function that writes a table in a format and returns the file."""

    def write(table: Table, kind: str) -> Path:
        path = tmp_path / f"catalog.{kind}"
        if kind == "parquet":
            _write_parquet(table, path)
        elif kind == "ecsv":
            table.write(path, format="ascii.ecsv")
        else:
            table.write(path, format=kind)
        return path

    return write


def _write_parquet(table: Table, path: Path) -> None:
    """Units as field metadata, the way this project exports them; masked values as nulls."""
    fields, arrays = [], []
    for name, column in table.columns.items():
        mask = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else None
        array = pa.array(np.asarray(column), mask=mask)
        metadata = {"unit": str(column.unit)} if column.unit is not None else {}
        metadata |= {"ucd": column.meta["ucd"]} if "ucd" in column.meta else {}
        fields.append(pa.field(name, array.type, metadata=metadata))
        arrays.append(array)
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), path, row_group_size=7)


@pytest.fixture
def make_sources() -> Callable[..., Sources]:
    """Return a function that makes sources, all columns but those given plain or unknown."""

    def make(ra, dec, **columns) -> Sources:
        n = len(ra)
        unknown = np.full(n, np.nan)
        defaults = {
            "row": np.arange(n),
            "source_id": np.array([f"s{k}" for k in range(n)], dtype=object),
            "ref_epoch": np.full(n, 2016.0),
            **dict.fromkeys(
                (
                    "ra_err",
                    "dec_err",
                    "pm_ra",
                    "pm_dec",
                    "pm_ra_err",
                    "pm_dec_err",
                    "parallax",
                    "parallax_err",
                ),
                unknown,
            ),
        }
        given = {name: np.asarray(values) if name not in ("flux", "flux_err") else values
                 for name, values in columns.items()}  # fmt: skip
        flux = given.pop("flux", {})
        errors = given.pop("flux_err", dict.fromkeys(flux, unknown))
        numbers = {"ra": np.asarray(ra, dtype=float), "dec": np.asarray(dec, dtype=float)}
        return Sources(**{**defaults, **numbers, **given}, flux=flux, flux_err=errors)

    return make
