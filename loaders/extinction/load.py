"""Extinction in the database: stars of the catalog read, cells stored, the map read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from loaders.extinction.configuration import REFERENCE, configuration_from_mapping, read_changes
from loaders.extinction.geometry import OBJECT_ORDER, Cell, is_inside
from loaders.extinction.picture import draw_map
from loaders.extinction.product import ExtinctionMap, Provenance, write_asdf, write_fits
from loaders.extinction.root import map_root
from loaders.extinction.stars import Stars, stars_from_fluxes
from loaders.rejection import Rejected
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.jobs import Progress, Unit
from roman_db.load_run import LoadRun
from roman_db.settings import settings

#: Name of the task.
TASK = "extinction"

_AB_ZERO_NJY = 3631e9

#: Cells with objects, found by jumps through the index from one cell to the next.
_ROOTS = """
WITH RECURSIVE root AS (
    (SELECT object_id >> CAST(:shift AS integer) AS cell FROM roman.object ORDER BY object_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT o.object_id >> CAST(:shift AS integer) FROM roman.object AS o
        WHERE o.object_id >= (root.cell + 1) << CAST(:shift AS integer) ORDER BY o.object_id LIMIT 1
    )
    FROM root WHERE root.cell IS NOT NULL
)
SELECT cell FROM root WHERE cell IS NOT NULL ORDER BY cell
"""

#: When the catalog of objects last changed.
_NEWEST = "SELECT coalesce(max(load_run_id), 0) FROM roman.catalog_version"

_DONE = """
SELECT unit FROM ops.task_run
WHERE task = :task AND state = 'succeeded' AND load_run_id >= CAST(:newest AS bigint)
  AND arguments -> 'changes' = CAST(:changes AS jsonb)
"""

_STARS = """
SELECT f.object_id, f.psf_flux AS reference, blue.psf_flux AS blue, red.psf_flux AS red
FROM roman.object_flux AS f
LEFT JOIN roman.object_flux AS blue ON blue.object_id = f.object_id AND blue.optical_element = 'F087'
LEFT JOIN roman.object_flux AS red ON red.object_id = f.object_id AND red.optical_element = 'F213'
WHERE f.optical_element = 'F146' AND f.object_id >= :first AND f.object_id < :end
  AND f.psf_flux > CAST(:faintest AS float8)
  AND EXISTS (SELECT FROM roman.current_object AS o WHERE o.object_id = f.object_id)
ORDER BY f.object_id
"""

#: Rows of cells that have a place in common with a root.
_SUPERSEDE = """
UPDATE roman.extinction SET superseded_at = now()
WHERE superseded_at IS NULL
  AND healpix_index << (2 * (29 - healpix_order)) < CAST(:end AS bigint)
  AND (healpix_index + 1) << (2 * (29 - healpix_order)) > CAST(:first AS bigint)
"""

_MAP = """
SELECT healpix_order, healpix_index, optical_element, extinction, extinction_err, extinction_covariance_f146,
       clump_mag, clump_mag_err, clump_mag_intrinsic, n_star, status
FROM roman.extinction WHERE superseded_at IS NULL
ORDER BY healpix_index << (2 * (29 - healpix_order)), optical_element
"""

_LAST = """
SELECT r.load_run_id, r.code_version, r.schema_version,
       (SELECT t.arguments -> 'changes' FROM ops.task_run AS t
        WHERE t.load_run_id = r.load_run_id AND t.task = :task LIMIT 1) AS changes
FROM ops.load_run AS r
WHERE r.load_run_id = (SELECT max(load_run_id) FROM roman.extinction WHERE superseded_at IS NULL)
"""

_SUMMARY = """
SELECT optical_element = 'F146' AND status = 'fitted' AS is_fitted, status, count(*) AS n,
       percentile_cont(ARRAY[0, 0.5, 1]) WITHIN GROUP (ORDER BY extinction) AS range
FROM roman.extinction WHERE superseded_at IS NULL AND optical_element = 'F146'
GROUP BY 1, 2 ORDER BY 1 DESC, n DESC, status
"""


def pending_roots(arguments: Mapping[str, Any]) -> list[Unit]:
    """List the pieces of the bulge not mapped since the catalog of objects or the configuration changed.

    Arguments: ``redo``; others do not count. A piece is a cell of the root order with objects in it.

    Raises
    ------
    Rejected
        Code ``bad_configuration``, if the file of ROMAN_DB_EXTINCTION_CONFIGURATION does not fit.
    """
    changes = _changes()
    configuration = configuration_from_mapping(changes)
    order = configuration.cells.root_order
    with session.reading() as connection:
        shift = {"shift": 2 * (OBJECT_ORDER - order)}
        cells = np.array(connection.execute(sa.text(_ROOTS), shift).scalars().all(), dtype=np.int64)
        newest = connection.execute(sa.text(_NEWEST)).scalar_one()
        given = {"task": TASK, "newest": newest, "changes": json.dumps(changes)}
        done = set(connection.execute(sa.text(_DONE), given).scalars())
    inside = is_inside(np.full(cells.shape, order), cells, configuration.region)
    units = [
        Unit(f"cell {order}/{cell}", {"order": order, "index": int(cell), "changes": changes})
        for cell in cells[inside]
    ]
    return [unit for unit in units if arguments.get("redo") or unit.name not in done]


def map_unit(unit: Unit, run: LoadRun, progress: Progress) -> None:
    """Map a piece of the bulge; the cells that were there are superseded."""
    root = Cell(unit.arguments["order"], unit.arguments["index"])
    changes: dict[str, Any] = unit.arguments["changes"]
    progress(unit.name, 0, 2)
    rows = map_root(root, _read_stars(root, changes), changes)
    progress(unit.name, 1, 2)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    with session.transaction() as connection:
        connection.execute(sa.text(_SUPERSEDE), {"first": root.first, "end": root.end})
        copy_rows(connection, "roman.extinction", columns | {"load_run_id": [run.load_run_id] * len(rows)})
        run.count(connection, loaded=1)


def _read_stars(root: Cell, changes: Mapping[str, Any]) -> Stars:
    """Stars of a cell that are bright enough in F146."""
    limit = configuration_from_mapping(changes).limits.faint[REFERENCE]
    given = {"first": root.first, "end": root.end, "faintest": _AB_ZERO_NJY * 10 ** (-0.4 * limit)}
    with session.reading() as connection:
        rows = connection.execute(sa.text(_STARS), given).all()
    table = np.array([tuple(row)[1:] for row in rows], dtype=np.float64).reshape(-1, 3)
    pixel = np.array([row.object_id for row in rows], dtype=np.int64)
    return stars_from_fluxes(pixel, dict(zip(("F146", "F087", "F213"), table.T, strict=True)))


def _changes() -> dict[str, Any]:
    """What the configuration of the settings changes."""
    path = settings().extinction_configuration
    try:
        return read_changes(path)
    except (OSError, ValueError) as error:
        remedy = "Correct it, or unset ROMAN_DB_EXTINCTION_CONFIGURATION"
        raise Rejected(str(path), f"no configuration ({error})", remedy, "bad_configuration") from error


def read_map() -> ExtinctionMap:
    """The current map.

    Raises
    ------
    Rejected
        Code ``no_map``, if there is none.
    """
    with session.reading() as connection:
        rows = connection.execute(sa.text(_MAP)).mappings().all()
        last = connection.execute(sa.text(_LAST), {"task": TASK}).one_or_none()
    if last is None:
        what = "there is no map of extinction"
        raise Rejected("roman.extinction", what, "Make it: roman-db run extinction", "no_map")
    provenance = Provenance(last.load_run_id, last.code_version, last.schema_version, last.changes or {})
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return ExtinctionMap.from_columns(columns, provenance)


#: What a file is, by the end of its name.
WRITERS = {".fits": write_fits, ".asdf": write_asdf, ".png": draw_map}


def export_map(path: Path) -> int:
    """Write the current map into a file: FITS, ASDF or a picture (PNG), by the end of its name.

    Returns
    -------
    int
        Number of cells.

    Raises
    ------
    Rejected
        Code ``no_map``, if there is none, or ``unwritable_folder``.
    """
    current = read_map()
    WRITERS[path.suffix](current, path)
    return len(current)


def summary_of_extinction() -> str:
    """Say how many cells there are, and how much extinction they have."""
    with session.reading() as connection:
        rows = connection.execute(sa.text(_SUMMARY)).all()
    if not rows:
        return "Extinction: no map."
    fitted = next((row for row in rows if row.is_fitted), None)
    failed = ", ".join(f"{row.n:,} {row.status}" for row in rows if not row.is_fitted)
    if fitted is None:
        return f"Extinction: no cell with a red clump; {failed}."
    least, middle, most = fitted.range
    found = f"{fitted.n:,} cells, F146 {least:.2f} to {most:.2f} mag, median {middle:.2f}"
    return f"Extinction: {found}; without a red clump: {failed or 'none'}."
