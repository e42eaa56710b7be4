"""``roman-db demo``."""

from __future__ import annotations

from pathlib import Path

import click

from roman_db.option_types import FiniteRange

_DAYS = 3.0


@click.command()
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where the simulated files and the picture go.",
)
@click.option("--days", type=FiniteRange(0.05, 72), default=_DAYS, show_default=True)
@click.option(
    "--parameters", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="As of `simulate`."
)
def demo(directory: Path, days: float, parameters: Path | None) -> None:
    """Simulate some days of a season, load and photometer them, and draw a microlensing event."""
    from loaders.daily.commands import print_report
    from loaders.demonstration.load import demonstrate
    from loaders.simulation.commands import chosen_parameters
    from roman_db import migrate
    from roman_db.console import progress_bar
    from roman_db.query.light_curve import find_object, read_light_curve
    from roman_db.query.plot import save_plot

    migrate.ensure_current()
    chosen = chosen_parameters(parameters)
    try:
        with progress_bar() as step:
            found = demonstrate(directory, chosen, days, step)
    except ValueError as error:
        if parameters is None:
            raise
        raise click.ClickException(f"{parameters}: {' '.join(str(error).split())}") from error
    print_report(found.report, found.summary)
    picture = directory / "microlensing.png"
    save_plot(read_light_curve(find_object(found.event_object_id)), picture)
    stars, event = found.stars, found.event
    click.echo(
        f"Truth recovered: {stars.n_point:,} points of {stars.n_star:,} stars, "
        f"bias {stars.bias_mmag:+.1f} mmag down to magnitude {stars.limit:g}, "
        f"scatter {stars.pull:.3f} times the stated errors."
    )
    click.echo(
        f"Event: brightened {event.peak:.2f} times at the highest point, in truth {event.true_peak:.2f}; "
        f"chi2 about the truth {event.chi2:.0f} for {event.n_point} points."
    )
    click.echo(f"Picture: {picture}")
    click.echo(f"Light curve: roman-db lightcurve --id {found.event_object_id}")
    if found.report.failed:
        raise click.exceptions.Exit(1)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(demo)
