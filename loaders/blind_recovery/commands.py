"""``roman-db injection detect``."""

from __future__ import annotations

import click

from loaders.recovery.commands import flux_factor_option, injection, match_options, radius_option, saying_why


@injection.command()
@click.argument("name")
@click.option(
    "--with",
    "product",
    type=click.Choice(["static_catalog", "crowded_search"]),
    default="static_catalog",
    show_default=True,
    help="What searches: the detection of static catalogs, or that of crowded fields, of exposures alone.",
)
@radius_option
@flux_factor_option
def detect(name: str, product: str, radius: float, flux_factor: float) -> None:
    """Search the images of injection NAME for its sources, which are not told: with them and without.

    The PSF and the options are those of the catalogs. Exit code 1: an image had to be refused.
    """
    from loaders.blind_recovery.load import detect_injection
    from roman_db import migrate
    from roman_db.console import finish, progress_bar

    migrate.ensure_current()
    options = match_options(radius, flux_factor)
    with saying_why(), progress_bar() as step:
        counts = detect_injection(name, product, options, lambda done, total: step("images", done, total))
    finish(counts, "images")


def commands(root: click.Group) -> None:
    """Have the command added to its group, whichever of the two is asked first."""
    root.add_command(injection)
