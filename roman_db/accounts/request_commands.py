"""``roman-db account request``."""

from __future__ import annotations

import getpass

import click

from roman_db.accounts.command_group import AccountGroup, ready
from roman_db.accounts.listing import show_rows

_BY = click.option("--by", default=getpass.getuser, help="Who decides. Default: who is logged in.")


@click.group("request", cls=AccountGroup)
def request_group() -> None:
    """Requests of accounts for exceptional resources."""


@request_group.command("list")
@click.option("--all", "is_all", is_flag=True, help="Those that are decided, too.")
@click.option("--account", help="Those of an account.")
def list_command(is_all: bool, account: str | None) -> None:
    """List the requests that wait for a decision."""
    from roman_db.accounts.request_store import list_requests

    ready()
    columns = ["resource_request_id", "account", "resource", "amount", "asked_at", "reason"]
    if is_all:
        columns += ["decision", "granted", "expires_at", "decided_by", "remark"]
    show_rows(map(vars, list_requests(account, not is_all)), columns)


@request_group.command("approve")
@click.argument("number", type=int)
@click.option("--days", type=click.IntRange(1), required=True, help="Days for which it is granted.")
@click.option("--amount", type=float, help="What is granted, where it is not what was asked for.")
@click.option("--remark", help="What the account is told.")
@_BY
def approve_command(number: int, days: int, amount: float | None, remark: str | None, by: str) -> None:
    """Grant a request."""
    from roman_db.accounts.request_store import approve

    ready()
    approve(number, by, days, amount, remark)
    click.echo(f"Request {number} is approved for {days} days.")


@request_group.command("refuse")
@click.argument("number", type=int)
@click.option("--remark", required=True, help="What the account is told.")
@_BY
def refuse_command(number: int, remark: str, by: str) -> None:
    """Refuse a request."""
    from roman_db.accounts.request_store import refuse

    ready()
    refuse(number, by, remark)
    click.echo(f"Request {number} is refused.")
