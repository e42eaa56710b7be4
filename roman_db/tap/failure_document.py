"""In which document a failure is told: VOTable of queries, JSON of accounts and pages, text of others."""

from __future__ import annotations

import math

from starlette.requests import Request
from starlette.responses import Response

from roman_db.accounts.authentication import CHALLENGES
from roman_db.portal.answer import json_response, problem
from roman_db.service_failure import Failure, NotSignedIn
from roman_db.tap.formats.choice import VOTABLE
from roman_db.tap.formats.votable import error_document
from roman_db.vo.failure_document import cone_error, spectral_error, text_error

#: Services whose answers are VOTables, by the first part of their address.
_TABLES = ("tap", "timeseries", "ssa")


def failure_response(request: Request, failure: Failure, query: str | None = None) -> Response:
    """Answer that says why there is no other, when to ask again, and how to sign in where that helps.

    Parameters
    ----------
    request
        What was asked; its address chooses the document.
    failure
        What is wrong.
    query
        The query in ADQL, which a VOTable repeats.
    """
    response = _document(request.url.path, failure, query)
    if failure.retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(failure.retry_after_s)))
    if failure.status == NotSignedIn.status:
        for challenge in CHALLENGES:
            response.headers.append("WWW-Authenticate", challenge)
    return response


def _document(path: str, failure: Failure, query: str | None) -> Response:
    """The document alone."""
    if path.strip("/") == "ssa":
        return spectral_error(failure)
    service = path.lstrip("/").partition("/")[0]
    if service in _TABLES:
        return Response(error_document(str(failure), query), failure.status, media_type=VOTABLE)
    if service == "scs":
        return cone_error(failure)
    if service == "account":
        return json_response({"detail": str(failure)}, failure.status)
    return problem(str(failure), failure.status) if service == "portal" else text_error(failure)
