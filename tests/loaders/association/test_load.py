"""Sources find their objects within the errors, along proper motions, each the nearest of the other."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.association.load import associate
from loaders.catalog.sources import Sources
from roman_db import session
from roman_db.load_run import load_run
from tests.roman_db.conftest import execute

RA, DEC, EPOCH = 150.0, -60.0, 2028.0
ARCSEC = 1 / 3600


def sources(east, north, error=0.002, epoch=EPOCH, **columns) -> Sources:
    """Sources at arcsec east and north of the middle, with errors in arcsec."""
    east, north = np.atleast_1d(np.asarray(east, float)), np.atleast_1d(np.asarray(north, float))
    n = east.size
    given = {name: np.full(n, np.nan) for name in
             ("pm_ra", "pm_dec", "pm_ra_err", "pm_dec_err", "parallax", "parallax_err")}  # fmt: skip
    given |= {name: np.asarray(value, float) for name, value in columns.items()}
    mas = np.broadcast_to(np.asarray(error, float) * 1000, (n,)).copy()
    return Sources(
        row=np.arange(n),
        source_id=np.full(n, None, object),
        ra=RA + east * ARCSEC / np.cos(np.radians(DEC)),
        dec=DEC + north * ARCSEC,
        ref_epoch=np.full(n, epoch),
        ra_err=mas,
        dec_err=mas.copy(),
        flux={"F158": np.full(n, 100.0)},
        flux_err={"F158": np.ones(n)},
        **given,
    )


def known(given: Sources):
    """Objects of another catalog than static ones; their identifiers."""
    return store(given, "gaia").object_id


def store(given: Sources, name="cell", may_be_new=None):
    allowed = np.ones(len(given), bool) if may_be_new is None else np.asarray(may_be_new)
    with load_run("test", {}) as run, session.transaction() as connection:
        return associate(connection, run, name, given, allowed)


@pytest.mark.parametrize(
    ("distance", "error", "is_found"),
    [(0.04, 0.0, True), (0.06, 0.0, False), (0.5, 0.11, True), (0.5, 0.08, False), (1.1, 1.0, False)],
)
def test_the_radius_follows_from_the_errors(new_database, distance, error, is_found):
    objects = known(sources(0, 0, 0.0))
    found = store(sources(0, distance, error))
    assert bool(found.object_id[0] == objects[0]) == is_found
    assert (found.n_matched, found.n_new) == ((1, 0) if is_found else (0, 1))
    assert found.distance[0] == pytest.approx(distance if is_found else 0, abs=1e-6)


def test_an_object_is_where_its_motion_brought_it(new_database):
    moving = sources([0, 3], [0, 0], 0.0, 2016.0, pm_ra=[50.0, np.nan], pm_dec=[-20.0, np.nan])
    objects = known(moving)
    found = store(sources([0.6, 3], [-0.24, 0]))
    assert found.object_id.tolist() == objects.tolist()
    assert found.distance == pytest.approx([0, 0], abs=1e-5)
    assert found.catalog_version_id is None
    assert execute(new_database, "SELECT count(*) FROM roman.object_history") == [(0,)]


def test_each_is_the_nearest_of_the_other(new_database):
    objects = known(sources([0, 0.06], [0, 0], 0.0))
    found = store(sources([0.02, 0.031, 0.065], [0, 0, 0]))
    assert found.object_id[[0, 2]].tolist() == objects.tolist()
    assert found.n_new == 1
    assert np.unique(found.object_id).size == 3
    # The same again: each is what it became.
    assert store(sources([0.02, 0.031, 0.065], [0, 0, 0])).object_id.tolist() == found.object_id.tolist()


def test_what_may_not_be_new_or_has_no_place_is_no_object(new_database):
    found = store(sources([0, 5, np.nan], [0, 0, np.nan]), may_be_new=[True, False, True])
    assert (found.object_id >= 0).tolist() == [True, False, False]
    assert np.isnan(found.distance[1:]).all()
    assert execute(new_database, "SELECT name, n_new FROM roman.catalog_version") == [("cell", 1)]
    assert execute(new_database, "SELECT psf_flux FROM roman.object_flux") == [(100,)]
    none = store(sources([], []))
    assert (none.object_id.size, none.catalog_version_id) == (0, None)
