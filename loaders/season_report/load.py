"""The pages of a season from the database: what there is of it and of its events, read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.astrometric_solution.load import summary_of_astrometry
from loaders.event_efficiency.load import view_cells
from loaders.event_efficiency.statements import CELLS
from loaders.extinction.load import read_map, summary_of_extinction
from loaders.extinction.product import ExtinctionMap
from loaders.field_mosaic.load import current_mosaics
from loaders.field_mosaic.product import read_small
from loaders.lens_physics.load import summary_of_physics
from loaders.lens_physics.model import FloatArray, StoredModel
from loaders.photometry.flags import EXCLUDING_FLAGS
from loaders.photometry.parallel import available_threads
from loaders.rejection import Rejected
from loaders.report_page.attention import Attention
from loaders.season_report import statements
from loaders.season_report.attention import of_events, of_season
from loaders.season_report.facts import (
    DetectionFacts,
    ElementFacts,
    EventFacts,
    ModelFacts,
    MosaicFacts,
    MotionFacts,
    NeighbourFacts,
    PhysicsFacts,
    QualityFacts,
    QuantityFacts,
    ReasonFacts,
    SeasonFacts,
    SkyFacts,
    VariabilityFacts,
)
from loaders.season_report.page import (
    EventSummary,
    SeasonPage,
    attention_of_events,
    season_page,
    write_event,
)
from loaders.stored_curve.band import Band, usable_band, without_outliers
from loaders.stored_curve.load import read_curves
from loaders.variability.load import THRESHOLD, season_days, stale_seasons
from loaders.variable_object.load import summary_of_objects
from roman_db import session
from roman_db.jobs import Progress
from roman_db.parallel import worker_pool

#: Name of the task that measures the quality of a season.
QUALITY_TASK = "season_quality"

#: Objects that pictures show, about; events that are read at once.
SAMPLE, AT_ONCE = 20_000, 40

#: Dots of the picture of a mosaic along an axis.
_DOTS = 1000

#: Neighbours of an event within so many degrees, and how many of them.
_NEAR = {"radius": 3.0 / 3600, "most": 10}

_STATUS = ("status", "source_status", "rho_status", "parallax_status", "prior_status", "blend_status")


def write_season(
    arguments: Mapping[str, Any], folder: Path, progress: Progress
) -> tuple[SeasonPage, list[Attention]]:
    """Draw a season, and write a page for each of its events.

    Parameters
    ----------
    arguments
        Those of the run: ``survey, season`` (0: all), ``photometry_kind``.
    folder
        Folder of the pages of the run.
    progress
        Told of some events at a time.

    Returns
    -------
    SeasonPage
        What the page of the run shows of it.
    list of Attention
        What is to be looked at.
    """
    facts = read_season(arguments)
    events = _write_events(arguments, folder, progress)
    page = season_page(facts, events, THRESHOLD, folder)
    return page, [*of_season(facts), *of_events(attention_of_events(events))]


def _write_events(arguments: Mapping[str, Any], folder: Path, progress: Progress) -> list[EventSummary]:
    """Write the pages of all events, those with the most light first."""
    with session.reading() as connection:
        numbers = list(connection.execute(sa.text(statements.EVENT_IDS), _which(arguments)).scalars())
    for old in folder.glob("event_*"):
        old.unlink()
    written: list[EventSummary] = []
    workers = max(min(available_threads(), len(numbers)), 1)
    with worker_pool(workers, "loaders.season_report.page") as pool:
        for begin in range(0, len(numbers), AT_ONCE):
            progress("report events", begin, len(numbers))
            some = read_events(arguments, numbers[begin : begin + AT_ONCE])
            written += (pool.map if workers > 1 else map)(write_event, some, [folder] * len(some))
    return written


def _which(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: arguments[name] for name in ("season", "photometry_kind")}


def read_season(arguments: Mapping[str, Any]) -> SeasonFacts:
    """Read what there is of a season besides its events; arguments as of `write_season`."""
    given = _which(arguments)
    mosaics, unread = _mosaics(arguments)
    with session.reading() as connection:

        def rows(statement: str, **more: Any) -> list[Any]:
            return list(connection.execute(sa.text(statement), given | more).mappings())

        elements = [ElementFacts(**row) for row in rows(statements.ELEMENTS)]
        times = rows(statements.EINSTEIN_TIMES)
        efficiency = {view: view_cells(connection, given, view) for view in CELLS}
        return SeasonFacts(
            arguments["survey"],
            given["season"],
            given["photometry_kind"],
            [*_lines(given["season"], given["photometry_kind"]), *unread],
            elements,
            _variability(connection, given, elements[0]) if elements else None,
            [ReasonFacts(**row) for row in rows(statements.REASONS)],
            _sky(connection, given, elements),
            {
                name: np.array([row["value"] for row in some])
                for name, some in groupby(times, key=lambda row: row["classification"])
            },
            _extinction(),
            efficiency,
            [DetectionFacts(**row) for row in rows(statements.DETECTIONS)],
            [QualityFacts(**row) for row in rows(statements.METRICS, task=QUALITY_TASK)],
            mosaics,
            stale_seasons(arguments),
        )


def _mosaics(arguments: Mapping[str, Any]) -> tuple[list[MosaicFacts], list[str]]:
    """The mosaics of the fields, small; what is to be said of those that cannot be read."""
    with session.reading() as connection:
        stored = current_mosaics(connection, arguments["survey"], arguments["season"])
    found, unread = [], []
    names = (
        "field_mosaic_id",
        "field",
        "season",
        "optical_element",
        "n_exposure",
        "fraction_covered",
        "path",
    )
    for one in stored:
        try:
            small, side = read_small(Path(one.row.path), _DOTS)
        except Rejected as error:
            unread.append(f"Mosaic {one.row.field} {one.row.optical_element}: {error}")
            continue
        row: dict[str, Any] = {name: getattr(one.row, name) for name in names}
        row |= {name: getattr(one.grid, name) for name in ("shape", "pixel_scale", "x_ref", "y_ref")}
        found.append(MosaicFacts(**row, small=small, side=side, outlines=one.outlines))
    return found, unread


def _lines(season: int, photometry_kind: str) -> list[str]:
    """What the command prints of variable objects, astrometry, lenses and extinction."""
    told = (summary_of_objects, summary_of_astrometry, summary_of_physics)
    return [*(line for tell in told for line in tell(season, photometry_kind)), summary_of_extinction()]


def _variability(connection: sa.Connection, given: Mapping[str, Any], main: ElementFacts) -> VariabilityFacts:
    """A sample of the objects in the element with most points, and the locus."""
    one_in = max(1, main.n_object // SAMPLE)
    values = dict(given) | {"optical_element": main.optical_element, "one_in": one_in, "most": SAMPLE}
    rows = connection.execute(sa.text(statements.VARIABILITY), values).all()
    locus = connection.execute(sa.text(statements.LOCUS), values).all()
    numbers = np.array([(row.magnitude, row.index, row.root) for row in rows], np.float64).reshape(-1, 3)
    magnitude, index, root = numbers.T
    variable = np.array([row.is_variable for row in rows], dtype=bool)
    cells = np.array([tuple(row) for row in locus], np.float64).reshape(-1, 3)
    return VariabilityFacts(main.optical_element, one_in, magnitude, index, root, variable, cells)


def _sky(connection: sa.Connection, given: Mapping[str, Any], elements: Sequence[ElementFacts]) -> SkyFacts:
    """Candidates, and a sample of the objects."""
    one_in = max([1, *(one.n_object // SAMPLE for one in elements)])
    found = connection.execute(sa.text(statements.CANDIDATES), given).all()
    objects = connection.execute(sa.text(statements.OBJECTS), dict(given) | {"one_in": one_in}).all()
    return SkyFacts(
        np.array([tuple(row) for row in objects], np.float64).reshape(-1, 2),
        np.array([(row.ra, row.dec) for row in found], np.float64).reshape(-1, 2),
        np.array([row.classification for row in found], dtype=object),
        np.array([row.is_event for row in found], dtype=bool),
    )


def _extinction() -> ExtinctionMap | None:
    """The current map; None if there is none."""
    try:
        return read_map()
    except Rejected as error:
        if error.code != "no_map":
            raise
        return None


def read_events(arguments: Mapping[str, Any], events: Sequence[int]) -> list[EventFacts]:
    """Read all that the pages of events show, in the order of their numbers as given.

    Parameters
    ----------
    arguments
        As of `write_season`.
    events
        ``event_id`` of each.
    """
    given = _which(arguments) | {"events": list(events)} | _NEAR
    with session.reading() as connection:

        def rows(statement: str) -> list[Any]:
            return list(connection.execute(sa.text(statement), given))

        found = {row.event_id: row for row in rows(statements.EVENTS)}
        models = _models(rows)
        physics = _physics(rows)
        neighbours = _neighbours(rows(statements.NEIGHBOURS))
        motions: dict[int, list[MotionFacts]] = {}
        for one in rows(statements.MOTIONS):
            motions.setdefault(one.event_id, []).append(MotionFacts(*one[1:]))
        same: dict[int, list[str]] = {}
        for one in rows(statements.SAME):
            season = f"season {one.season}" if one.season else "all seasons"
            words = f"event {one.event_id} of {season}, {one.classification}"
            same.setdefault(one.of_event, []).append(words + (", the first" if one.is_first else ""))
    bands = _bands(arguments, sorted({row.object_id for row in found.values()}))
    return [
        EventFacts(
            *(row.event_id, row.object_id, row.classification, row.t_0_guess, row.t_eff, row.delta_chi2),
            *(row.explained, (row.ra, row.dec), bands.get(row.object_id, [])),
            *(models.get(row.event_id, []), physics.get(row.event_id, []), neighbours.get(row.event_id, [])),
            *(motions.get(row.event_id, []), same.get(row.event_id, [])),
        )
        for row in (found[number] for number in events if number in found)
    ]


def _bands(arguments: Mapping[str, Any], objects: Sequence[int]) -> dict[int, list[Band]]:
    """The light curves of objects as the search takes them."""
    days = season_days(arguments["survey"], arguments["season"])
    found: dict[int, list[Band]] = {}
    for curve in read_curves(objects, arguments["photometry_kind"], *days):
        bad = curve.flags & EXCLUDING_FLAGS != 0
        band = usable_band(curve.optical_element, curve.time, curve.flux, curve.error, bad)
        found.setdefault(curve.object_id, []).append(without_outliers(band))
    return {number: sorted(bands, key=len, reverse=True) for number, bands in found.items()}


def _models(rows: Any) -> dict[int, list[ModelFacts]]:
    """Current models by event."""
    value: dict[int, dict[str, float]] = {}
    error: dict[int, dict[str, float]] = {}
    for one in rows(statements.PARAMETERS):
        value.setdefault(one.event_model_id, {})[one.name] = one.value
        error.setdefault(one.event_model_id, {})[one.name] = one.err
    flux: dict[int, dict[tuple[str, int], float]] = {}
    flux_err: dict[int, dict[tuple[str, int], float]] = {}
    scale: dict[int, dict[str, float]] = {}
    limb: dict[int, dict[str, float]] = {}
    for one in rows(statements.FLUXES):
        key = (one.optical_element, one.source_number)
        flux.setdefault(one.event_model_id, {})[key] = one.flux
        flux_err.setdefault(one.event_model_id, {})[key] = one.flux_err
        scale.setdefault(one.event_model_id, {})[one.optical_element] = one.error_scale
        if one.limb_darkening is not None:
            limb.setdefault(one.event_model_id, {})[one.optical_element] = one.limb_darkening
    sample: dict[int, dict[str, FloatArray]] = {}
    for one in rows(statements.SAMPLES):
        sample.setdefault(one.event_model_id, {})[one.name] = np.array(one.sample)
    found: dict[int, list[ModelFacts]] = {}
    for row in rows(statements.MODELS):
        key = row.event_model_id
        model = StoredModel(
            *(row.name, row.n_lens, row.n_source, _in_order(value.get(key, {})), error.get(key, {})),
            *(flux.get(key, {}), row.t_0_par),
            is_converged=row.is_converged,
            sample=sample.get(key, {}),
            limb=limb.get(key, {}),
        )
        numbers = (row.chi2, row.n_point, row.n_parameter, row.bic, row.software)
        fluxes = (flux_err.get(key, {}), scale.get(key, {}))
        history = (row.twin_of, row.degeneracy, row.up_to_season)
        one = ModelFacts(key, row.rank, model, *numbers, *fluxes, *history)
        found.setdefault(row.event_id, []).append(one)
    return found


#: Parameters in the order in which they are read; others follow.
_ORDER = (
    "t_0",
    "t_0_1",
    "u_0",
    "u_0_1",
    "t_E",
    "rho",
    "t_0_2",
    "u_0_2",
    "s",
    "q",
    "alpha",
    "ds_dt",
    "dalpha_dt",
    "xi_period",
    "xi_semimajor_axis",
    "xi_Omega_node",
    "xi_inclination",
    "xi_argument_of_latitude_reference",
    "pi_E_N",
    "pi_E_E",
)


def _in_order(value: Mapping[str, float]) -> dict[str, float]:
    """Parameters in the order in which they are read."""
    first = [name for name in _ORDER if name in value]
    return {name: value[name] for name in [*first, *sorted(set(value) - set(first))]}


def _physics(rows: Any) -> dict[int, list[PhysicsFacts]]:
    """What follows from models, by event."""
    quantities: dict[int, list[QuantityFacts]] = {}
    for row in rows(statements.QUANTITIES):
        one = QuantityFacts(row.name, row.method, row.value, row.lower, row.upper, row.confidence, row.unit)
        quantities.setdefault(row.event_model_id, []).append(one)
    found: dict[int, list[PhysicsFacts]] = {}
    for row in rows(statements.PHYSICS):
        status = {_said(name): getattr(row, name) for name in _STATUS}
        mine = quantities.get(row.event_model_id, [])
        found.setdefault(row.event_id, []).append(PhysicsFacts(row.rank, status, mine))
    return found


def _said(name: str) -> str:
    """What a status is of, in a word."""
    return "Result" if name == "status" else name.removesuffix("_status").replace("_", " ")


def _neighbours(rows: Sequence[sa.Row[Any]]) -> dict[int, list[NeighbourFacts]]:
    """Objects near those of events, by event."""
    found: dict[int, list[NeighbourFacts]] = {}
    for row in rows:
        one = NeighbourFacts(
            *(row.object_id, row.distance, row.optical_element, row.magnitude),
            *(row.other_id, row.classification, row.is_event),
        )
        found.setdefault(row.event_id, []).append(one)
    return found
