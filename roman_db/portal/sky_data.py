"""What the view of the sky asks for: coverage, objects and images of a place."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from roman_db.portal.answer import json_response, problem
from roman_db.portal.calculations import calculation
from roman_db.portal.coverage import coverage
from roman_db.portal.picture import png
from roman_db.portal.reading import rows

router = APIRouter(prefix="/portal/data", include_in_schema=False)

RightAscension = Annotated[float, Query(ge=0, le=360)]
Declination = Annotated[float, Query(ge=-90, le=90)]

#: Objects and images that are shown; objects that are compared; degrees about the middle of a view.
_MOST_OBJECTS, _MOST_IMAGES, _LOOKED_AT, _WIDEST_DEG = 2000, 24, 20_000, 0.5


@router.get("/coverage")
def covered() -> Response:
    """Maps of the sky that exposures cover."""
    return json_response(coverage())


@router.get("/objects")
def objects(ra: RightAscension, dec: Declination, radius: Annotated[float, Query(gt=0, le=180)]) -> Response:
    """Brightest objects about a place; none where a circle (deg) is too wide or holds too many to compare."""
    if radius > _WIDEST_DEG:
        return json_response({"objects": [], "is_cut": False, "is_crowded": True})
    place = {"ra": ra, "dec": dec, "radius": radius}
    found = rows("bright_objects", **place, looked_at=_LOOKED_AT, most=_MOST_OBJECTS + 1)
    if found and found[0]["n_near"] >= _LOOKED_AT:
        return json_response({"objects": [], "is_cut": False, "is_crowded": True})
    listed = [one | {"object_id": str(one["object_id"])} for one in found[:_MOST_OBJECTS]]
    cut = len(found) > _MOST_OBJECTS
    return json_response({"objects": listed, "is_cut": cut, "is_crowded": False})


@router.get("/images")
def images(ra: RightAscension, dec: Declination) -> Response:
    """Current reference images about a place."""
    return json_response(rows("reference_images", ra=ra, dec=dec, radius=_WIDEST_DEG, most=_MOST_IMAGES))


@router.get("/image/{reference_image_id}.png")
def image(reference_image_id: int) -> Response:
    """A reference image in levels of grey."""
    try:
        picture, _ = _image(reference_image_id)
    except _NoImage as error:
        return problem(str(error), 404)
    return Response(picture, media_type="image/png", headers={"Cache-Control": "max-age=3600"})


@router.get("/image/{reference_image_id}/wcs")
def image_wcs(reference_image_id: int) -> Response:
    """Where the pixels of a reference image are on the sky, as FITS keywords."""
    try:
        _, wcs = _image(reference_image_id)
    except _NoImage as error:
        return problem(str(error), 404)
    return json_response(wcs)


class _NoImage(Exception):
    """A reference image that cannot be shown."""


@lru_cache(_MOST_IMAGES)
def _image(reference_image_id: int) -> tuple[bytes, dict[str, Any]]:
    """Picture of a reference image and its WCS, kept: an image does not change, and is asked for both."""
    found = calculation("sky_image")(reference_image_id)
    if found is None:
        raise _NoImage("There is no such image, or its file cannot be read.")
    return png(found["levels"]), found["wcs"]
