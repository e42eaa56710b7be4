"""A star with a period, beside the small survey."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from loaders.light_curve.block import NONE, BlockKey, BlockPhotometry, Epochs
from loaders.light_curve.load import BlockContext, empty_measurements, write_block
from loaders.light_curve.summary import SegmentMatrix
from roman_db import session
from tests.queries.filling import DETECTOR, EXCLUDING, Survey, exposure_id

#: Its place in the survey, its element, points, days, and the period (d) of its flux.
PERIODIC, ELEMENT, N_POINT, FIRST_DAY, N_DAY, PERIOD = 21, "F213", 400, 61464, 8, 0.7
_MEAN, _AMPLITUDE, _ERROR = 3_000.0, 300.0, 10.0


def store_periodic(survey: Survey) -> None:
    """Store its light curve in the database that ``roman_db`` uses."""
    mjd = FIRST_DAY + (np.arange(N_POINT) + 0.5) * N_DAY / N_POINT
    noise = np.random.default_rng(9).normal(0, _ERROR, N_POINT)
    flux = (_MEAN + _AMPLITUDE * np.sin(2 * np.pi * mjd / PERIOD) + noise).astype(np.float32)
    unknown, one = np.full(N_POINT, NONE), np.ones(1)
    epochs = Epochs(exposure_id(mjd), mjd, mjd + 2400000.5, unknown, unknown)
    error = np.full((1, N_POINT), _ERROR, np.float32)
    photometry = BlockPhotometry(
        survey.object_id[[PERIODIC]],
        SegmentMatrix(flux[None], error, np.zeros((1, N_POINT), np.uint16)),
        np.array([_MEAN]),
        empty_measurements(N_POINT, 4),
        empty_measurements(N_POINT, 7),
        one,
        0.1 * one,
        5.0 * one,
    )
    key = BlockKey(1, DETECTOR, ELEMENT, "psf", FIRST_DAY, FIRST_DAY + N_DAY)
    with session.transaction(session.Role.OWNER) as connection:
        run, version = (
            connection.execute(sa.text(f"SELECT max({key_of}) FROM {table}")).scalar_one()
            for key_of, table in (
                ("load_run_id", "ops.load_run"),
                ("catalog_version_id", "roman.catalog_version"),
            )
        )
        write_block(connection, key, epochs, photometry, BlockContext(run, version, EXCLUDING))
