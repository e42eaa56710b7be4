"""Tokens: what they look like, and how one is checked against what is stored.

A token is ``rdb_<id>_<secret>``. The id (80 random bits) finds its row; of the secret (256 random bits) the
SHA-256 alone is stored. A fast digest is enough, since there is nothing to guess: slow ones (argon2, scrypt)
are for passwords, which people choose (NIST SP 800-63B, section 5.1.2.2; OWASP, Session Management, session
identifiers). The prefix is for scanners that look for secrets in public code.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from roman_db.service_failure import BadRequest

_ID_BYTES, _SECRET_BYTES = 10, 32
_FORM = re.compile(rf"rdb_(?P<id>[0-9a-f]{{{2 * _ID_BYTES}}})_(?P<secret>[A-Za-z0-9_-]{{43}})", re.ASCII)
#: Digest of no secret: what a token is compared with whose id is not known.
_NOTHING = bytes(hashlib.sha256().digest_size)


class Scope(StrEnum):
    """What a token may be used for."""

    QUERY = "query"
    SCRATCH = "scratch"
    ACCOUNT = "account"
    NOTEBOOK = "notebook"


@dataclass(frozen=True)
class Token:
    """A token in clear; it is shown once, and never in a representation.

    Parameters
    ----------
    token_id
        Public part.
    secret
        Part that is not stored.
    """

    token_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole, as its owner keeps it."""
        return f"rdb_{self.token_id}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """SHA-256 of the secret, 32 bytes."""
        return hashlib.sha256(self.secret.encode()).digest()


def new_token() -> Token:
    """Make a token of the system's random numbers."""
    return Token(secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES))


def parse_token(text: str) -> Token | None:
    """Return the token that a text is, or None."""
    found = _FORM.fullmatch(text)
    return None if found is None else Token(found["id"], found["secret"])


def matches(token: Token, digest: bytes | None) -> bool:
    """Whether a token is the one whose digest is stored, in a time that does not tell how much is right.

    Parameters
    ----------
    token
        What was presented.
    digest
        SHA-256 that is stored, 32 bytes; None where the id is not known.
    """
    return hmac.compare_digest(token.digest, _NOTHING if digest is None else digest)


def scope_words(scopes: Iterable[str]) -> str:
    """Scopes as they are stored: in the order of `Scope`, with a space between (RFC 6749, section 3.3).

    Raises
    ------
    BadRequest
        If there is none, or one that is not known.
    """
    wanted = set(scopes)
    if not wanted or (unknown := wanted - set(Scope)):
        named = ", ".join(sorted(unknown)) if wanted else "none"
        raise BadRequest(f"the scopes of a token are one or more of {', '.join(Scope)}, got {named}")
    return " ".join(scope for scope in Scope if scope in wanted)
