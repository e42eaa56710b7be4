"""Area of the sky that a request beside TAP processes, where that is known before it runs."""

from __future__ import annotations

import math

from starlette.requests import Request

from roman_db.accounts.admission import Admission, Admitted, check_area
from roman_db.accounts.side_places import SideWork
from roman_db.tap.accounting import RoleConnections
from roman_db.tap.answer_area import area_of_ids
from roman_db.vo.stored_coverage import StoredCoverage
from roman_db.vo.time_series import Wanted

#: Area of the sky, deg2.
_WHOLE_SKY = 4 * 180.0**2 / math.pi


def area_of_circle(radius: float) -> float:
    """Area (deg2) of a circle on the sphere of a radius (deg): 2 pi (1 - cos r)."""
    return _WHOLE_SKY * math.sin(math.radians(radius) / 2) ** 2


def area_of_wanted(wanted: Wanted) -> float:
    """Area (deg2) of the cells in which named objects lie, and of the circles around places."""
    ids = area_of_ids([one.number for one in wanted.products]) if wanted.products else 0.0
    return ids + len(wanted.places) * area_of_circle(wanted.radius)


async def check_processed(request: Request, admitted: Admitted, area: float) -> None:
    """Say whether an account may process an area (deg2); what no exposure covers is no part of it.

    Raises
    ------
    TooMuch
        If it is larger than it may be.
    TooMany
        If too many requests of the account wait to know already.
    """
    if area > admitted.account.limits.sky_area:
        state = request.app.state
        admission: Admission = state.admission
        coverage: StoredCoverage = state.coverage
        async with admission.beside.place(SideWork.LOOKING, admitted.party):
            covered = await coverage.area(RoleConnections(state.connections, admitted))
        check_area(admitted.account, min(area, covered))
