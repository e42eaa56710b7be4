"""Who asks for a page or its data: what is read for it is read in the role of the account."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request

from roman_db.accounts.admission import Admission
from roman_db.accounts.authentication import current_account, party_of_request
from roman_db.accounts.reading import asker_of
from roman_db.accounts.side_places import SideWork
from roman_db.asker import asked_by
from roman_db.portal.reading import TIMEOUT_S


async def read_for_account(request: Request) -> AsyncIterator[None]:
    """Have the queries of a request run as its account's; a dependency of FastAPI.

    Raises
    ------
    NotSignedIn
        If there are credentials that do not sign in.
    """
    account = (await current_account(request)).account
    seconds = min(TIMEOUT_S, account.limits.seconds_sync)
    with asked_by(asker_of(account, seconds, request.app.state.settings.tap_memory_mb)):
        yield


async def wait_for_place(request: Request) -> AsyncIterator[None]:
    """Have a page wait for its turn, and hold a place until it is made; a dependency of FastAPI.

    Raises
    ------
    Failure
        If there are credentials that do not sign in, or too many pages are waited for.
    """
    admission: Admission = request.app.state.admission
    async with admission.beside.place(SideWork.PAGE, await party_of_request(request)):
        yield
