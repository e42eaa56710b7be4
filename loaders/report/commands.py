"""``roman-db report``: pages with pictures of runs and reference images."""

from __future__ import annotations

import click

_IDENTIFIER = click.IntRange(1, 2**63 - 1)


@click.group()
def report() -> None:
    """Write pages with pictures of what a run made, for a browser."""


@report.command("run")
@click.argument("run_id", type=_IDENTIFIER, required=False)
def of_run(run_id: int | None) -> None:
    """Write the pages of the run RUN_ID of eight-day or first-30-days, by default the latest.

    They are written at the end of each such run; this writes them again. Prints the path of the first page.
    """
    from loaders.report.load import write_run_report
    from roman_db import migrate
    from roman_db.console import progress_bar

    migrate.ensure_current()
    with progress_bar() as step:
        page = write_run_report(run_id, step)
    click.echo(page)


@report.command("reference")
@click.argument("reference_image_id", type=_IDENTIFIER)
def of_reference(reference_image_id: int) -> None:
    """Write the page of the reference image REFERENCE_IMAGE_ID, and print its path."""
    from loaders.report.load import write_reference_report
    from roman_db import migrate

    migrate.ensure_current()
    click.echo(write_reference_report(reference_image_id))


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(report)
