"""What an account may not do, or cannot be done for it, in words for whoever asked."""

from __future__ import annotations


class Refused(Exception):
    """Something that is not allowed or makes no sense; ``status`` is that of HTTP."""

    status = 400


class Unknown(Refused):
    """An account, team, token or request that does not exist."""

    status = 404


class NotSignedIn(Refused):
    """Credentials that do not sign in, whatever is wrong with them."""

    status = 401


class NotAllowed(Refused):
    """Somebody who is known and may not do it."""

    status = 403


class TooMuch(Refused):
    """More than the limits of the account allow."""

    status = 403


class TooMany(Refused):
    """More queries waiting than anybody may have."""

    status = 429
