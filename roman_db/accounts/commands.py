"""``roman-db account``: the operator's side of accounts."""

from __future__ import annotations

import click

from roman_db.accounts.command_group import AccountGroup, ready
from roman_db.accounts.listing import show_fields, show_rows
from roman_db.accounts.request_commands import request_group
from roman_db.accounts.team_commands import team_group
from roman_db.accounts.token_commands import token_group

_ACCOUNT = ("name", "full_name", "email", "tier", "team", "state", "renewed_at", "expires_at")


def commands(root: click.Group) -> None:
    """Add the commands of this package."""
    root.add_command(account)


@click.group("account", cls=AccountGroup)
def account() -> None:
    """Accounts of people who query the database: tiers, teams, tokens, renewals, usage."""


account.add_command(token_group)
account.add_command(request_group)
account.add_command(team_group)


@account.command("create")
@click.argument("name")
@click.option("--email", required=True, help="Address of the person.")
@click.option("--tier", default="entry", show_default=True, help="Tier of the account.")
@click.option("--team", help="Team of the account; a tier of teams needs one.")
@click.option("--full-name", help="Name of the person.")
def create_command(name: str, email: str, tier: str, team: str | None, full_name: str | None) -> None:
    """Make an account; it signs in with tokens."""
    from roman_db.accounts.account_store import NewAccount, create_account

    ready()
    made = create_account(NewAccount(name, email, tier, full_name, team))
    click.echo(f"Account {made.name} in tier {made.tier}, to be renewed by {made.expires_at:%Y-%m-%d}.")
    click.echo(f"A token: roman-db account token create {made.name}")


@account.command("list")
@click.option("--tier", help="Accounts of that tier alone.")
@click.option(
    "--state", type=click.Choice(["active", "suspended", "closed"]), help="Accounts in that state alone."
)
def list_command(tier: str | None, state: str | None) -> None:
    """List accounts."""
    from roman_db import session
    from roman_db.accounts.account_store import list_accounts

    ready()
    with session.transaction(session.Role.ACCOUNTS) as connection:
        found = list_accounts(connection, tier=tier, state=state)
    show_rows(map(vars, found), ("name", "tier", "team", "state", "expires_at", "email"))


@account.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Show an account with the limits that hold for it now and its scratch tables."""
    from roman_db import session
    from roman_db.accounts import scratch
    from roman_db.accounts.account_store import find_account

    ready()
    with session.transaction(session.Role.ACCOUNTS) as connection:
        found = find_account(connection, name=name)
    show_fields({field: getattr(found, field) for field in _ACCOUNT})
    click.echo(f"\nLimits{', shared with the team' if found.shares_limits else ''}:")
    show_fields(vars(found.limits))
    click.echo(f"\nScratch tables take {scratch.scratch_bytes(found)} bytes.")


@account.command("tiers")
@click.option("--apply", "is_applied", is_flag=True, help="Make the roles of PostgreSQL as the rows say.")
def tiers_command(is_applied: bool) -> None:
    """List the tiers, rows of ops.account_tier, with the number of their accounts."""
    from roman_db.accounts.account_store import apply_tiers, list_tiers

    ready()
    if is_applied:
        apply_tiers()
    columns = ("tier", "n_account", "n_planned", "rows", "seconds_sync", "seconds_async", "concurrent")
    more = (
        "scratch_bytes",
        "upload_bytes",
        "sky_area",
        "day_rows",
        "day_seconds",
        "job_bytes",
        "pending_jobs",
        "renewal_days",
    )
    show_rows(list_tiers(), (*columns, *more))


@account.command("renew")
@click.argument("names", nargs=-1, required=True)
def renew_command(names: tuple[str, ...]) -> None:
    """Renew accounts from now on; those that were suspended sign in again."""
    from roman_db.accounts.account_store import renew_account

    ready()
    for name in names:
        click.echo(f"Account {name} is to be renewed by {renew_account(name).expires_at:%Y-%m-%d}.")


@account.command("move")
@click.argument("name")
@click.option("--tier", required=True, help="Tier that it moves to.")
@click.option("--team", help="Team that it joins; without it, it is in none.")
def move_command(name: str, tier: str, team: str | None) -> None:
    """Move an account to a tier and a team; its time until renewal begins anew."""
    from roman_db.accounts.account_store import move_account

    ready()
    moved = move_account(name, tier, team)
    where = f"tier {moved.tier}" + ("" if moved.team is None else f", team {moved.team}")
    click.echo(f"Account {name} is in {where}, to be renewed by {moved.expires_at:%Y-%m-%d}.")


@account.command("close")
@click.argument("name")
@click.confirmation_option(prompt="Its tokens are revoked and its scratch tables removed. Go on?")
def close_command(name: str) -> None:
    """Close an account; what it used stays in the ledger."""
    from roman_db.accounts.account_store import close_account

    ready()
    close_account(name)
    click.echo(f"Account {name} is closed.")


@account.command("due")
@click.option("--days", default=30.0, show_default=True, help="Days within which the renewal is due.")
@click.option("--suspend-after", type=float, help="Suspend those that are overdue by more days than that.")
@click.option("--json", "as_json", is_flag=True, help="For machines, such as what sends mail.")
def due_command(days: float, suspend_after: float | None, as_json: bool) -> None:
    """List the accounts that are to be renewed soon, or should have been; to be run once a day."""
    import json

    from roman_db.accounts.account_store import due_accounts, suspend_due

    ready()
    suspended = [] if suspend_after is None else suspend_due(suspend_after)
    due = due_accounts(days)
    if as_json:
        click.echo(json.dumps(due, default=str))
    else:
        show_rows(due, ("name", "days_left", "expires_at", "tier", "state", "email"))
    for name in suspended:
        click.echo(f"Account {name} is suspended.", err=True)


@account.command("usage")
@click.argument("name", required=False)
@click.option("--days", default=30.0, show_default=True, help="Days back from now.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def usage_command(name: str | None, days: float, as_json: bool) -> None:
    """Show what an account, or each, used."""
    import json

    from roman_db import session
    from roman_db.accounts.account_store import find_account
    from roman_db.accounts.usage import usage

    ready()
    key = None
    if name is not None:
        with session.transaction(session.Role.ACCOUNTS) as connection:
            key = find_account(connection, name=name).account_id
    sums = usage(key, days)
    if as_json:
        click.echo(json.dumps(sums, default=str))
    else:
        show_rows(sums, ("name", "kind", "outcome", "n_query", "seconds", "n_row", "n_byte", "latest_at"))
