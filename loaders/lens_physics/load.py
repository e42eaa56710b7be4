"""Physical parameters of the events of the database: models read, what follows from them stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.event_models.fitted_model import surcharge
from loaders.lens_physics.describe import Description, Job, describe_job
from loaders.lens_physics.model import FloatArray, StoredModel
from loaders.lens_physics.quantity import Quantity
from loaders.lens_physics.seen_motion import SeenMotion, best_motion
from loaders.lens_physics.source import Dust, Extinction
from loaders.lens_physics.submission import Event, Solution, Team, write_submission
from roman_db import session
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.parallel import side_by_side
from roman_db.schema.metadata import table
from roman_db.settings import settings

#: Name of the task.
TASK = "lens_physics"

#: Events in a unit.
RANGE = 200

#: Models whose chi-square is above that of the first by less describe an event as well.
DELTA_CHI2 = 25.0

#: Models that are to have a row: those that the event is believed to be, and its twins.
_WANTED = """
SELECT e.event_id, m.event_model_id, m.rank, m.name, m.n_lens, m.n_source, m.chi2, m.n_point, m.bic,
       m.score, m.t_0_par,
       m.is_converged, m.covariance_of, m.covariance, m.chi2 - best.chi2 AS delta_chi2,
       o.object_id, o.ra, o.dec, e.classification, e.season, e.photometry_kind, m.software, m.twin_of,
       m.degeneracy
FROM roman.event AS e
JOIN roman.event_model AS m USING (event_id)
JOIN roman.event_model AS best ON best.event_id = e.event_id AND best.rank = 1 AND best.superseded_at IS NULL
JOIN roman.object AS o USING (object_id)
WHERE e.is_event AND m.superseded_at IS NULL
  AND (m.rank = 1 OR (m.is_converged AND m.chi2 - best.chi2 < CAST(:limit AS float8)))
"""

#: Events some of whose models have no row, or one from before the extinction was mapped anew, and events that
#: were refused since.
_RANGES = f"""
WITH wanted AS ({_WANTED}
  AND e.season = CAST(:season AS smallint) AND e.photometry_kind = :photometry_kind
), due AS (
    SELECT w.event_id FROM wanted AS w LEFT JOIN roman.event_physical AS p USING (event_model_id)
    WHERE CAST(:redo AS boolean) OR p.event_model_id IS NULL OR p.load_run_id < CAST(:mapped AS bigint)
       OR p.load_run_id < (SELECT max(r.load_run_id) FROM roman.relative_proper_motion AS r
                           WHERE r.event_id = w.event_id AND r.superseded_at IS NULL)
    UNION
    SELECT e.event_id FROM roman.event AS e
    JOIN roman.event_model AS m USING (event_id) JOIN roman.event_physical AS p USING (event_model_id)
    WHERE NOT e.is_event AND e.season = CAST(:season AS smallint) AND e.photometry_kind = :photometry_kind
), numbered AS (
    SELECT event_id, row_number() OVER (ORDER BY event_id) - 1 AS n FROM due
)
SELECT CAST(array_agg(event_id ORDER BY event_id) AS bigint[]) AS events FROM numbered
GROUP BY n / CAST(:size AS bigint) ORDER BY min(event_id)
"""

_PARAMETERS = """
SELECT event_model_id, name, value, err FROM roman.event_model_parameter
WHERE event_model_id = ANY(CAST(:models AS bigint[])) ORDER BY event_model_id, name
"""

_FLUXES = """
SELECT event_model_id, optical_element, source_number, flux, flux_err, limb_darkening
FROM roman.event_model_flux WHERE event_model_id = ANY(CAST(:models AS bigint[]))
ORDER BY event_model_id, optical_element, source_number
"""

_SAMPLES = """
SELECT event_model_id, name, sample FROM roman.event_model_sample
WHERE event_model_id = ANY(CAST(:models AS bigint[]))
"""

_REMOVE = """
DELETE FROM roman.{table} AS p USING roman.event_model AS m
WHERE m.event_model_id = p.event_model_id AND m.event_id = ANY(CAST(:events AS bigint[]))
  AND (m.superseded_at IS NULL OR NOT (SELECT is_event FROM roman.event AS e WHERE e.event_id = m.event_id))
"""

#: Objects are numbered by the cell in which they lie, so that no position is needed.
_EXTINCTION = """
SELECT DISTINCT ON (o.object_id, x.optical_element) o.object_id, x.optical_element, x.extinction,
       coalesce(x.extinction_err, 0) AS extinction_err,
       coalesce(x.extinction_covariance_f146, 0) AS covariance
FROM unnest(CAST(:objects AS bigint[])) AS o (object_id)
JOIN roman.extinction AS x ON x.healpix_index = o.object_id >> (2 * (29 - x.healpix_order))
WHERE x.superseded_at IS NULL AND x.status = 'fitted'
ORDER BY o.object_id, x.optical_element, x.healpix_order DESC
"""

#: Of several seasons the one that each method knows best: later ones have the exposures of earlier ones.
_MOTIONS = """
SELECT DISTINCT ON (event_id, method) event_id, method, pm_rel_ra, pm_rel_dec,
       pm_rel_ra_err::float8, pm_rel_dec_err::float8, pm_rel_corr::float8, sign_known
FROM roman.relative_proper_motion
WHERE superseded_at IS NULL AND status = 'measured' AND event_id = ANY(CAST(:events AS bigint[]))
ORDER BY event_id, method, pm_rel_err
"""

_SUMMARY = """
SELECT p.status, count(*) AS n FROM roman.event_physical AS p
JOIN roman.event_model AS m USING (event_model_id) JOIN roman.event AS e USING (event_id)
WHERE e.season = CAST(:season AS smallint) AND e.photometry_kind = :photometry_kind
  AND e.is_event AND m.superseded_at IS NULL AND m.rank = 1
GROUP BY p.status ORDER BY n DESC, p.status
"""

_QUANTITIES = """
SELECT event_model_id, name, method, value, lower, upper FROM roman.event_physical_parameter
WHERE event_model_id = ANY(CAST(:models AS bigint[])) ORDER BY event_model_id, name, method
"""


def pending_events(arguments: Mapping[str, Any]) -> list[Unit]:
    """List events of whose models it is not known yet what follows.

    Arguments: ``survey, season`` (0: all), ``photometry_kind, redo``.
    """
    given = {name: arguments[name] for name in ("season", "photometry_kind")}
    with session.reading() as connection:
        more = {"redo": arguments["redo"], "size": RANGE, "limit": DELTA_CHI2, "mapped": _mapped(connection)}
        ranges = connection.execute(sa.text(_RANGES), given | more).scalars().all()
    which = f"season {given['season'] or 'all'} of {arguments['survey']}, {given['photometry_kind']}"
    return [
        Unit(f"{which}, {len(events)} events from {events[0]}", given | {"events": list(events)})
        for events in ranges
    ]


def describe_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Find and store what follows from the models of some events."""
    with session.reading() as connection:
        rows = _wanted(connection, unit.arguments["events"])
        jobs = _jobs(connection, rows)
    found: list[Description] = []
    workers = min(settings().workers, len(jobs))
    with side_by_side(workers, "loaders.lens_physics.describe") as of_each:
        for done, one in enumerate(of_each(describe_job, jobs), 1):
            found.append(one)
            progress(unit.name, done, len(jobs))
    with session.transaction() as connection:
        for name in ("event_physical_parameter", "event_physical"):
            connection.execute(sa.text(_REMOVE.format(table=name)), {"events": unit.arguments["events"]})
        for row, description in zip(rows, found, strict=True):
            _store(connection, run, row, description)
        run.count(connection, loaded=1)


def _wanted(connection: sa.Connection, events: Sequence[int]) -> Sequence[sa.Row[Any]]:
    """Models of events that are to have a row."""
    query = f"{_WANTED} AND e.event_id = ANY(CAST(:events AS bigint[])) ORDER BY e.event_id, m.rank"
    return connection.execute(sa.text(query), {"events": list(events), "limit": DELTA_CHI2}).all()


def _jobs(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> list[Job]:
    """What is computed, with the extinction of each place."""
    models = _models(connection, rows)
    dust = _extinction(connection, [row.object_id for row in rows])
    motions = _motions(connection, [row.event_id for row in rows])
    return [
        Job(model, (row.ra, row.dec), dust.get(row.object_id, {}), row.object_id, motions.get(row.event_id))
        for model, row in zip(models, rows, strict=True)
    ]


def _motions(connection: sa.Connection, events: Sequence[int]) -> dict[int, SeenMotion]:
    """Relative motions that were seen in images, by event."""
    found: dict[int, list[SeenMotion]] = {}
    for row in connection.execute(sa.text(_MOTIONS), {"events": list(events)}):
        both = row.pm_rel_corr * row.pm_rel_ra_err * row.pm_rel_dec_err
        covariance = np.array([[row.pm_rel_ra_err**2, both], [both, row.pm_rel_dec_err**2]])
        one = SeenMotion(row.method, row.pm_rel_ra, row.pm_rel_dec, covariance, row.sign_known is not False)
        found.setdefault(row.event_id, []).append(one)
    best = ((event, best_motion(several)) for event, several in found.items())
    return {event: one for event, one in best if one is not None}


def _models(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> list[StoredModel]:
    """Models with their parameters and fluxes."""
    key = {"models": [row.event_model_id for row in rows]}
    value: dict[int, dict[str, float]] = {}
    error: dict[int, dict[str, float]] = {}
    for one in connection.execute(sa.text(_PARAMETERS), key):
        value.setdefault(one.event_model_id, {})[one.name] = one.value
        error.setdefault(one.event_model_id, {})[one.name] = np.nan if one.err is None else one.err
    flux: dict[int, dict[tuple[str, int], float]] = {}
    limb: dict[int, dict[str, float]] = {}
    for one in connection.execute(sa.text(_FLUXES), key):
        flux.setdefault(one.event_model_id, {})[one.optical_element, one.source_number] = one.flux
        if one.limb_darkening is not None:
            limb.setdefault(one.event_model_id, {})[one.optical_element] = one.limb_darkening
    sample: dict[int, dict[str, FloatArray]] = {}
    for one in connection.execute(sa.text(_SAMPLES), key):
        sample.setdefault(one.event_model_id, {})[one.name] = np.array(one.sample)
    return [
        StoredModel(
            row.name,
            row.n_lens,
            row.n_source,
            value[row.event_model_id],
            error[row.event_model_id],
            flux[row.event_model_id],
            row.t_0_par,
            *_covariance(row),
            row.is_converged,
            sample.get(row.event_model_id, {}),
            limb.get(row.event_model_id, {}),
        )
        for row in rows
    ]


def _covariance(row: sa.Row[Any]) -> tuple[Sequence[str], np.ndarray | None]:
    """What the covariance of a model is of, and the covariance."""
    if row.covariance is None:
        return (), None
    names = row.covariance_of.split()
    return names, np.array(row.covariance, dtype=np.float64).reshape(len(names), len(names))


def _mapped(connection: sa.Connection) -> int:
    """Run that mapped the extinction last; 0 without a map."""
    return int(
        connection.execute(sa.text("SELECT coalesce(max(load_run_id), 0) FROM roman.extinction")).scalar_one()
    )


def _extinction(connection: sa.Connection, objects: Sequence[int]) -> dict[int, Extinction]:
    """Extinction of objects, by optical element, in the smallest fitted cell about each; none without."""
    found: dict[int, dict[str, Dust]] = {}
    for row in connection.execute(sa.text(_EXTINCTION), {"objects": list(objects)}):
        dust = Dust(row.extinction, row.extinction_err, row.covariance)
        found.setdefault(row.object_id, {})[row.optical_element] = dust
    return dict(found)


def _store(connection: sa.Connection, run: LoadRun, row: sa.Row[Any], one: Description) -> None:
    """Store what follows from a model."""
    key = {"event_model_id": row.event_model_id, "load_run_id": run.load_run_id}
    connection.execute(
        table("roman.event_physical").insert(),
        key
        | {
            "status": one.status,
            "source_status": one.source,
            "rho_status": one.rho,
            "parallax_status": one.parallax,
            "prior_status": one.prior,
            "blend_status": one.blend,
            "colour": one.colour,
            "motion_method": one.motion_method,
            "delta_chi2": row.delta_chi2,
            "has_covariance": one.drawn_from != "errors",
            "has_posterior": one.drawn_from == "posterior",
            "seed": one.seed,
        },
    )
    rows = [key | _columns(quantity) for quantity in one.quantities]
    if rows:
        connection.execute(table("roman.event_physical_parameter").insert(), rows)


def _columns(one: Quantity) -> dict[str, Any]:
    """Columns of ``roman.event_physical_parameter``."""
    return {
        "name": one.name,
        "method": one.method,
        "value": one.value,
        "lower": one.lower,
        "upper": one.upper,
        "confidence": one.confidence,
        "unit": one.unit,
    }


def summary_of_physics(season: int, photometry_kind: str) -> Iterator[str]:
    """Say of how many events of a season what is known."""
    values = {"season": season, "photometry_kind": photometry_kind}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_SUMMARY), values).all()
    if rows:
        yield "Lenses: " + ", ".join(f"{row.n:,} {row.status}" for row in rows) + "."


def export_submission(directory: Path, team: Team, season: int, photometry_kind: str) -> tuple[int, int]:
    """Write all events of a season with their models as a project of microlens-submit.

    Parameters
    ----------
    directory
        The project; it must not be there yet, or be empty.
    team
        Who submits.
    season
        Number of the season; 0 for the events of all.
    photometry_kind
        Kind of the light curves.

    Returns
    -------
    events, solutions
        How many were written.
    """
    with session.reading() as connection:
        query = (
            f"{_WANTED} AND e.season = CAST(:season AS smallint) AND e.photometry_kind = :photometry_kind"
            " ORDER BY e.event_id, m.rank"
        )
        given = {"season": season, "photometry_kind": photometry_kind, "limit": DELTA_CHI2}
        rows = connection.execute(sa.text(query), given).all()
        events = _events(connection, rows)
    write_submission(directory, team, events)
    return len(events), len(rows)


def _events(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> list[Event]:
    """Events with their models and what follows from them."""
    quantities: dict[int, list[Quantity]] = {}
    key = {"models": [row.event_model_id for row in rows]}
    for one in connection.execute(sa.text(_QUANTITIES), key):
        some = quantities.setdefault(one.event_model_id, [])
        some.append(Quantity(one.name, one.method, one.value, one.lower, one.upper))
    errors: dict[int, dict[tuple[str, int], float | None]] = {}
    for one in connection.execute(sa.text(_FLUXES), key):
        errors.setdefault(one.event_model_id, {})[one.optical_element, one.source_number] = one.flux_err
    events: dict[int, Event] = {}
    for row, model in zip(rows, _models(connection, rows), strict=True):
        event = events.setdefault(row.event_id, Event(row.event_id, row.object_id, row.ra, row.dec, []))
        score = row.bic + surcharge(row.name) if row.score is None else row.score
        event.solutions.append(
            Solution(
                *(row.event_model_id, row.rank, model, errors.get(row.event_model_id, {})),
                *(quantities.get(row.event_model_id, []), row.chi2, row.n_point, row.bic),
                *(score, row.twin_of, row.degeneracy),
            )
        )
    return list(events.values())
