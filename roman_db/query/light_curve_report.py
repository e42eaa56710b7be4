"""A light curve in a few lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import sqlalchemy as sa

from roman_db import session
from roman_db.query.coordinates import sexagesimal
from roman_db.query.light_curve import CataloguedObject, LightCurve
from roman_db.query.photometry import SeriesSummary, ab_magnitude, summarise

#: Columns of the table of series: name and width, negative to the left.
_COLUMNS = {
    "element": -9, "kind": -6, "points": 8, "flagged": 9, "failed": 8, "mean AB": 10, "scatter": 9,
    "error": 8, "catalog": 10,
}  # fmt: skip


def report(light_curve: LightCurve) -> Iterator[str]:
    """Yield lines: the object, a line a series, and which flags there are."""
    target = light_curve.target
    yield f"object   {target.object_id}"
    place = f"{sexagesimal(target.ra, target.dec)}  ({target.ra:.7f}, {target.dec:+.7f}) deg ICRS"
    yield f"position {place} at {target.ref_epoch:g}"
    if not light_curve.series:
        yield "no photometry of this object is in the database"
        return
    summaries = [summarise(series, target) for series in light_curve.series]
    yield ""
    yield _cells(_COLUMNS) + "  BJD_TDB"
    yield from (_line(summary) for summary in summaries)
    yield from _flag_lines(summaries)


def neighbours(objects: Sequence[CataloguedObject], most: int = 10) -> Iterator[str]:
    """Yield lines that list the objects of a cone and say which one is taken."""
    if len(objects) == 1:
        return
    yield f"{len(objects)} objects are within the radius; the nearest is taken:"
    for one in objects[:most]:
        mags = (f"{element} {_mag(flux)}" for element, flux in sorted(one.flux.items()))
        yield f"  {one.object_id:>19}  {one.distance:8.3f} arcsec  {', '.join(mags)}".rstrip()
    if len(objects) > most:
        yield f"  and {len(objects) - most} more"
    yield ""


def flag_names() -> dict[int, str]:
    """Names of the photometry flags by number of the bit."""
    with session.reading() as connection:
        rows = connection.execute(sa.text("SELECT bit, name FROM roman.photometry_flag"))
        return {int(bit): str(name) for bit, name in rows}


def _line(summary: SeriesSummary) -> str:
    """One series."""
    counts = (summary.n_point, summary.n_flagged, summary.n_failed)
    mags = (summary.mean_mag, summary.scatter_mag, summary.error_mag, summary.catalog_mag)
    cells = (summary.optical_element, summary.photometry_kind, *map(str, counts), *map(_number, mags))
    return f"{_cells(cells)}  {summary.first_bjd_tdb:.4f} to {summary.last_bjd_tdb:.4f}"


def _cells(texts: Iterable[str]) -> str:
    """Texts in the columns of the table."""
    return "".join(
        text.rjust(width) if width > 0 else text.ljust(-width)
        for text, width in zip(texts, _COLUMNS.values(), strict=True)
    )


def _flag_lines(summaries: Sequence[SeriesSummary]) -> Iterator[str]:
    """Yield how many points carry which flag, if any does."""
    counts: dict[int, int] = {}
    for summary in summaries:
        for bit, count in summary.flag_counts.items():
            counts[bit] = counts.get(bit, 0) + count
    if counts:
        names: Mapping[int, str] = flag_names()
        yield ""
        yield "flags: " + ", ".join(
            f"{names.get(bit, f'bit {bit}')} {n}" for bit, n in sorted(counts.items())
        )


def _mag(flux: float) -> str:
    """AB magnitude of a flux in nJy."""
    return _number(float(ab_magnitude(flux)))


def _number(value: float) -> str:
    """Number with three decimals; nothing for NaN."""
    return f"{value:.3f}" if np.isfinite(value) else "-"
