"""What the view of the sky asks for: coverage, objects and images of a place."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from roman_db.portal.answer import json_response, problem
from roman_db.portal.calculations import calculation
from roman_db.portal.coverage import coverage
from roman_db.portal.names import known_names
from roman_db.portal.picture import png
from roman_db.portal.reading import rows

router = APIRouter(prefix="/portal/data", include_in_schema=False)

RightAscension = Annotated[float, Query(ge=0, le=360)]
Declination = Annotated[float, Query(ge=-90, le=90)]

_MOST_OBJECTS, _MOST_IMAGES = 2000, 24
_LARGEST_DEG = 0.5


@router.get("/names")
def names() -> Response:
    """Names for the editor of ADQL."""
    return json_response(known_names())


@router.get("/coverage")
def covered() -> Response:
    """Maps of the sky that exposures cover."""
    return json_response(coverage())


@router.get("/objects")
def objects(ra: RightAscension, dec: Declination, radius: Annotated[float, Query(gt=0, le=180)]) -> Response:
    """Brightest objects about a place; none where the circle (deg) is too large for them."""
    if radius > _LARGEST_DEG:
        return json_response({"objects": [], "is_cut": False, "largest": _LARGEST_DEG})
    place = {"ra": ra, "dec": dec, "radius": radius}
    found = rows("bright_objects", **place, most=_MOST_OBJECTS + 1)
    listed = [one | {"object_id": str(one["object_id"])} for one in found[:_MOST_OBJECTS]]
    return json_response({"objects": listed, "is_cut": len(found) > _MOST_OBJECTS, "largest": _LARGEST_DEG})


@router.get("/images")
def images(ra: RightAscension, dec: Declination) -> Response:
    """Current reference images about a place."""
    return json_response(rows("reference_images", ra=ra, dec=dec, radius=_LARGEST_DEG, most=_MOST_IMAGES))


@router.get("/image/{reference_image_id}.png")
def image(reference_image_id: int) -> Response:
    """A reference image in levels of grey."""
    found = calculation("sky_image")(reference_image_id)
    if found is None:
        return problem("There is no such image, or its file cannot be read.", 404)
    return Response(png(found["levels"]), media_type="image/png", headers={"Cache-Control": "max-age=3600"})


@router.get("/image/{reference_image_id}/wcs")
def image_wcs(reference_image_id: int) -> Response:
    """Where the pixels of a reference image are on the sky, as FITS keywords."""
    found = calculation("sky_image")(reference_image_id)
    if found is None:
        return problem("There is no such image, or its file cannot be read.", 404)
    return json_response(found["wcs"])
