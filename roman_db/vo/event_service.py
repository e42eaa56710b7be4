"""``/event_curves``: what the models of an event look like, as the page of the event draws them."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from roman_db.accounts.admission import Meter
from roman_db.asker import Asker, asked_by
from roman_db.portal.calculations import calculation
from roman_db.portal.reading import row
from roman_db.service_failure import BadRequest, NotFound
from roman_db.tap.accounting import RoleConnections
from roman_db.tap.formats.choice import chosen_format
from roman_db.vo.event_curves import CURVES, RESIDUALS, curves_of, read_span, residuals_of, written
from roman_db.vo.identifier import read_identifier
from roman_db.vo.parameters import Parameters

_TABLES = {"models": (curves_of, CURVES), "residuals": (residuals_of, RESIDUALS)}


async def event_curves_response(
    parameters: Parameters, meter: Meter, connections: RoleConnections
) -> Response:
    """Curves of models, or points with what the believed model leaves.

    Raises
    ------
    Failure
        If a parameter makes no sense, or there is no such event or model.
    """
    given = parameters.one("ID") or ""
    product = read_identifier(given)
    if product is None or product.kind != "event":
        raise BadRequest(f"ID must name an event, such as event/12, got {given[:100]!r}")
    make, columns = _TABLES[parameters.choice("WHAT", _TABLES, "models")]
    chosen = chosen_format(parameters.one("RESPONSEFORMAT") or parameters.one("FORMAT"))
    span, number = read_span(parameters), product.number

    def work() -> bytes:
        batch = make(_document(number, span, connections.asker))
        meter.n_row = batch.num_rows
        return written(batch, columns, chosen, f"curves of event {number}")

    return Response(await connections.in_thread(work), media_type=chosen.content_type)


def _document(number: int, span: tuple[float, float] | None, asker: Asker) -> dict[str, Any]:
    """What there is to be drawn of an event, read for somebody."""
    with asked_by(asker):
        found = row("event", event_id=number)
        if found is None:
            raise NotFound(f"there is no event {number}")
        document: dict[str, Any] | None = calculation("event_curves")(found, span)
    if document is None:
        raise NotFound(f"event {number} has no model that can be drawn")
    return document
