"""Teams in the database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from roman_db import session
from roman_db.schema.metadata import table
from roman_db.service_failure import BadRequest, NotFound
from roman_db.session import Role


def create_team(name: str, purpose: str, shares_scratch: bool = True) -> None:
    """Make a team; accounts are moved into it.

    Raises
    ------
    BadRequest
        If the name is taken or none.
    """
    values = {"name": name, "purpose": purpose, "shares_scratch": shares_scratch}
    with session.transaction(Role.OWNER) as connection:
        try:
            connection.execute(table("ops.team").insert().values(values))
        except sa.exc.IntegrityError as error:
            raise BadRequest(
                f"team {name[:60]!r}: there is one, or the name is none "
                "(small letters, digits, _ and -, a letter first)"
            ) from error


def share_scratch(name: str, is_shared: bool) -> None:
    """Let the members of a team read each other's scratch tables from now on, or no longer.

    Raises
    ------
    NotFound
        If there is no such team.
    """
    teams, accounts = table("ops.team"), table("ops.account")
    with session.transaction(Role.OWNER) as connection:
        change = teams.update().where(teams.c.name == name).values(shares_scratch=is_shared)
        team_id = connection.execute(change.returning(teams.c.team_id)).scalar()
        if team_id is None:
            raise NotFound(f"there is no team {name[:60]!r}: see roman-db account team list")
        member = connection.execute(
            sa.select(accounts.c.account_id).where(accounts.c.team_id == team_id)
        ).scalar()
        if member is not None:  # the rights of one are renewed with those of all
            connection.execute(sa.text("SELECT ops.renew_scratch_rights(:account)"), {"account": member})


def list_teams() -> list[dict[str, Any]]:
    """Teams with the names of their members, in order of their names."""
    teams, accounts = table("ops.team"), table("ops.account")
    names = postgresql.aggregate_order_by(accounts.c.name, accounts.c.name)
    members = sa.func.array_remove(sa.func.array_agg(names), None)
    query = (
        sa.select(teams.c.name, teams.c.purpose, teams.c.shares_scratch, members.label("members"))
        .select_from(teams.outerjoin(accounts, accounts.c.team_id == teams.c.team_id))
        .group_by(teams.c.team_id)
        .order_by(teams.c.name)
    )
    with session.transaction(Role.ACCOUNTS) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
