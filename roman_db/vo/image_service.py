"""Images and their files, and the sky that they cover: SODA, ``/data`` and ``/coverage``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response

from roman_db.service_failure import BadRequest
from roman_db.tap.accounting import RoleConnections
from roman_db.vo.coverage import FINEST, FORMS, USUAL_ORDER, coverage_of_ranges
from roman_db.vo.cutout import Missing, cutout
from roman_db.vo.identifier import Product, read_identifier
from roman_db.vo.interval import TAKEN, in_tdb, read_interval, refuse_filters
from roman_db.vo.parameters import Parameters
from roman_db.vo.products import facts_of, known_of
from roman_db.vo.region import read_region
from roman_db.vo.stored_coverage import StoredCoverage

_IMAGES = ("exposure", "reference_image")
_WITH_FILES = (*_IMAGES, "difference_image", "spectrum")
_FITS = "application/fits"
_MEDIA_TYPES = {
    ".asdf": "application/x-asdf", ".parquet": "application/vnd.apache.parquet", ".fits": _FITS,
    ".vot": "application/x-votable+xml",
}  # fmt: skip


async def cutout_response(parameters: Parameters, connections: RoleConnections) -> Response:
    """Cutout of an image (SODA 1.0); no content where it has nothing of region, times or wavelengths.

    Raises
    ------
    Failure
        If a parameter makes no sense, or the image is not at hand.
    """
    refuse_filters(parameters, TAKEN, "images")
    region = read_region(parameters)
    times, band = read_interval(parameters, "TIME"), read_interval(parameters, "BAND")
    product, facts = await _product(parameters, connections, _IMAGES)
    covered = times if product.kind == "exposure" else in_tdb(times)
    if not covered.meets(facts["t_min"], facts["t_max"]) or not band.meets(facts["em_min"], facts["em_max"]):
        return Response(status_code=204)
    cards = {
        "TELESCOP": "Roman", "INSTRUME": "WFI", "FILTER": facts["optical_element"],
        "DETECTOR": facts["detector"], "MJD-AVG": facts["mjd"],
        "TIMESYS": "UTC" if product.kind == "exposure" else "TDB",
        "PRODUCT": f"{product.kind}/{product.number}",
    }  # fmt: skip
    content = await connections.in_thread(partial(cutout, Path(facts["path"]), region, cards))
    if content is None:
        return Response(status_code=204)
    name = f"roman_{product.kind}_{product.number}.fits"
    return Response(content, media_type=_FITS, headers=_as_file(name))


async def data_response(parameters: Parameters, connections: RoleConnections) -> Response:
    """File of a product as it is stored.

    Raises
    ------
    Failure
        If there is none.
    """
    _, facts = await _product(parameters, connections, _WITH_FILES)
    path = Path(facts["path"])
    if not path.is_file():
        raise Missing("the file of the product is not at hand")
    kind = _MEDIA_TYPES.get(path.suffix)
    return FileResponse(path, media_type=kind, filename=path.name, stat_result=path.stat())


async def coverage_response(
    parameters: Parameters, connections: RoleConnections, coverage: StoredCoverage
) -> Response:
    """Sky that exposures cover.

    Raises
    ------
    Failure
        If a parameter makes no sense.
    """
    element = parameters.one("OPTICAL_ELEMENT") or ""
    if not (element.isascii() and (element.isalnum() or not element)):
        raise BadRequest(f"OPTICAL_ELEMENT must be a name such as F146, got {element[:60]!r}")
    form = parameters.choice("FORMAT", FORMS, "fits")
    order = parameters.whole("ORDER", 0, FINEST, USUAL_ORDER)
    moc = coverage_of_ranges(await coverage.ranges(connections, element), order)
    media_type, write = FORMS[form]
    return Response(write(moc), media_type=media_type)


async def _product(
    parameters: Parameters, connections: RoleConnections, kinds: tuple[str, ...]
) -> tuple[Product, dict[str, Any]]:
    """The one product of a request, and what is known of it."""
    given = parameters.one("ID")
    if given is None:
        raise BadRequest("ID is missing: the identifier of a product")
    product = read_identifier(given)
    if product is None or product.kind not in kinds:
        raise BadRequest(f"ID must name one of {', '.join(kinds)}, got {given[:100]!r}")
    facts = facts_of(product, await known_of([product], connections))
    if facts is None or facts["path"] is None:
        raise Missing(f"there is no file of {given[:100]!r}")
    return product, facts


def _as_file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}
