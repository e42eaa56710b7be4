"""``roman-db run spectral-calibration``."""

from __future__ import annotations

import sys
from typing import Any

import click

from roman_db.option_types import PEDIGREE, FiniteRange


@click.command("spectral-calibration")
@click.option("--detector", help="Only of this detector, such as WFI07.")
@click.option("--optical-element", type=click.Choice(["GRISM", "PRISM"]), help="Only of this one.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(["geometry", "flat", "sensitivity"]),
    help="What to derive; may be given again. Default: all.",
)
@click.option(
    "--program",
    multiple=True,
    type=click.IntRange(1),
    help="Only from exposures of this program; repeatable.",
)
@click.option(
    "--standard",
    multiple=True,
    metavar="NAME",
    help="Spectrum (spectrum_name) of a standard; repeatable. Default: all stars with absolute fluxes.",
)
@click.option(
    "--valid-from",
    "valid_from_mjd",
    type=FiniteRange(0),
    metavar="MJD",
    help="Valid for exposures with midpoints (TDB) from then on. Default: from the first that is used.",
)
@click.option("--pedigree", type=PEDIGREE, default="INFLIGHT", show_default=True, help="As in RAD.")
@click.option(
    "--gain",
    type=click.FloatRange(0, min_open=True),
    default=1.8,
    show_default=True,
    help="Electrons per DN.",
)
@click.option("--redo", is_flag=True, help="Derive again what is derived.")
def spectral_calibration(kinds: tuple[str, ...], **chosen: Any) -> None:
    """Derive references of grism and prism from exposures: geometry, flat and sensitivity.

    A reference is derived when its exposures, or what it is derived from beside them, are others than before,
    and becomes the next version of its detector; run spectra then does the spectra again that it is the best
    for. Exit code 1: a unit failed, or something was refused.
    """
    from dataclasses import replace

    from loaders.daily.commands import check_selection, print_metrics
    from loaders.daily.load import read_choices, summarise_run
    from loaders.spectral_calibration.load import derived_references
    from loaders.spectral_calibration.tasks import CALIBRATION, DEFAULTS, TASKS
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed, tell_rejected
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    check_selection(read_choices(), None, chosen["detector"], None)
    tasks = tuple(task for kind, task in TASKS.items() if not kinds or kind in kinds)
    given = {"program": list(chosen["program"]) or None, "standard": list(chosen["standard"])}
    with progress_bar() as step:
        report = run_mode(replace(CALIBRATION, tasks=tasks), DEFAULTS | chosen | given, step)
    for line in derived_references(report.load_run_id):
        click.echo(line)
    done = summarise_run(report.load_run_id)
    print_metrics(done.metrics)
    tell_failed(report)
    tell_rejected(done.rejected)
    if report.failed or done.rejected:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(spectral_calibration)
