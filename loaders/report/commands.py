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
    """Write the pages of the run RUN_ID, by default the latest.

    There are pages of runs of eight-day, first-30-days, season and survey. They are
    written at the end of each such run; this writes them again. Prints the path of the first page.
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


def write_pages(load_run_id: int) -> None:
    """Write the report of a run; whatever that fails of, the run is done."""
    import structlog

    from loaders.report.load import write_run_report
    from roman_db.console import progress_bar

    log = structlog.get_logger()
    try:
        with progress_bar() as step:
            page = write_run_report(load_run_id, step)
    except Exception as error:
        # What the operating system says of a folder or disk is enough.
        log.error("report failed", load_run_id=load_run_id, exc_info=not isinstance(error, OSError))
        why = " ".join(str(error).split()) or type(error).__name__
        click.echo(f"Warning: no report was written: {why}", err=True)
        click.echo(f"Write it when that is mended: roman-db report run {load_run_id}", err=True)
    else:
        click.echo(f"Report: {page}")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(report)
