"""A database with the stars of a dusty field."""

from __future__ import annotations

from dataclasses import dataclass

import cdshealpix
import numpy as np
import pytest
import sqlalchemy as sa

from loaders.extinction.bands import make_bands
from loaders.extinction.configuration import configuration_from_mapping
from loaders.extinction.geometry import distance_modulus
from roman_db import session
from roman_db.bulk import copy_rows
from tests.loaders.extinction.diagram import Recipe, draw
from tests.loaders.extinction.sky import ROOT, positions
from tests.queries.conftest import filled_template, own_survey
from tests.queries.filling import insert

__all__ = ["dusty_field", "filled_template", "own_survey"]

#: Extinction in F146 of the field, even.
DUST = 1.1


@dataclass(frozen=True)
class Field:
    """What was stored: number of stars, and the true extinctions by optical element."""

    n_object: int
    extinction: dict[str, float]


@pytest.fixture
def dusty_field(own_survey) -> Field:
    """Stars of a root cell behind even dust, whose clump has the magnitudes that are assumed."""
    configuration = configuration_from_mapping({})
    bands, rng = make_bands(configuration), np.random.default_rng(2)
    longitude, latitude = (np.array([x]) for x in ROOT.centre())
    modulus = float(distance_modulus(longitude, latitude, configuration.distance)[0])
    truth = {one: float(bands.extinction(one, np.array([DUST]))[0]) for one in bands.intrinsic}
    clump = {one: bands.intrinsic[one] + modulus + truth[one] for one in truth}
    stars = draw(Recipe(900, 2700, 200), np.zeros, rng, clump)
    pixel, _, _ = positions(ROOT, stars["F146"].size, rng)
    _store(rng.permutation(np.unique(pixel)), stars)
    return Field(pixel.size, truth)


def _store(pixel: np.ndarray, magnitude: dict[str, np.ndarray]) -> None:
    """Store objects and fluxes as a catalog of their own."""
    lon, lat = cdshealpix.healpix_to_lonlat(pixel.astype(np.uint64), 29)
    with session.transaction(session.Role.OWNER) as connection:
        (run,) = connection.execute(sa.text("SELECT max(load_run_id) FROM ops.load_run")).one()
        version = insert(
            connection,
            "roman.catalog_version",
            name="dusty",
            n_new=pixel.size,
            n_changed=0,
            n_unchanged=0,
            n_merged=0,
            load_run_id=run,
        )
        same = {"catalog_version_id": np.full(pixel.size, version), "load_run_id": np.full(pixel.size, run)}
        place = {"object_id": pixel, "ra": lon.deg, "dec": lat.deg, "ref_epoch": np.full(pixel.size, 2027.0)}
        first = {"first_catalog_version_id": same["catalog_version_id"]}
        copy_rows(connection, "roman.object", place | first | same)
        for element, values in magnitude.items():
            flux = 3631e9 * 10 ** (-0.4 * values[: pixel.size])
            one = {"object_id": pixel, "optical_element": [element] * pixel.size, "psf_flux": flux}
            copy_rows(connection, "roman.object_flux", one | {"psf_flux_err": 0.001 * flux} | same)
