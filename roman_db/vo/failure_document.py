"""Documents that say why there is no answer."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from starlette.responses import Response

from roman_db.service_failure import BadRequest, Failure
from roman_db.tap.formats.choice import VOTABLE
from roman_db.tap.formats.votable import error_document

#: Kinds of errors by the status of the answer.
_FAULTS = {
    400: "UsageFault", 401: "AuthenticationFault", 403: "AuthorizationFault", 404: "NotFoundFault",
    429: "TransientFault", 503: "TransientFault",
}  # fmt: skip


def cone_error(failure: Failure) -> Response:
    """Error of a cone search: the standard (1.03, section 2.3) has an INFO ``Error``, and the status 200."""
    document = error_document(str(failure)).decode()
    info = f'<INFO ID="Error" name="Error" value={quoteattr(str(failure))}/>\n'
    content = document.replace("<RESOURCE ", f"{info}<RESOURCE ", 1)
    return Response(content, 200 if isinstance(failure, BadRequest) else failure.status, media_type=VOTABLE)


def spectral_error(failure: Failure) -> Response:
    """Error of Simple Spectral Access: QUERY_STATUS is ERROR, and the status 200 (1.1, section 8.10)."""
    content = error_document(str(failure))
    return Response(content, 200 if isinstance(failure, BadRequest) else failure.status, media_type=VOTABLE)


def text_error(failure: Failure) -> Response:
    """Error as DataLink 1.1 and SODA 1.0 have it: plain text that begins with the kind of error."""
    kind = _FAULTS.get(failure.status, "DefaultFault")
    return Response(f"{kind}: {failure}\n", failure.status, media_type="text/plain")
