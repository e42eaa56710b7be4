"""The portal as a part of the server's application."""

from __future__ import annotations

import structlog
from adbc_driver_manager import dbapi
from fastapi import Depends, FastAPI
from sqlalchemy.exc import DBAPIError, TimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from roman_db.accounts.authentication import Respond
from roman_db.portal import account_data, account_pages, data, pages, sky_data, spectrum_pages
from roman_db.portal.answer import problem
from roman_db.portal.asking import read_for_account, wait_for_place
from roman_db.portal.calculations import NoCalculation
from roman_db.portal.page import BUNDLE
from roman_db.portal.sign_in import CookieSignIn

_log = structlog.get_logger()


def mount_portal(application: FastAPI, respond: Respond) -> None:
    """Add pages, their data, and what browsers load; ``respond`` answers whom it cannot sign in."""
    place = Depends(wait_for_place, scope="function")  # given back before the page is sent
    for part in (pages, spectrum_pages, account_pages):
        application.include_router(part.router, dependencies=[Depends(read_for_account), place])
    for part in (data, sky_data, account_data):  # have their places from `roman_db.tap.accounted_service`
        application.include_router(part.router, dependencies=[Depends(read_for_account)])
    application.add_middleware(CookieSignIn, respond=respond)
    bundle = StaticFiles(directory=BUNDLE, check_dir=False)
    application.mount("/portal/bundle", bundle, name="portal_bundle")
    application.add_exception_handler(NoCalculation, _no_calculation)
    for kind in (DBAPIError, TimeoutError, dbapi.Error):
        application.add_exception_handler(kind, _no_answer)


def _no_calculation(request: Request, error: Exception) -> Response:
    _log.error("no calculation", path=request.url.path, error=str(error))
    return problem(
        "The server lacks a part that this page needs; whoever runs it finds out more in its log.", 501
    )


def _no_answer(request: Request, error: Exception) -> Response:
    """Say nothing of the query and of the server to whoever asked."""
    _log.error("query of the portal failed", path=request.url.path, error=str(error))
    return problem("The database did not answer in time, or cannot be reached at the moment.", 503)
