"""What goes wrong for whoever asks a service or a command, in words for them: never SQL or a path of ours.

One family for accounts, TAP and the services beside it; in which document it is told says
`roman_db.tap.failure_document`.
"""

from __future__ import annotations


class Failure(Exception):
    """Something that could not be done; the message is for the person who asked.

    Parameters
    ----------
    message
        What, where and what to do.
    retry_after_s
        Seconds after which it may be asked again; None where asking again does not help.
    """

    #: Status of HTTP.
    status = 500
    #: Seconds after which it may be asked again, unless the one who raises it knows better.
    usual_wait_s: float | None = None

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = self.usual_wait_s if retry_after_s is None else retry_after_s


class BadRequest(Failure):
    """A request that makes no sense, or a query that cannot be carried out."""

    status = 400


class TooLong(BadRequest):
    """A query that took more time or room than it may."""


class NotSignedIn(Failure):
    """Credentials that do not sign in, whatever is wrong with them."""

    status = 401


class Forbidden(Failure):
    """Somebody who is known and may not do it, or what cannot be done with a thing as it is now."""

    status = 403


class TooMuch(Forbidden):
    """More than the limits of the account allow."""


class NotFound(Failure):
    """What is not there, or is another's."""

    status = 404


class TooLarge(Failure):
    """A request with more bytes than anybody may send."""

    status = 413


class TooMany(Failure):
    """More queries waiting than anybody may have, or more of a day's resources used."""

    status = 429
    usual_wait_s = 30.0


class Cancelled(Failure):
    """A query that was ended because nobody waits for it."""


class Lost(Failure):
    """The database has gone, or cannot be reached."""

    status = 503
    usual_wait_s = 10.0
