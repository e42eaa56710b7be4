"""``roman-db run refine``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from loaders.variability.commands import run_on_season, season_options


@click.command()
@season_options
def refine(**given: Any) -> None:
    """Find the places of events and measure them in all exposures, their neighbours solved once.

    Done for each detector with events that were found or photometered since. The light curves are of the kind
    refined; the modes season and survey do it, too. Exit code 1: a unit failed.
    """
    from loaders.refined_photometry.tasks import REFINE_MODE

    run_on_season(REFINE_MODE, given, _summary)


def _summary(given: dict[str, Any]) -> Iterator[str]:
    """What there is now."""
    from loaders.refined_photometry.load import summary_of_refinement

    yield from summary_of_refinement(given["season"], given["photometry_kind"])


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(refine)
