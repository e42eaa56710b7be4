"""``roman-db account token``."""

from __future__ import annotations

import click

from roman_db.accounts.command_group import AccountGroup, ready
from roman_db.accounts.listing import show_rows


@click.group("token", cls=AccountGroup)
def token_group() -> None:
    """Tokens with which accounts sign in."""


@token_group.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["query", "scratch", "account", "notebook"]),
    help="What it may be used for; may be given several times. Default: all.",
)
@click.option(
    "--days", type=click.IntRange(1, 366), default=90, show_default=True, help="Days that it lives."
)
@click.option("--description", default="", help="What it is for.")
def create_command(name: str, scopes: tuple[str, ...], days: int, description: str) -> None:
    """Make a token for an account and print it: this is the only time that it is shown."""
    from roman_db.accounts.token_store import create_token
    from roman_db.accounts.tokens import Scope

    ready()
    token, info = create_token(name, list(scopes or Scope), days, description)
    click.echo(token.text)
    click.echo(f"For {info.scopes}, until {info.expires_at:%Y-%m-%d}. It is not shown again.", err=True)


@token_group.command("list")
@click.argument("name")
def list_command(name: str) -> None:
    """List the tokens of an account, without their secrets."""
    from roman_db.accounts.token_store import list_tokens

    ready()
    columns = ("token_id", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at", "description")
    show_rows(map(vars, list_tokens(name)), columns)


@token_group.command("revoke")
@click.argument("token_id")
def revoke_command(token_id: str) -> None:
    """Revoke a token, named by its public part."""
    from roman_db.accounts.token_store import revoke_token

    ready()
    revoke_token(token_id)
    click.echo(f"Token {token_id} is revoked.")
