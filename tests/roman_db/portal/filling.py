"""What the pages are tried on beside the small survey: a curve of many points that is known, and an event."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from loaders.light_curve.block import NONE, BlockKey, BlockPhotometry, Epochs
from loaders.light_curve.load import BlockContext, empty_measurements, write_block
from loaders.light_curve.summary import SegmentMatrix
from roman_db import migrate, session
from tests.loaders.season.test_report import store_event
from tests.queries.filling import DETECTOR, EXCLUDING, analyze, exposure_id, make_survey
from tests.roman_db.spectra import store_spectra

#: The object with many points, in F213; their number, days, and the period of its flux.
MANY, N_MANY, FIRST_DAY, N_DAY, PERIOD = 21, 45_000, 61464, 8, 0.7
#: Points that are not as the others: one far above them, one flagged.
SPIKE, SPIKE_FLUX, FLAGGED = 12_345, 9_000.0, 30_000
MEAN, AMPLITUDE, ERROR = 3_000.0, 300.0, 10.0
ELEMENT, FLAG = "F213", 1 << 6
#: The object that has a spectrum, and the number of that.
OBSERVED, SPECTRUM = 3, 2


def times() -> np.ndarray:
    """Times of the points, MJD TDB."""
    return FIRST_DAY + (np.arange(N_MANY) + 0.5) * N_DAY / N_MANY


def fluxes() -> np.ndarray:
    """Their fluxes, nJy."""
    noise = np.random.default_rng(9).normal(0, ERROR, N_MANY)
    flux = MEAN + AMPLITUDE * np.sin(2 * np.pi * times() / PERIOD) + noise
    flux[SPIKE] = SPIKE_FLUX
    return flux.astype(np.float32)


def fill() -> None:
    """Add to the small survey in the database that ``roman_db`` uses."""
    migrate.upgrade()  # rights of a database on temporary tables are not copied with it
    survey = make_survey()
    with session.transaction(session.Role.OWNER) as connection:
        run, version = (
            connection.execute(sa.text(f"SELECT max({key}) FROM {table}")).scalar_one()
            for key, table in (
                ("load_run_id", "ops.load_run"),
                ("catalog_version_id", "roman.catalog_version"),
            )
        )
        mjd = times()
        unknown = np.full(N_MANY, NONE)
        epochs = Epochs(exposure_id(mjd), mjd, mjd + 2400000.5, unknown, unknown)
        flags = np.zeros((1, N_MANY), np.uint16)
        flags[0, FLAGGED] = FLAG
        error = np.full((1, N_MANY), ERROR, np.float32)
        one = np.ones(1)
        photometry = BlockPhotometry(
            survey.object_id[[MANY]],
            SegmentMatrix(fluxes()[None], error, flags),
            np.array([MEAN]),
            empty_measurements(N_MANY, 4),
            empty_measurements(N_MANY, 7),
            one,
            0.1 * one,
            5.0 * one,
        )
        key = BlockKey(1, DETECTOR, ELEMENT, "psf", FIRST_DAY, FIRST_DAY + N_DAY)
        write_block(connection, key, epochs, photometry, BlockContext(run, version, EXCLUDING))
    store_event(survey)
    place = (float(survey.ra[OBSERVED]), float(survey.dec[OBSERVED]))
    stored = store_spectra("/nowhere/spectra.fits", int(survey.object_id[OBSERVED]), place)
    if stored.galaxy != SPECTRUM:
        raise AssertionError(f"the spectrum of the pages is {stored.galaxy}, tests expect {SPECTRUM}")
    analyze()
