"""``roman-db run season`` and ``roman-db run survey``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from loaders.season.limits import (
    IMAGE_INJECTIONS,
    MOST_INJECTIONS,
    MOVED_LIMIT,
    MOVED_SHARE,
    OBJECTS_AN_INJECTION,
)
from loaders.variability.commands import PHOTOMETRY_KIND, REDO, SURVEY, require_season

if TYPE_CHECKING:
    from loaders.daily.load import DailySummary
    from roman_db.jobs import Mode


_INJECTIONS = ("injections", "planet_injections", "image_injections")


_INJECTION_OPTIONS = (
    click.option(
        "--injections",
        type=click.IntRange(0),
        metavar="N",
        help="Events of single lenses that are injected into light curves, to count how many are found; "
        f"0: none. Unless said {MOST_INJECTIONS:,}, but one for {OBJECTS_AN_INJECTION} objects at most.",
    ),
    click.option(
        "--planet-injections",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        metavar="N",
        help="The same with planets, each of which takes minutes where it is found.",
    ),
    click.option(
        "--image-injections",
        type=click.IntRange(0),
        default=IMAGE_INJECTIONS,
        show_default=True,
        metavar="N",
        help="Events of single lenses that go into the images of one detector, too; 0: none.",
    ),
)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Options that both modes have."""
    for option in (
        REDO,
        PHOTOMETRY_KIND,
        click.option(
            "--images/--no-images",
            default=True,
            show_default=True,
            help="First bring references, catalog and photometry of the season up to date. Only for light "
            "curves of the kind psf.",
        ),
        click.option(
            "--moved-limit",
            type=click.FloatRange(0, min_open=True),
            default=MOVED_LIMIT,
            show_default=True,
            metavar="MAS",
            help="Photometer exposures up to the end of the season again whose objects moved farther than "
            "this from where they were photometered.",
        ),
        click.option(
            "--moved-share",
            type=click.FloatRange(0, 1),
            default=MOVED_SHARE,
            show_default=True,
            help="Share of the objects of exposures that must have moved so far.",
        ),
        click.option(
            "--xallarap/--no-xallarap",
            default=False,
            show_default=True,
            help="Also fit sources that a dark companion moves, where other models of an event leave "
            "something out. Events that were searched before are only with --redo.",
        ),
        *_INJECTION_OPTIONS,
        SURVEY,
    ):
        command = option(command)
    return command


@click.command()
@click.argument("number", type=click.IntRange(1))
@_options
def season(number: int, survey: str, photometry_kind: str, **chosen: Any) -> None:
    """Make the variability catalog of season NUMBER; find its periods, trends, events, and what lenses are.

    First the last references of the season are made, what is new on them is photometered in all of its
    exposures, and the references of all detectors of a field become a mosaic.

    Positions, proper motions and parallaxes are fitted to all objects, and adopted by the catalog where they
    are better; exposures of this and earlier seasons whose objects moved by it are photometered again.

    Models of events of earlier seasons are fitted to all light curves so far, if some are new to them. Events
    are injected into light curves and into images of one detector, and it is counted how many are found.

    The map of extinction is made anew if the catalog of objects has changed.
    Only ranges of objects are done whose light curves changed since. Writes pages with pictures of the season
    and of each event. Exit code 1: a unit failed or an exposure had to be refused.
    """
    from loaders.season.tasks import SEASON

    _run(SEASON, (survey, number, photometry_kind), chosen)


@click.command()
@_options
def survey(survey: str, photometry_kind: str, **chosen: Any) -> None:
    """The same for all light curves there are: season 0 of roman.variability and roman.event."""
    from loaders.season.tasks import SURVEY

    _run(SURVEY, (survey, 0, photometry_kind), chosen)


def _run(mode: Mode, which: tuple[str, int, str], chosen: dict[str, Any]) -> None:
    """Run a mode and report."""
    from loaders.daily.load import summarise_run
    from loaders.photometry.load import EVERY_DAY
    from loaders.report.commands import write_pages
    from loaders.season.tasks import arguments
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed, tell_rejected
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    require_season(*which[:2])
    more = {name: chosen.pop(name) for name in ("xallarap", *_INJECTIONS)}
    given = arguments(*which, **chosen) | more
    given["images"] = given["images"] and which[2] == EVERY_DAY
    with progress_bar() as step:
        report = run_mode(mode, given, step)
    done = summarise_run(report.load_run_id)
    _tell(which, given, done, report.load_run_id)
    tell_failed(report)
    write_pages(report.load_run_id)
    tell_rejected(done.rejected)
    if report.failed or done.rejected:
        sys.exit(EXIT_REJECTED)


def _tell(which: tuple[str, int, str], given: dict[str, Any], done: DailySummary, load_run_id: int) -> None:
    """Say what came of a run."""
    from loaders.adopted_astrometry.load import summary_of_adoption
    from loaders.astrometric_solution.load import summary_of_astrometry
    from loaders.daily.commands import print_metrics
    from loaders.eight_day.load import summarise_references
    from loaders.event_history.load import summary_of_histories
    from loaders.extinction.load import summary_of_extinction
    from loaders.field_mosaic.load import summary_of_mosaics
    from loaders.lens_physics.load import summary_of_physics
    from loaders.microlensing.load import summary_of_events
    from loaders.refined_photometry.load import summary_of_refinement
    from loaders.relative_motion.load import summary_of_motions
    from loaders.season.load import summary_of_images, summary_of_injections
    from loaders.variability.load import summary_of, summary_of_stale
    from loaders.variable_object.load import summary_of_objects

    click.echo(summary_of_images(given))
    for line in (*summarise_references(load_run_id), *summary_of_mosaics(load_run_id)):
        click.echo(line)
    if done.n_block:
        click.echo(
            f"{done.n_block} blocks of {done.n_exposure} exposures and {done.n_point:,} points written."
        )
    for summary in (
        summary_of,
        summary_of_objects,
        summary_of_astrometry,
        summary_of_adoption,
        summary_of_events,
        summary_of_histories,
        summary_of_refinement,
        summary_of_motions,
        summary_of_physics,
    ):
        for line in summary(*which[1:]):
            click.echo(line)
    click.echo(summary_of_extinction())
    for line in (*summary_of_injections(given), *summary_of_stale(given)):
        click.echo(line)
    print_metrics(done.metrics)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(season)
        group.add_command(survey)
