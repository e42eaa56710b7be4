"""As whom PostgreSQL runs the queries of an account."""

from __future__ import annotations

from roman_db.accounts.account import Account
from roman_db.asker import Asker


def asker_of(account: Account, seconds: float, memory_mb: int) -> Asker:
    """Role and limits of the queries of an account.

    Parameters
    ----------
    account
        The account, or the anonymous one.
    seconds
        Longest time of each query.
    memory_mb
        Memory in MiB of each sort or hash that the service allows; its tier may allow less.
    """
    own_mb = max(1, account.work_bytes // 2**20)
    memory_mb = min(own_mb, memory_mb)
    return Asker(account.role, seconds, memory_mb, account.tier, account.temp_bytes)
