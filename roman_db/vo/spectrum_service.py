"""What ``/ssa`` answers without a query, and ``/ssa/data``: a spectrum in a format."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from roman_db.accounts.admission import Meter
from roman_db.service_failure import BadRequest, NotFound
from roman_db.tap.accounting import RoleConnections
from roman_db.tap.formats.choice import VOTABLE, chosen_format
from roman_db.vo.capabilities import parameters_of
from roman_db.vo.identifier import read_identifier
from roman_db.vo.parameters import Parameters
from roman_db.vo.spectral_access import columns
from roman_db.vo.spectral_document import metadata_document
from roman_db.vo.spectrum_document import spectrum_file
from roman_db.vo.stored import rows_of
from roman_db.vo.votable_head import Param

_SUFFIXES = {"application/fits": "fits", VOTABLE: "vot", "application/vnd.apache.parquet": "parquet"}


def metadata_response() -> Response:
    """Parameters and columns of the service."""
    inputs = [
        Param(f"INPUT:{one.name}", "", unit=one.unit, ucd=one.ucd, description=one.description)
        for one in parameters_of("ssa")
    ]
    return Response(metadata_document(columns(), inputs), media_type=VOTABLE)


async def spectrum_response(parameters: Parameters, meter: Meter, connections: RoleConnections) -> Response:
    """Give a spectrum, also one that is superseded.

    Raises
    ------
    Failure
        If a parameter makes no sense, or there is no such spectrum.
    """
    given = parameters.one("ID") or ""
    product = read_identifier(given)
    if product is None or product.kind != "spectrum":
        raise BadRequest(f"ID must name a spectrum, such as spectrum/12, got {given[:100]!r}")
    chosen = chosen_format(parameters.one("RESPONSEFORMAT") or parameters.one("FORMAT"))
    found = await rows_of(connections, "spectrum", spectrum_id=product.number)
    if not found:
        raise NotFound(f"there is no spectrum {product.number}")
    content = await connections.in_thread(partial(spectrum_file, found[0], chosen))
    meter.n_row = len(found[0]["flux"])
    suffix = _SUFFIXES.get(chosen.media_type, chosen.aliases[0] if chosen.aliases else "vot")
    name = f"roman_spectrum_{product.number}.{suffix.replace('/', '_')}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=chosen.media_type, headers=headers)
