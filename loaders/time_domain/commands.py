"""``roman-db run difference``."""

from __future__ import annotations

import sys

import click

from roman_db.option_types import MISSION


@click.command()
@click.option(
    "--day", type=int, help=f"Only this day (MJD TDB), from {MISSION[0]}. Default: all with work to do."
)
@click.option("--detector", help="Only this detector, such as WFI07.")
@click.option("--optical-element", help="Only this optical element, such as F146.")
@click.option("--redo", is_flag=True, help="Compare again what is compared.")
def difference(day: int | None, detector: str | None, optical_element: str | None, redo: bool) -> None:
    """Compare exposures with a template of others, and write a catalog of what changed in each.

    An exposure of a reference image is compared with that image without it, any other with the last image
    that ended before it; those without either wait. New light that enough exposures show becomes an object.
    Exit code 1: a unit failed or an exposure had to be refused.
    """
    from loaders.daily.commands import check_selection
    from loaders.daily.load import read_choices
    from loaders.time_domain.load import summary_of, waiting_exposures
    from loaders.time_domain.tasks import DIFFERENCE, selection
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed, tell_rejected
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    check_selection(read_choices(), day, detector, optical_element)
    given = selection(day, detector, optical_element, redo=redo)
    with progress_bar() as step:
        report = run_mode(DIFFERENCE, given, step)
    made = summary_of(report.load_run_id)
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in made.kinds.items()) or "none"
    click.echo(
        f"Run {report.load_run_id}: {made.n_exposure} exposures compared; sources: {kinds}; "
        f"{made.n_object} new objects."
    )
    for line in waiting_exposures(given):
        click.echo(line)
    tell_failed(report)
    tell_rejected(made.rejected)
    if report.failed or made.rejected:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(difference)
