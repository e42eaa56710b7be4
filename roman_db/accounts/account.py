"""An account, as the rest of the package sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from roman_db.accounts.limits import Limits

#: Account of everybody who does not sign in.
ANONYMOUS = 0


@dataclass(frozen=True)
class Account:
    """An account with the limits that hold for it now.

    Parameters
    ----------
    account_id, name, full_name, email
        Who it is.
    tier, team, team_id
        Where it belongs; no team is None.
    state
        active, suspended or closed.
    renewed_at, expires_at
        Its last renewal and the next, None where it needs none.
    limits
        Of the tier, raised by what was granted.
    is_shared
        Whether its team shares them.
    work_bytes, temp_bytes
        Memory of a sort, and temporary files, of a query.
    """

    account_id: int
    name: str
    full_name: str | None
    email: str | None
    tier: str
    team: str | None
    team_id: int | None
    state: str
    renewed_at: datetime
    expires_at: datetime | None
    limits: Limits
    is_shared: bool
    work_bytes: int
    temp_bytes: int

    @property
    def is_anonymous(self) -> bool:
        """Whether it is everybody who does not sign in."""
        return self.account_id == ANONYMOUS

    @property
    def role(self) -> str:
        """Role of PostgreSQL in which its queries of the catalog run."""
        return f"roman_tier_{self.tier}"

    @property
    def scratch_schema(self) -> str:
        """Schema of its scratch tables, and the role in which they are written."""
        return f"mydb_{self.name}"

    @property
    def shares_limits(self) -> bool:
        """Whether the accounts of its team and tier have its limits together."""
        return self.is_shared and self.team_id is not None

    @property
    def party(self) -> str:
        """Who has its limits: its team in its tier, or the account alone."""
        if self.shares_limits:
            return f"team {self.team_id} {self.tier}"
        return f"account {self.account_id}"

    def is_due(self, now: datetime) -> bool:
        """Whether its renewal has passed."""
        return self.expires_at is not None and self.expires_at <= now
