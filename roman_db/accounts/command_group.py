"""What the commands of accounts share."""

from __future__ import annotations

from typing import Any

import click

from roman_db.service_failure import Failure


class AccountGroup(click.Group):
    """A group whose commands say in one line what is refused."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except Failure as refused:
            raise click.ClickException(str(refused)) from refused


def ready() -> None:
    """Make the database, or bring it up to date, as loaders do."""
    from roman_db import migrate  # noqa: PLC0415  # help must come at once

    migrate.ensure_current()
