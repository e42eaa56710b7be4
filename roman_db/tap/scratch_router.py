"""``POST /account/scratch``: the result of a query stays in the database, as a table of the account."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError

from roman_db.accounts.admission import Admission
from roman_db.accounts.authentication import current_account, require
from roman_db.accounts.scratch import Saved, save_query
from roman_db.accounts.storable import Storable
from roman_db.accounts.token_store import SignedIn
from roman_db.accounts.tokens import Scope
from roman_db.accounts.usage import Kind
from roman_db.service_failure import BadRequest, Failure
from roman_db.tap.adql import AdqlError, Translation, translate
from roman_db.tap.answer_area import area_sql
from roman_db.tap.connections import Connections
from roman_db.tap.scratch_catalog import catalog_for, comments_of
from roman_db.tap.server_words import from_server

_log = structlog.get_logger()


class TableWish(BaseModel):
    """A scratch table that is wanted."""

    name: Storable = Field(max_length=63)
    query: Storable = Field(max_length=300_000)


def scratch_router() -> APIRouter:
    """Address at which scratch tables are made."""
    made = APIRouter(prefix="/account", tags=["account"])
    made.post("/scratch", status_code=201)(make_table)
    return made


def _saved(save: Callable[[], Saved], seconds: float) -> Saved:
    """Make the table; what the server says of the query becomes words for its author."""
    try:
        return save()
    except DBAPIError as error:
        failure = from_server(str(error.orig), seconds)
        if type(failure) is Failure:
            _log.error("scratch table not made", error=str(error))
        raise failure from error


async def make_table(
    request: Request, caller: Annotated[SignedIn, Depends(current_account)], wish: TableWish
) -> dict[str, Any]:
    """Make a scratch table of a query in ADQL; it waits for its turn as other queries do."""
    account = require(caller, Scope.SCRATCH)
    admission: Admission = request.app.state.admission
    connections: Connections = request.app.state.connections
    admitted = admission.admit(account, Kind.SCRATCH, account.limits.rows)

    def translated() -> Translation:
        try:
            return translate(wish.query, catalog_for(account, wish.query))
        except AdqlError as error:
            raise BadRequest(str(error)) from error

    translation = await connections.in_thread(translated)
    comments = comments_of(translation.columns)
    save = partial(save_query, account, wish.name, translation.sql, comments, area_sql(translation.columns))
    async with admission.running(admitted) as meter:
        saved = await connections.in_thread(partial(_saved, save, admitted.seconds))
        meter.n_row, meter.n_byte, meter.sky_area = saved.n_row, saved.n_byte, saved.sky_area
    return {"schema": account.scratch_schema, "name": wish.name, "n_row": saved.n_row, "n_byte": saved.n_byte}
