"""``roman-db run spectra``."""

from __future__ import annotations

import sys

import click


@click.command()
@click.option("--detector", help="Only exposures of this detector, such as WFI07.")
@click.option("--optical-element", type=click.Choice(["GRISM", "PRISM"]), help="Only this one.")
@click.option(
    "--gain",
    type=click.FloatRange(0, min_open=True),
    default=1.8,
    show_default=True,
    help="Electrons per DN.",
)
@click.option("--redo", is_flag=True, help="Do again what is done: new spectra take the place of the old.")
def spectra(detector: str | None, optical_element: str | None, gain: float, redo: bool) -> None:
    """Extract, combine and fit the spectra of all objects on exposures through grism and prism.

    Only exposures are done that are new, or of which a file, a reference, the direct exposure or the catalog
    is new, and only objects whose spectra changed. Exit code 1: a unit failed or an exposure was refused.
    """
    from loaders.daily.commands import check_selection, print_metrics
    from loaders.daily.load import read_choices, summarise_run
    from loaders.spectra.load import summary_of
    from loaders.spectra.tasks import SPECTRA, arguments
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed, tell_rejected
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    check_selection(read_choices(), None, detector, None)
    with progress_bar() as step:
        report = run_mode(SPECTRA, arguments(detector, optical_element, gain=gain, redo=redo), step)
    made, done = summary_of(report.load_run_id), summarise_run(report.load_run_id)
    click.echo(
        f"Run {report.load_run_id}: {made.n_exposure} exposures extracted with {made.n_extracted} spectra; "
        f"{made.n_combined} spectra combined, {made.n_redshift} with a redshift."
    )
    for reason, number in made.without:
        click.echo(f"Without a spectrum: {number}, {reason}.")
    print_metrics(done.metrics)
    tell_failed(report)
    tell_rejected(done.rejected)
    if report.failed or done.rejected:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(spectra)
