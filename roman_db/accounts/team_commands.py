"""``roman-db account team``."""

from __future__ import annotations

import click

from roman_db.accounts.command_group import AccountGroup, ready
from roman_db.accounts.listing import show_rows


@click.group("team", cls=AccountGroup)
def team_group() -> None:
    """Teams, which share scratch tables and, in the tiers of teams, limits.

    Accounts join a team by roman-db account create or move.
    """


@team_group.command("create")
@click.argument("name")
@click.option("--purpose", required=True, help="What the team works on.")
@click.option(
    "--share/--no-share", default=True, show_default=True, help="Whether members read each other's tables."
)
def create_command(name: str, purpose: str, share: bool) -> None:
    """Make a team."""
    from roman_db.accounts.team_store import create_team

    ready()
    create_team(name, purpose, share)
    click.echo(f"Team {name} is made.")


@team_group.command("list")
def list_command() -> None:
    """List teams with their members."""
    from roman_db.accounts.team_store import list_teams

    ready()
    show_rows(list_teams(), ("name", "shares_scratch", "members", "purpose"))


@team_group.command("share")
@click.argument("name")
@click.option("--off", is_flag=True, help="No longer.")
def share_command(name: str, off: bool) -> None:
    """Let the members of a team read each other's scratch tables."""
    from roman_db.accounts.team_store import share_scratch

    ready()
    share_scratch(name, not off)
    click.echo(f"Team {name} shares its scratch tables{' no longer' if off else ''}.")
