"""What the plots of the pages ask for, in JSON and pictures; points are thinned to what a screen can show."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from starlette.responses import Response

from roman_db.portal.answer import json_response, problem
from roman_db.portal.calculations import calculation
from roman_db.portal.curve import seasons_of, shown, span_of, thinned_band
from roman_db.portal.decimation import highest
from roman_db.portal.kept_curves import kept_curves
from roman_db.portal.picture import png
from roman_db.portal.reading import array, row, rows

router = APIRouter(prefix="/portal/data", include_in_schema=False)

#: Width of a plot in pixels that may be asked for.
Columns = Annotated[int, Query(ge=50, le=4000)]
Identifier = Annotated[int, Query(ge=0, lt=2**63)]

_SPECTRUM = 3000
_NEIGHBOURS = 400


@router.get("/object/{object_id}/light_curve")
def light_curve(
    object_id: int,
    kind: str,
    first: float | None = None,
    last: float | None = None,
    columns: Columns = 1000,
) -> Response:
    """Points of an object between two times (BJD TDB), all times unless given."""
    curves = kept_curves(object_id, kind)
    whole = span_of(curves)
    if whole is None:
        return problem(f"There is no light curve of kind {kind[:40]} with a point that has a flux.", 404)
    span = (whole[0] if first is None else first, whole[1] if last is None else last)
    if not span[0] < span[1]:
        return problem(f"The first time must be before the last, got {span[0]} and {span[1]}.", 400)
    series = [shown(one.measured, span, columns).document() for one in curves]
    failed = sum(int(np.isnan(one.flux).sum()) for one in curves)
    said = {"span": span, "whole": whole, "seasons": seasons_of(curves), "n_failed": failed}
    return json_response(said | {"series": series})


@router.get("/object/{object_id}/fold")
def fold(
    object_id: int,
    kind: str,
    period: Annotated[float, Query(gt=0, le=1e5)],
    epoch: float = 0.0,
    columns: Columns = 500,
) -> Response:
    """Points of an object over the phase (0 to 1) of a period, days; phase 0 is at ``epoch`` (BJD TDB)."""
    series = []
    for one in kept_curves(object_id, kind):
        measured = one.measured
        phase = (measured.time - epoch) / period % 1.0
        kept = shown(measured, (0.0, 1.0), columns, phase)
        series.append(kept.document((kept.curve.time - epoch) / period % 1.0))
    return json_response({"period": period, "epoch": epoch, "series": series})


@router.get("/object/{object_id}/periodogram")
def periodogram(object_id: int, kind: str) -> Response:
    """Periodogram of an object, computed now, with the best period."""
    found = calculation("periodogram")(object_id, kind)
    if found is None:
        return problem("There are too few points for a period, or they are all alike.", 404)
    top = highest(found["power"], _SPECTRUM)
    spectrum = {"frequency": found["frequency"][top], "power": found["power"][top]}
    return json_response(found | spectrum)


@router.get("/object/{object_id}/astrometry")
def astrometry(object_id: int, kind: str) -> Response:
    """Places of an object beside its catalogued one, mas."""
    points = rows("astrometry_points", object_id=object_id, photometry_kind=kind)
    names = (
        "optical_element",
        "midpoint_bjd_tdb",
        "offset_ra",
        "offset_ra_err",
        "offset_dec",
        "offset_dec_err",
    )
    return json_response({name: [one[name] for one in points] for name in names})


@router.get("/object/{object_id}/neighbours")
def neighbours(object_id: int, radius: Annotated[float, Query(gt=0, le=60)] = 5.0) -> Response:
    """Objects near one, arcsec east and north of it."""
    target = row("object", object_id=object_id)
    if target is None:
        return problem(f"There is no object {object_id}.", 404)
    place = {"ra": target["ra"], "dec": target["dec"]}
    near = rows("objects_in_cone", **place, radius=radius, most=_NEIGHBOURS + 1)
    listed = array(one["object_id"] for one in near)
    known = {one["object_id"]: one for one in rows("brightness_of_objects", objects=listed)}
    narrow = np.cos(np.radians(place["dec"]))
    return json_response(
        [
            known[one["object_id"]]
            | {
                "object_id": str(one["object_id"]),
                "distance": one["distance"],
                "east": ((one["ra"] - place["ra"] + 180) % 360 - 180) * narrow * 3600,
                "north": (one["dec"] - place["dec"]) * 3600,
            }
            for one in near
            if one["object_id"] != object_id
        ]
    )


@router.get("/object/{object_id}/finder.png")
def finder(object_id: int, half: Annotated[float, Query(gt=0, le=60)] = 5.0) -> Response:
    """Cutout of a reference image about an object, north up and east left."""
    target = row("object", object_id=object_id)
    found = None if target is None else calculation("finder")(target["ra"], target["dec"], half)
    if found is None:
        return problem("No reference image shows this place.", 404)
    said = {"X-Image": f"{found['name']}; {found['scale']:.4f} arcsec a pixel"}
    return Response(png(found["levels"]), media_type="image/png", headers=said)


@router.get("/event/{event_id}/curves")
def event_curves(
    event_id: int, first: float | None = None, last: float | None = None, columns: Columns = 1000
) -> Response:
    """Points of an event between two times (BJD TDB), its models and what they leave, and its caustics."""
    found = row("event", event_id=event_id)
    if found is None:
        return problem(f"There is no event {event_id}.", 404)
    span = None if first is None or last is None else (first, last)
    if span is not None and not span[0] < span[1]:
        return problem(f"The first time must be before the last, got {first} and {last}.", 400)
    document = calculation("event_curves")(found, span)
    if document is None:
        return problem("It has no model that can be drawn.", 404)
    span = span or document["window"]
    bands = [thinned_band(one, span, columns) for one in document["bands"]]
    return json_response(document | {"span": span, "bands": bands})


@router.get("/event/{event_id}/posterior.png")
def event_posterior(event_id: int) -> Response:
    """Picture of the posterior of the believed model of an event."""
    found = row("event", event_id=event_id)
    picture = None if found is None else calculation("event_posterior")(found)
    if picture is None:
        return problem("The posterior of its believed model was not sampled.", 404)
    return Response(picture, media_type="image/png", headers={"Cache-Control": "no-cache"})


@router.get("/metric/{metric}")
def metric(metric: str) -> Response:
    """Values of a quality metric of exposures over time."""
    values = rows("metric_trend", metric=metric, most=5000)
    names = ("midpoint_mjd_tdb", "value", "lower", "upper", "verdict", "optical_element")
    document: dict[str, Any] = {name: [one[name] for one in values] for name in names}
    document["exposure_id"] = [str(one["exposure_id"]) for one in values]
    return json_response(document)


@router.get("/flags")
def flags() -> Response:
    """What the bits of flags mean."""
    return json_response(rows("photometry_flags"))
