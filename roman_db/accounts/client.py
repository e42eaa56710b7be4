"""Who asks without signing in is known by a digest of the address: the address itself is stored nowhere.

Of IPv6 it is the network of 64 bits that counts: every customer has one at least (RFC 6177), and may change
the other half with each request (RFC 8981).

The key of the digest is drawn at random for each database and shared by its services. Who reads a dump
without it cannot try all addresses for one that fits.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress

from roman_db import session
from roman_db.accounts.account import Account
from roman_db.accounts.statements import statement
from roman_db.session import Role

#: How the names of parties begin that are addresses.
_PARTY = "client "
#: Characters of the name of an address.
_NAME_LENGTH = 16
#: Bits of an address of IPv6 that say whose it is.
_NETWORK_BITS = 64


def read_key() -> str:
    """Key of the digests, as all services on this database have it."""
    with session.transaction(Role.ACCOUNTS) as connection:
        key: str = connection.execute(statement("service_key"), {"purpose": "address"}).scalar_one()
        return key


def client_name(address: str, key: str) -> str:
    """Name of an address, or of its network (IPv6): a digest under a key (HMAC, RFC 2104), in hexadecimal."""
    return hmac.new(key.encode(), _counted(address).encode(), hashlib.sha256).hexdigest()[:_NAME_LENGTH]


def _counted(address: str) -> str:
    """What of an address counts for one client; a text that is no address is taken as it is."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((int(known), _NETWORK_BITS), strict=False))


def party_of(client: str) -> str:
    """Party that an address is."""
    return f"{_PARTY}{client}"


def party_for(account: Account, client: str | None) -> str:
    """Party with whom somebody shares places: who does not sign in has those of an address that is known."""
    return party_of(client) if account.is_anonymous and client else account.party


def client_of(party: str | None) -> str | None:
    """Name of the address that a party is; None where it is none."""
    return party.removeprefix(_PARTY) if party is not None and party.startswith(_PARTY) else None
