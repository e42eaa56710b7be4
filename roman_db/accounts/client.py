"""Who asks without signing in is known by a digest of the address: the address itself is stored nowhere.

The key of the digest is drawn at random for each database and shared by its services. Who reads a dump
without it cannot try all addresses for one that fits.
"""

from __future__ import annotations

import hashlib
import hmac

from roman_db import session
from roman_db.accounts.account import Account
from roman_db.accounts.statements import statement
from roman_db.session import Role

#: How the names of parties begin that are addresses.
_PARTY = "client "
#: Characters of the name of an address.
_NAME_LENGTH = 16


def read_key() -> str:
    """Key of the digests, as all services on this database have it."""
    with session.transaction(Role.ACCOUNTS) as connection:
        key: str = connection.execute(statement("service_key"), {"purpose": "address"}).scalar_one()
        return key


def client_name(address: str, key: str) -> str:
    """Name of an address: its digest under a key (HMAC, RFC 2104), in hexadecimal."""
    return hmac.new(key.encode(), address.encode(), hashlib.sha256).hexdigest()[:_NAME_LENGTH]


def party_of(client: str) -> str:
    """Party that an address is."""
    return f"{_PARTY}{client}"


def party_for(account: Account, client: str | None) -> str:
    """Party with whom somebody shares places: who does not sign in has those of an address that is known."""
    return party_of(client) if account.is_anonymous and client else account.party


def client_of(party: str | None) -> str | None:
    """Name of the address that a party is; None where it is none."""
    return party.removeprefix(_PARTY) if party is not None and party.startswith(_PARTY) else None
