"""Requests with the token of an account, which say in words what went wrong."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from pyvo.utils.http import create_session
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from roman_db.client.failure import BadQuery, failure_of, unreachable

#: An answer that says "not now" was not acted on: the same is asked again, as it says or after some seconds.
_RETRY = Retry(
    total=None,
    connect=0,
    read=False,  # what broke off is told as it is
    redirect=5,
    status=3,
    other=0,
    status_forcelist=(502, 503, 504),
    allowed_methods=None,
    backoff_factor=0.3,
    raise_on_status=False,
)
_STANDARD_PORTS = {"http": 80, "https": 443}


class ServiceSession(requests.Session):
    """Session for the services at one address; pyvo takes it, too.

    Parameters
    ----------
    url
        Address of TAP.
    token
        Token of an account, sent as Bearer to that host alone, wherever links lead; None for nobody.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        super().__init__()
        self._url = url
        self.headers["User-Agent"] = f"roman-db {create_session().headers['User-Agent']}"
        self._origin = origin(url)
        if token is not None:
            self.auth = self._signed(token)
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(max_retries=_RETRY))

    def another(self) -> ServiceSession:
        """Session of the same account for another thread: one session is for one."""
        other = ServiceSession(self._url)
        other.auth = self.auth
        return other

    def send(self, request: requests.PreparedRequest, **arguments: Any) -> requests.Response:
        """Send a request; raises a `ClientError` where it is not answered, or answered with an error."""
        url = str(request.url)
        try:
            response = super().send(request, **arguments)
        except requests.RequestException as error:
            raise unreachable(error, url) from error
        if response.status_code >= 400:
            with response:
                raise failure_of(response)
        return response

    def _signed(self, token: str) -> Any:
        """What signs requests to our host."""

        def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
            if origin(str(request.url)) == self._origin:
                request.headers["Authorization"] = f"Bearer {token}"
            return request

        return sign


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address; raises `BadQuery` if it is none of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadQuery(
            f"{url!r} is no address ({error}): give one such as https://example.org/tap"
        ) from error
    if parts.scheme not in _STANDARD_PORTS or not parts.hostname:
        raise BadQuery(f"{url!r} is no address of the web: give one such as https://example.org/tap")
    return parts.scheme, parts.hostname, port or _STANDARD_PORTS[parts.scheme]
