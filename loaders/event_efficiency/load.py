"""Detection efficiency of events in the database: stars drawn, light curves read, what was found stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from loaders.event_efficiency import statements
from loaders.event_efficiency.draw import (
    PLANET,
    PLANET_MAGNITUDE_EDGES,
    POINT_LENS,
    Q_EDGES,
    S_EDGES,
    TIME_EDGES,
    U_0_EDGES,
    Setup,
)
from loaders.event_efficiency.points import Points
from loaders.event_efficiency.rows import LIGHT_CURVES_A_TRIAL, Tried, columns_of
from loaders.event_efficiency.selection import Locus, Rules
from loaders.event_efficiency.strata import ConstantStar, star_of, strata
from loaders.event_efficiency.trial import REFERENCE, Trial, attempt
from loaders.microlensing.load import LEAST_CONNECTION, LEAST_INDEX, LEAST_RUN
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.rejection import Rejected
from loaders.variability.load import newest_description, season_days
from roman_db import session, sqlfile
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit, done_since
from roman_db.load_run import LoadRun
from roman_db.parallel import each_ended
from roman_db.schema.metadata import table
from roman_db.settings import settings

IntArray = npt.NDArray[np.int64]

#: Names of the tasks.
TASK, COUNT_TASK = "event_injection", "event_efficiency"

#: Trials in a unit, by kind of event: so many that the others are tried while one takes minutes.
RANGE = {POINT_LENS: 500, PLANET: 40}

#: Trials whose light curves are read at a time.
_READ = 25

#: Objects among which stars are drawn, about, and most of a cell of magnitude.
SAMPLE, MOST_OF_A_CELL = 400_000, 5_000


def injection_names(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Names of the injections that are asked for, by kind: they say all that their events depend on."""
    season, modelled = arguments["season"] or "all", ", modelled" if arguments["modelled"] else ""
    where = f"season {season} of {arguments['survey']}, {arguments['photometry_kind']}"
    names = {
        POINT_LENS: f"events, {where}, seed {arguments['seed']}{modelled}",
        PLANET: f"planets, {where}, seed {arguments['seed']}",
    }
    return {kind: name for kind, name in names.items() if arguments["numbers"].get(kind, 0) > 0}


def pending_injections(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the ranges of trials that were not done since the variability of the season was described.

    Arguments: ``survey, season`` (0: all), ``photometry_kind, numbers`` (trials by kind of event), ``seed``,
    ``modelled`` (whether models are fitted to all events), ``redo``. A unit says which stars it takes.

    Raises
    ------
    Rejected
        Code ``no_constant_stars``, if there is none to inject into.
    """
    first, last = season_days(arguments["survey"], arguments["season"])
    given = {name: arguments[name] for name in ("season", "photometry_kind", "seed")}
    given |= {"from_mjd": first, "to_mjd": last}
    with session.reading() as connection:
        newest = newest_description(connection, given)
        done = done_since(connection, [TASK], newest)
        groups = strata(_constant_stars(connection, given))
    if not groups:
        where = f"season {arguments['season'] or 'all'} of {arguments['survey']}"
        what = f"there is no constant star with {arguments['photometry_kind']} light curves in {REFERENCE}"
        remedy = f"Describe the light curves first: roman-db run {_season_command(arguments['season'])}"
        raise Rejected(where, what, remedy, "no_constant_stars")
    units = [
        _unit(name, kind, numbers, groups, arguments)
        for kind, name in injection_names(arguments).items()
        for numbers in _ranges(arguments["numbers"][kind], RANGE[kind])
    ]
    days = {"from_mjd": first, "to_mjd": last}
    units = [Unit(unit.name, {**unit.arguments, **days}) for unit in units]
    return [unit for unit in units if arguments["redo"] or unit.name not in done]


def _ranges(number: int, most: int) -> Iterator[range]:
    """Numbers from 0 in ranges of so many."""
    return (range(begin, min(begin + most, number)) for begin in range(0, number, most))


def _season_command(season: int) -> str:
    return f"season {season}" if season else "survey"


def _constant_stars(connection: sa.Connection, given: Mapping[str, Any]) -> list[ConstantStar]:
    """Constant stars in an order that the seed makes."""
    count = connection.execute(sa.text("SELECT count(*) FROM roman.current_object")).scalar_one()
    how = {"one_in": max(1, count // SAMPLE), "most": MOST_OF_A_CELL, "element": REFERENCE}
    rows = connection.execute(sa.text(statements.STARS), dict(given) | how).all()
    return [ConstantStar(row.object_id, row.cell, row.field_id) for row in rows]


def _unit(
    name: str,
    kind: str,
    numbers: range,
    groups: Sequence[Sequence[ConstantStar]],
    arguments: Mapping[str, Any],
) -> Unit:
    """The trials of some numbers."""
    stars = [star_of(number, groups) for number in numbers]
    names = ("survey", "season", "photometry_kind", "seed")
    given = {one: arguments[one] for one in names} | {
        "name": name,
        "kind": kind,
        "modelled": bool(arguments["modelled"]) or kind == PLANET,
        "n_stratum": len(groups),
        "first": numbers[0],
        "stars": [[star.object_id, star.field_id, is_first] for star, is_first in stars],
    }
    return Unit(f"{name}, trials {numbers[0]} to {numbers[-1]}", given)


def inject_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Inject events into the light curves of some stars, search them, and store what was found."""
    given: dict[str, Any] = dict(unit.arguments)
    fields = [field_id for _, field_id, _ in given["stars"]]
    tried: list[Tried] = []
    workers = min(settings().workers, len(fields))
    for ended in each_ended(workers, "loaders.event_efficiency.trial", attempt, _trials(given)):
        if ended is not None and ended.error is not None:
            raise ended.error
        if ended is not None:
            trial = ended.item
            field_id = fields[trial.number - given["first"]]
            tried.append(Tried(trial.number, trial.object_id, field_id, ended.result))
        progress(unit.name, len(tried), len(fields))
    tried.sort(key=lambda one: one.number)
    with session.transaction() as connection:
        _store(connection, run, given, tried)
        run.count(connection, loaded=1)


def _trials(given: Mapping[str, Any]) -> Iterator[Trial]:
    """The trials of a unit, with their light curves, which are read as they are needed."""
    setup = Setup(given["kind"], given["seed"], given["n_stratum"])
    numbered = list(enumerate(given["stars"], given["first"]))
    with session.reading() as connection:
        rules = read_rules(connection, given)
    for begin in range(0, len(numbered), _READ):
        some = numbered[begin : begin + _READ]
        objects = sorted({object_id for _, (object_id, _, _) in some})
        with session.reading() as connection:
            place = read_places(connection, objects)
        curves = {object_id: [one for one, _ in parts] for object_id, parts in read_points(objects, given)}
        for number, (star, _, is_first) in some:
            yield Trial(number, star, place[star], curves.get(star, []), setup, rules, is_first)


def read_places(connection: sa.Connection, objects: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Right ascensions and declinations of objects, deg ICRS."""
    rows = connection.execute(sa.text(statements.OBJECTS), {"objects": list(objects)})
    return {row.object_id: (row.ra, row.dec) for row in rows}


def read_rules(connection: sa.Connection, given: Mapping[str, Any]) -> Rules:
    """Rules of the search, as it has them, with the constant stars of the season."""
    rows = connection.execute(sa.text(statements.LOCI), dict(given)).all()
    loci = {}
    for element, several in groupby(rows, key=lambda row: row.optical_element):
        values = np.array([(row.magnitude, row.centre, row.width) for row in several], dtype=np.float64)
        loci[element] = Locus(*values.T)
    return Rules(LEAST_INDEX, LEAST_RUN, LEAST_CONNECTION, EXCLUDING_FLAGS, loci, given["modelled"])


def read_points(
    objects: Sequence[int], given: Mapping[str, Any]
) -> Iterator[tuple[int, list[tuple[Points, IntArray]]]]:
    """Read light curves as they are stored, by object: one an optical element, with its exposures.

    Parameters
    ----------
    objects
        The objects; one without a point has no light curve.
    given
        ``photometry_kind``, and the days from ``from_mjd`` to before ``to_mjd`` (TDB).
    """
    values = (list(objects), *(given[name] for name in ("photometry_kind", "from_mjd", "to_mjd")))
    with session.arrow_connection(session.Role.LOADER) as connection, connection.cursor() as cursor:
        cursor.execute(statements.SEGMENTS, values)
        rows = cursor.fetch_arrow_table().combine_chunks()
    if not rows.num_rows:
        return
    keys = zip(rows["object_id"].to_pylist(), rows["optical_element"].to_pylist(), strict=True)
    lists = {name: rows[name].combine_chunks() for name in _LISTS}
    edges = lists["flux"].offsets.to_numpy()
    flat = {name: one.flatten().to_numpy(zero_copy_only=False) for name, one in lists.items()}
    flat["reference"] = np.repeat(rows["reference_flux"].to_numpy(), np.diff(edges))
    for object_id, mine in groupby(enumerate(keys), key=lambda one: one[1][0]):
        curves = []
        for element, some in groupby(mine, key=lambda one: one[1][1]):
            numbers = [number for number, _ in some]
            curves.append(_points(element, flat, slice(edges[numbers[0]], edges[numbers[-1] + 1])))
        yield object_id, curves


_LISTS = ("exposure_id", "midpoint_bjd_tdb", "flux", "flux_err", "flags")


def _points(element: str, flat: Mapping[str, Any], part: slice) -> tuple[Points, IntArray]:
    """The light curve of an element out of the points of all segments, and its exposures."""
    exposure, time, flux, error, flags = (flat[name][part] for name in _LISTS)
    points = Points(
        element,
        time.astype("f8"),
        flux.astype("f4"),
        error.astype("f4"),
        flags.astype("u2"),
        flat["reference"][part].astype("f8"),
    )
    return points, exposure.astype("i8")


def _store(connection: sa.Connection, run: LoadRun, given: Mapping[str, Any], tried: Sequence[Tried]) -> None:
    """Store the trials of a range in place of what there was of them."""
    key = injection_key(connection, run, given, "lightcurve")
    first = LIGHT_CURVES_A_TRIAL * given["first"]
    last = first + LIGHT_CURVES_A_TRIAL * len(given["stars"])
    constant = {name: given[name] for name in ("season", "photometry_kind")}
    constant |= {"injection_run_id": key, "load_run_id": run.load_run_id}
    for name, columns in columns_of(tried, constant).items():
        rows = table(f"roman.{name}")
        number = rows.c.injected_event_id
        mine = (rows.c.injection_run_id == key, number >= first, number < last)
        connection.execute(rows.delete().where(*mine))
        copy_rows(connection, f"roman.{name}", columns)


def injection_key(
    connection: sa.Connection, run: LoadRun, given: Mapping[str, Any], medium: str, **more: Any
) -> int:
    """Identifier of the injection of a name, which is made if there is none; ``more`` are further columns."""
    runs = table("roman.injection_run")
    said = ("kind", "survey", "season", "photometry_kind", "seed", "modelled")
    row = {
        "name": given["name"],
        "inject_medium": medium,
        "optical_element": REFERENCE,
        "seed": given["seed"],
        "n_source": 0,
        "parameters": {name: given[name] for name in said},
        "load_run_id": run.load_run_id,
        **more,
    }
    # Another process may make it at the same moment.
    connection.execute(sa.dialects.postgresql.insert(runs).values(row).on_conflict_do_nothing())
    query = sa.select(runs.c.injection_run_id).where(runs.c.name == given["name"])
    return int(connection.execute(query).scalar_one())


def pending_counts(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the injections asked for whose trials are newer than the cells that count them."""
    return uncounted(list(injection_names(arguments).values()))


def uncounted(names: Sequence[str]) -> list[Unit]:
    """List those of some injections whose trials are newer than the cells that count them."""
    with session.reading() as connection:
        rows = connection.execute(sa.text(statements.UNCOUNTED), {"names": list(names)}).all()
    return [Unit(f"cells of {row.name}", row._asdict()) for row in rows]


def count_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Count what was found of an injection in cells, in place of the cells that there were."""
    progress(unit.name, 0, 1)
    key = {"injection_run_id": unit.arguments["injection_run_id"]}
    cells: dict[str, dict[str, tuple[float, ...]]] = {
        "event_efficiency": {"time_edges": TIME_EDGES, "u_0_edges": U_0_EDGES},
        "planet_efficiency": {
            "s_edges": S_EDGES,
            "q_edges": Q_EDGES,
            "magnitude_edges": PLANET_MAGNITUDE_EDGES,
        },
    }
    with session.transaction() as connection:
        connection.execute(sa.text(statements.N_SOURCE), key)
        for name, edges in cells.items():
            rows = table(f"roman.{name}")
            connection.execute(rows.delete().where(rows.c.injection_run_id == key["injection_run_id"]))
            said = {one: "{" + ",".join(map(repr, values)) + "}" for one, values in edges.items()}
            job = sqlfile.find("jobs", name)
            sqlfile.run(connection, job, key | said | {"load_run_id": run.load_run_id})
        run.count(connection, loaded=1)


def summary_of_efficiency(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Say of each injection how much was found, and whether that is known well enough."""
    names = {"names": list(injection_names(arguments).values())}
    with session.reading() as connection:
        rows = connection.execute(sa.text(statements.SUMMARY), names).all()
    for row in rows:
        tried = row.tp_count + row.fn_count
        yield (
            f"{row.name}: {tried:,} injected, {row.tp_count:,} found, "
            f"{row.fn_count - row.n_failed:,} missed, {row.n_failed:,} failed."
        )
        yield f"  Without an event: {_nulls(row)}."
        known = f"{row.enough} of {row.cells} cells are known to 2 %"
        yield f"  {known}; up to {row.most or 0} events a cell are needed."


def _nulls(row: sa.Row[Any]) -> str:
    """What was found where there is nothing to be found."""
    if not row.fp_count + row.tn_count:
        return "none tried"
    return (
        f"{row.fp_count:,} of {row.fp_count + row.tn_count:,} found as they are, "
        f"{row.fp_reversed_count:,} backwards, {row.fp_inverted_count:,} upside down"
    )


def read_cells(season: int, photometry_kind: str, view: str = "magnitude") -> list[dict[str, Any]]:
    """What a picture of `loaders.event_efficiency.statements.CELLS` shows, of events in light curves.

    Raises
    ------
    Rejected
        Code ``no_efficiency``, if there is none.
    """
    with session.reading() as connection:
        cells = view_cells(connection, {"season": season, "photometry_kind": photometry_kind}, view)
    if not cells:
        where = f"season {season or 'all'}"
        what = f"no {_INJECTED.get(view, 'events')} were injected into {photometry_kind} light curves"
        remedy = "Do it: roman-db run event-efficiency" + (" --planets 320" if view in _INJECTED else "")
        raise Rejected(where, what, remedy, "no_efficiency")
    return cells


_INJECTED = {"planets": "events with planets"}


def view_cells(connection: sa.Connection, given: Mapping[str, Any], view: str) -> list[dict[str, Any]]:
    """Read the cells of a picture; ``given`` are ``season`` and ``photometry_kind``."""
    rows = connection.execute(sa.text(statements.CELLS[view]), dict(given))
    return [row._asdict() for row in rows]
