"""Detaching and attaching as tasks: a unit is a partition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loaders.light_curve.load import PARTITIONS
from loaders.season_archive import archive_file
from loaders.season_archive.load import (
    Kept,
    Leaf,
    Season,
    archive,
    attach,
    detach,
    kept_partitions,
    leaves_of,
    season_of,
)
from roman_db import session
from roman_db.jobs import Mode, ModeReport, Progress, Task, Unit, itself, run_mode
from roman_db.load_run import LoadRun
from roman_db.session import Role


def units_to_archive(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the partitions of a season that are in the database alone. Arguments: ``survey, season, url``."""
    season, leaves = _season(arguments)
    return [_unit(season, leaf, arguments["url"]) for leaf in leaves if leaf.state is None]


def units_to_detach(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the partitions of a season that are in files and in the database; none until all are in files."""
    season, leaves = _season(arguments)
    if any(leaf.state is None for leaf in leaves):
        return []
    return [_unit(season, leaf, arguments["url"]) for leaf in leaves if leaf.state == "archived"]


def units_to_attach(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the partitions of a season that are in files alone. Arguments: ``survey, season``."""
    with session.reading(Role.LOADER) as connection:
        kept = kept_partitions(connection, arguments["survey"], arguments["season"])
    return [Unit(one.partition, vars(one)) for one in kept]


def archive_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Write one partition to its file."""
    season, leaf, url = _parts(unit)
    archive(season, leaf, url, run)


def detach_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Take one partition out of the database."""
    _, leaf, _ = _parts(unit)
    detach(leaf, run)


def attach_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Bring one partition back."""
    attach(Kept(**unit.arguments), run)


def _season(arguments: Mapping[str, Any]) -> tuple[Season, list[Leaf]]:
    """Season that is meant, with its partitions."""
    with session.reading(Role.LOADER) as connection:
        season = season_of(connection, arguments["survey"], arguments["season"])
        return season, leaves_of(connection, season)


def _unit(season: Season, leaf: Leaf, base: str) -> Unit:
    """Unit of a partition."""
    url = archive_file.address(base, season.survey, season.season, leaf.partition)
    return Unit(leaf.partition, {"season": vars(season), "leaf": vars(leaf), "url": url})


def _parts(unit: Unit) -> tuple[Season, Leaf, str]:
    """What a unit is of."""
    given = unit.arguments
    return Season(**given["season"]), Leaf(**given["leaf"]), given["url"]


ARCHIVE = Task(
    "archive_season", "Write partitions of light curves to files", units_to_archive, archive_unit, itself
)
DETACH = Task(
    "detach_season",
    "Take partitions that are in files out of the database",
    units_to_detach,
    detach_unit,
    itself,
)
ATTACH = Task("attach_season", "Bring partitions back from files", units_to_attach, attach_unit, itself)


def detach_season(survey: str, season: int, url: str, progress: Progress) -> ModeReport:
    """Write a season to files, then take it out of the database."""
    arguments = {"survey": survey, "season": season, "url": url}
    return run_mode(Mode("detach", DETACH.purpose, (ARCHIVE, DETACH), PARTITIONS), arguments, progress)


def attach_season(survey: str, season: int, progress: Progress) -> ModeReport:
    """Bring a season back into the database."""
    arguments = {"survey": survey, "season": season}
    return run_mode(Mode("attach", ATTACH.purpose, (ATTACH,), PARTITIONS), arguments, progress)
