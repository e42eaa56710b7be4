"""What can go wrong, each with words that say what, where and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import requests
from pyvo.dal.exceptions import DALAccessError, DALOverflowWarning, DALQueryError

#: Characters of an answer that are shown.
_SHOWN = 2000


class ClientError(Exception):
    """Something that `roman_db.client` could not do."""

    def _render_traceback_(self) -> list[str]:
        """What notebooks show: the words alone, without the way through our code and pyvo's."""
        return [f"{type(self).__name__}: {self}"]


class Unreachable(ClientError):
    """Nobody answers at the address, or the answer broke off."""


class NotSignedIn(ClientError):
    """The token does not sign in (401)."""


class NotAllowed(ClientError):
    """The account may not do it, or not as much of it (403, 429)."""


class BadQuery(ClientError):
    """A request that makes no sense to the service, or to us before it is sent."""


class NothingFound(ClientError):
    """What is asked for is not there."""


class ServiceFailed(ClientError):
    """The service could not answer, which whoever runs it can find out more about."""


class RowsWereCut(DALOverflowWarning):
    """There are more rows than came."""


_TOKEN = "give connect(token=…) or ROMAN_TAP_TOKEN one that is valid; docs/scientist/account.md says how"
#: By status: the error, and what to do.
_BY_STATUS: dict[int, tuple[type[ClientError], str]] = {
    401: (NotSignedIn, _TOKEN),
    403: (NotAllowed, "ask for less, or for a larger limit (docs/scientist/account.md)"),
    404: (NothingFound, "check the identifier, and that ROMAN_TAP_URL is the address of TAP"),
    413: (NotAllowed, "send a smaller table, in several queries"),
    429: (NotAllowed, "wait until some of your queries have ended"),
}


def failure_of(response: requests.Response) -> ClientError:
    """Error for an answer with a status of 400 or more."""
    said = said_in(response) or str(response.reason)
    usual: tuple[type[ClientError], str] = (
        (BadQuery, "")
        if response.status_code < 500
        else (ServiceFailed, "try again later, or ask whoever runs it")
    )
    kind, advice = _BY_STATUS.get(response.status_code, usual)
    where = f" [{response.status_code} from {address_without_query(response.url)}]"
    return kind(f"{said}{where}" + (f": {advice}" if advice else ""))


def said_in(response: requests.Response) -> str:
    """What an answer says is wrong, in a VOTable (DALI 1.1, section 4.4), JSON or text; empty if nothing."""
    text, media_type = str(response.text).strip(), response.headers.get("content-type", "")
    if "votable" in media_type:
        return _said_in_votable(text)
    if "json" in media_type:
        try:
            document = json.loads(text)
        except ValueError:
            return text[:_SHOWN]
        found = [document.get(key) for key in ("detail", "problem")] if isinstance(document, dict) else []
        return next((str(one) for one in found if one), text[:_SHOWN])
    return text[:_SHOWN] if "text/plain" in media_type else ""


def _said_in_votable(text: str) -> str:
    try:
        infos = [one for one in ElementTree.fromstring(text).iter() if one.tag.endswith("INFO")]
    except ElementTree.ParseError:
        return text[:_SHOWN]
    return next((one.text or "" for one in infos if one.get("value") == "ERROR"), "")


def address_without_query(url: str) -> str:
    """Address without what was asked there."""
    return url.partition("?")[0]


def unreachable(error: requests.RequestException, url: str) -> Unreachable:
    """Error for a request that got no whole answer."""
    where = address_without_query(url)
    if isinstance(error, requests.Timeout):
        return Unreachable(f"{where} did not answer in time: try again, or ask for it as a job (as_job=True)")
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(f"{where} has no certificate that this machine trusts: {error}")
    if isinstance(error, requests.ConnectionError):
        return Unreachable(
            f"nobody answers at {where}: start `roman-db serve`, or give connect() or ROMAN_TAP_URL the "
            f"address of a service that runs ({_cause(error)})"
        )
    return Unreachable(f"the answer of {where} broke off ({_cause(error)}): ask again")


def _cause(error: BaseException) -> str:
    """Innermost reason that an error has."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn what pyvo raises within the context into our errors."""
    try:
        yield
    except DALQueryError as error:
        raise BadQuery(
            f"{error.reason} [from {address_without_query(error.url or 'the service')}]"
        ) from error
    except DALAccessError as error:
        if isinstance(inner := getattr(error, "cause", None), ClientError):
            raise inner from error  # pyvo wraps whatever is raised while it asks
        raise ServiceFailed(
            f"{error.reason} [from {error.url}]: look whether it is the address of TAP"
        ) from error
