"""Detected sources and the objects that they are: found in the object catalog, or made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from loaders.catalog.load import store_known
from loaders.catalog.sources import Sources
from roman_db import sqlfile
from roman_db.bulk import stage_rows
from roman_db.load_run import LoadRun

#: Standard errors of one axis within which a source is an object: 4e-6 of true pairs lie beyond.
SIGMAS = 5.0

#: Arcsec that errors do not know of (edges of segments, asymmetric PSFs, alignment): about a pixel.
LEAST = 0.05

#: Arcsec beyond which a source is no object, whatever the errors.
MOST = 1.0

_TYPES = {"n": "integer", "ra": "double precision", "dec": "double precision", "err": "double precision"}


@dataclass(frozen=True)
class Association:
    """Objects of n sources.

    Parameters
    ----------
    object_id
        Shape (n,): the object; -1 for a source that is none.
    distance
        Shape (n,): arcsec to where the object was known to be; 0 for a new one, NaN for none.
    n_matched, n_new
        Sources that were known objects, and that became new ones.
    catalog_version_id
        Version of the object catalog that the sources made; None where they changed nothing.
    """

    object_id: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float64]
    n_matched: int
    n_new: int
    catalog_version_id: int | None


def associate(
    connection: sa.Connection, run: LoadRun, name: str, sources: Sources, may_be_new: npt.NDArray[np.bool_]
) -> Association:
    """Find the objects that sources are, and make objects of those that are none and may.

    A source and its object are the nearest of each other, but for those that are in nearer pairs. An object
    whose place is known from static catalogs alone moves to where it is now; of any other, nothing changes.

    Parameters
    ----------
    connection, run
        Transaction and run.
    name
        Name of the version of the object catalog that is made.
    sources
        Sources, n of them, of one epoch; NaN as place for one that has none.
    may_be_new
        Shape (n,): whether a source makes an object where it is none.
    """
    connection.execute(sa.text("LOCK TABLE roman.object IN SHARE ROW EXCLUSIVE MODE"))
    object_id = np.full(len(sources), -1, np.int64)
    distance = np.full(len(sources), np.nan)
    is_own = np.zeros(len(sources), bool)
    for n, found, far, own in _matches(connection, sources):
        object_id[n], distance[n], is_own[n] = found, far, own
    n_matched = int((object_id >= 0).sum())
    is_new = (object_id < 0) & may_be_new & np.isfinite(sources.ra)
    stored = np.flatnonzero(is_new | is_own)
    version = None
    if stored.size:
        known = [
            None if new else int(one) for one, new in zip(object_id[stored], is_new[stored], strict=True)
        ]
        change, object_id[stored] = store_known(connection, run, name, sources.take(stored), known)
        version = change.catalog_version_id
    distance[is_new] = 0.0
    return Association(object_id, distance, n_matched, int(is_new.sum()), version)


def recognise(connection: sa.Connection, sources: Sources) -> Association:
    """Find the objects that sources are, as `associate` does, and leave the catalog of objects as it is."""
    object_id = np.full(len(sources), -1, np.int64)
    distance = np.full(len(sources), np.nan)
    for n, found, far, _ in _matches(connection, sources):
        object_id[n], distance[n] = found, far
    return Association(object_id, distance, int((object_id >= 0).sum()), 0, None)


#: Number of a source, its object, their distance (arcsec), and whether static catalogs alone know the object.
_Pair: TypeAlias = tuple[int, int, float, bool]


def _matches(connection: sa.Connection, sources: Sources) -> list[_Pair]:
    """Sources with their objects."""
    placed = np.flatnonzero(np.isfinite(sources.ra) & np.isfinite(sources.dec))
    if placed.size == 0:
        return []
    error = np.sqrt((sources.ra_err**2 + sources.dec_err**2) / 2) / 1000
    rows = {
        "n": placed,
        "ra": sources.ra[placed],
        "dec": sources.dec[placed],
        "err": np.nan_to_num(error[placed]),
    }
    stage_rows(connection, "detected_source", _TYPES, rows)
    values = {"epoch": float(sources.ref_epoch[placed[0]]), "sigmas": SIGMAS, "least": LEAST, "most": MOST}
    result = sqlfile.run(connection, sqlfile.find("jobs", "source_match"), values)
    return _nearest_pairs((row.n, row.object_id, row.distance, row.is_own) for row in result)


def _nearest_pairs(pairs: Iterable[_Pair]) -> list[_Pair]:
    """Of pairs in order of distance those of which neither is in a nearer pair that was taken.

    That is: each is the nearest of the other, among those that are left by the pairs before.
    """
    sources, objects, taken = set(), set(), []
    for pair in pairs:
        if pair[0] not in sources and pair[1] not in objects:
            sources.add(pair[0])
            objects.add(pair[1])
            taken.append(pair)
    return taken
