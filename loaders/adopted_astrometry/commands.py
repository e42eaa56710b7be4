"""``roman-db run astrometry``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from loaders.variability.commands import run_on_season, season_options


@click.command()
@season_options
def astrometry(**given: Any) -> None:
    """Find positions, proper motions and parallaxes of all objects from their offsets in the exposures.

    Done for each piece of the sky if light curves of the season changed since. What is better than what the
    catalog has becomes a version of it. The modes season and survey do it, too. Exit code 1: a unit failed.
    """
    from loaders.adopted_astrometry.tasks import ASTROMETRY_MODE

    run_on_season(ASTROMETRY_MODE, given, _summary)


def _summary(given: dict[str, Any]) -> Iterator[str]:
    """What there is now."""
    from loaders.adopted_astrometry.load import summary_of_adoption
    from loaders.astrometric_solution.load import summary_of_astrometry

    for summary in (summary_of_astrometry, summary_of_adoption):
        yield from summary(given["season"], given["photometry_kind"])


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(astrometry)
