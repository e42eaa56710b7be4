"""Lists of measured sources in files, whoever measured them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loaders.catalog.read import read_catalog
from loaders.recovery.match import MeasuredSources
from loaders.rejection import Rejected

_COLUMNS = ("ra", "dec", "flux_njy", "flux_err")


def read_measured(path: Path) -> MeasuredSources:
    """Read measured sources from Parquet, FITS, VOTable or ECSV.

    Parameters
    ----------
    path
        A table with ``ra, dec`` (deg ICRS), ``flux_njy`` and ``flux_err`` (nJy); other columns are not looked
        at.

    Raises
    ------
    Rejected
        Codes of `loaders.catalog.read.open_catalog`, and ``missing_columns``, ``not_numbers``. A table
        without rows is a list of none.
    """
    try:
        table, _ = read_catalog(path)
    except Rejected as rejected:
        if rejected.code == "no_rows":
            return MeasuredSources(*(np.empty(0) for _ in _COLUMNS))
        raise
    if missing := [name for name in _COLUMNS if name not in table]:
        remedy = f"Name the columns {', '.join(_COLUMNS)}"
        raise Rejected(str(path), f"the table lacks {', '.join(missing)}", remedy, "missing_columns")
    try:
        columns = [np.ma.filled(np.ma.asarray(table[name]).astype(np.float64), np.nan) for name in _COLUMNS]
    except (TypeError, ValueError) as error:
        remedy = f"Give numbers in {', '.join(_COLUMNS)}"
        raise Rejected(str(path), "a column holds no numbers", remedy, "not_numbers") from error
    return MeasuredSources(*columns)
