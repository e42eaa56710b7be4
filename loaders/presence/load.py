"""Objects that images do not show leave the current catalog, and come back when they do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from loaders.presence.odds import Presence, Trials, presence
from roman_db import sqlfile
from roman_db.bulk import stage_rows
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table

#: Signal-to-noise ratio that a catalogued flux must promise for its absence to be told.
PROMISED = 10.0

_TYPES = {
    "object_id": "bigint",
    "is_dropped": "boolean",
    "log_odds": "real",
    "n_seen": "integer",
    "n_absent": "integer",
    "is_merged": "boolean",
}


def review(
    connection: sa.Connection, run: LoadRun, catalog_version_id: int, object_id: npt.NDArray[np.int64]
) -> None:
    """Drop objects that are none, and take back those that are, as all images say that looked for them.

    Parameters
    ----------
    connection
        Open transaction that holds the lock on ``roman.object``.
    run
        The run that writes.
    catalog_version_id
        Version of the catalog that this is part of; it gets the counts.
    object_id
        Objects of which images say something new, shape (n,).
    """
    found = presence(_trials(connection, object_id))
    stage_rows(connection, "staged_presence", _TYPES, _columns(found))
    values: dict[str, object] = {"version": catalog_version_id, "load_run_id": run.load_run_id}
    counts = sqlfile.run(connection, sqlfile.find("jobs", "drop_object"), values).one()
    versions = table("roman.catalog_version")
    mine = versions.c.catalog_version_id == catalog_version_id
    connection.execute(versions.update().where(mine).values(counts._asdict()))


def _trials(connection: sa.Connection, object_id: npt.NDArray[np.int64]) -> Trials:
    """What images say of the objects."""
    objects = "{" + ",".join(map(str, np.unique(object_id).tolist())) + "}"
    values: dict[str, object] = {"objects": objects, "promised": PROMISED}
    rows = sqlfile.run(connection, sqlfile.find("jobs", "presence_trial"), values).all()
    kinds = (np.int64, np.bool_, np.bool_, np.float64)
    return Trials(*(np.array([row[k] for row in rows], dtype=kind) for k, kind in enumerate(kinds)))


def _columns(found: Presence) -> dict[str, npt.NDArray[np.generic]]:
    return {name: getattr(found, name) for name in _TYPES}
