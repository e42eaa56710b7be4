"""What ``roman-db lightcurve`` does: find the object, read its points, tell, write and draw them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from roman_db.query import light_curve_report
from roman_db.query.error import QueryError
from roman_db.query.light_curve import (
    CataloguedObject,
    Cone,
    LightCurve,
    find_object,
    find_objects,
    read_light_curve,
)
from roman_db.query.output import FORMATS, PICTURES, Format, format_of, opened

#: Formats that the points are written in.
POINT_FORMATS = {name: FORMATS[name] for name in ("csv", "parquet", "votable")} | {
    "ecsv": Format("ecsv:write_ecsv", (".ecsv",))
}


@dataclass(frozen=True)
class Wanted:
    """What the user gave: an identifier or a cone, a selection, and files to write."""

    object_id: int | None = None
    ra: float | None = None
    dec: float | None = None
    radius: float = 1.0
    element: str | None = None
    kind: str | None = None
    plot: Path | None = None
    out: Path | None = None


def show(wanted: Wanted) -> Iterator[str]:
    """Yield what is to be told, and write the files.

    Raises
    ------
    QueryError
        If there is no such object, nothing to draw, or a file cannot be written.
    """
    out_format = None if wanted.out is None else POINT_FORMATS[format_of(wanted.out, POINT_FORMATS)]
    if wanted.plot is not None and wanted.plot.suffix.lower() not in PICTURES:
        raise QueryError(f"cannot draw into {wanted.plot.name}: end it in one of {', '.join(PICTURES)}")
    objects = _find(wanted)
    yield from light_curve_report.neighbours(objects)
    light_curve = read_light_curve(objects[0], wanted.element, wanted.kind)
    yield from light_curve_report.report(light_curve)
    if wanted.out is not None and out_format is not None:
        yield _write(light_curve, wanted.out, out_format)
    if wanted.plot is not None:
        yield _draw(light_curve, wanted.plot)


def _find(wanted: Wanted) -> list[CataloguedObject]:
    """Objects that are meant, the best first."""
    has_cone = wanted.ra is not None or wanted.dec is not None
    if (wanted.object_id is not None) == has_cone:
        raise QueryError("give --id, or --ra and --dec with --radius")
    if wanted.object_id is not None:
        return [find_object(wanted.object_id)]
    if wanted.ra is None or wanted.dec is None:
        raise QueryError("give both --ra and --dec")
    return find_objects(Cone(wanted.ra, wanted.dec, wanted.radius))


def _write(light_curve: LightCurve, out: Path, out_format: Format) -> str:
    """Write the points and say so."""
    with opened(out) as sink:
        out_format.write(light_curve.as_result(), sink)
    return f"{light_curve.points.num_rows} points written to {out}"


def _draw(light_curve: LightCurve, path: Path) -> str:
    """Draw the points and say so."""
    from roman_db.query.plot import save_plot

    save_plot(light_curve, path)
    return f"plot drawn into {path}"
