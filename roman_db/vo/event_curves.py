"""Curves of the models of an event, and what the believed one leaves, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from roman_db.service_failure import BadRequest
from roman_db.tap.adql import OutputColumn
from roman_db.tap.answer_rows import Answer, conformed, schema_of
from roman_db.tap.formats.choice import VOTABLE, Format
from roman_db.vo.parameters import Parameters, number
from roman_db.vo.time_series_document import with_barycentric_times

_TIME = "bjd_tdb"
_ELEMENT = OutputColumn(
    "optical_element", "char", "*", None, None, "meta.id;instr.filter", "Optical element.", None
)
_AT = OutputColumn(_TIME, "double", None, None, "d", "time.epoch", "Time at the barycentre, BJD (TDB).", None)
_FLUX_UCD = "phot.flux.density"
#: Columns of each of the two tables.
CURVES = (
    OutputColumn("rank", "int", None, None, None, "meta.number", "Rank; 1 is the believed model.", None),
    OutputColumn("name", "char", "*", None, None, "meta.id", "What the model is called.", None),
    _ELEMENT, _AT,
    OutputColumn("flux", "double", None, None, "nJy", f"{_FLUX_UCD};meta.modelled", "Flux of it.", None),
)  # fmt: skip
RESIDUALS = (
    _ELEMENT, _AT,
    OutputColumn("flux", "double", None, None, "nJy", _FLUX_UCD, "Flux of the point.", None),
    OutputColumn("flux_err", "double", None, None, "nJy", f"stat.error;{_FLUX_UCD}", "Its error.", None),
    OutputColumn(
        "residual", "double", None, None, None, "stat.fit.residual",
        "What the believed model leaves of it, in errors; NaN where the model has no such element.", None,
    ),
)  # fmt: skip
Document = Mapping[str, Any]


def read_span(parameters: Parameters) -> tuple[float, float] | None:
    """First and last time (BJD TDB) of SPAN; None for the time of the event.

    Raises
    ------
    BadRequest
        If it is no such pair.
    """
    text = parameters.one("SPAN")
    if text is None:
        return None
    parts = text.split()
    if len(parts) == 2:
        first, last = (number("SPAN", one, 2_400_000, 2_600_000) for one in parts)
        if first < last:
            return first, last
    raise BadRequest(f"SPAN must be the first and the last time, BJD (TDB), got {text[:60]!r}")


def curves_of(document: Document) -> pa.RecordBatch:
    """Rows of `CURVES`: model after model, element after element, in order of time."""
    parts = [
        (one["rank"], one["name"], element, one["time"], flux)
        for one in document["models"]
        for element, flux in one["flux"].items()
    ]
    return _batch(CURVES, parts, [len(time) for *_, time, _ in parts])


def residuals_of(document: Document) -> pa.RecordBatch:
    """Rows of `RESIDUALS`: all points, element after element."""
    names = ("optical_element", "time", "flux", "flux_err", "residual")
    parts = [tuple(one[name] for name in names) for one in document["bands"]]
    return _batch(RESIDUALS, parts, [len(time) for _, time, *_ in parts])


def written(batch: pa.RecordBatch, columns: Sequence[OutputColumn], chosen: Format, words: str) -> bytes:
    """File with the rows, which says in VOTables what its times are.

    Parameters
    ----------
    batch, columns
        The rows, and what their columns are.
    chosen
        Format.
    words
        What was asked.
    """
    rows = iter([batch])
    pieces: Iterator[bytes] = chosen.write(Answer(words, columns, rows, n_row=batch.num_rows))
    if chosen.media_type.startswith(VOTABLE):
        pieces = with_barycentric_times(pieces, _TIME)
    return b"".join(pieces)


def _batch(
    columns: Sequence[OutputColumn], parts: Sequence[tuple[Any, ...]], lengths: Sequence[int]
) -> pa.RecordBatch:
    """Rows of parts, in which a value that is no array is that of all rows."""
    arrays = []
    for place in range(len(columns)):
        values = [np.broadcast_to(part[place], n) for part, n in zip(parts, lengths, strict=True)]
        arrays.append(pa.array(np.concatenate(values) if values else []))
    return conformed(pa.RecordBatch.from_arrays(arrays, [one.name for one in columns]), schema_of(columns))
