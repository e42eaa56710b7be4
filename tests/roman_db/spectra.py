"""Spectra that are known, stored as a loader would: what services and pages of spectra are tried on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import sqlalchemy as sa

from roman_db import session
from roman_db.bulk import copy_rows
from tests.queries.filling import RUN, insert

#: A galaxy with its object, observed by Roman; a star of another telescope without a scale and a resolution;
#: what could not be fitted, without a place and a time. There is an earlier version of the first.
GALAXY, STAR, UNFITTED = "galaxy 'A'", "star-1", "noise"
Z, Z_OTHER, N_PIXEL = 1.3, 0.75, 861
#: Pixels that are masked, and one without a flux.
MASKED, MISSING = slice(100, 110), 200
START, EXPOSURE = 61500.25, 8640.0
QUANTILE = np.float32(Z + 0.002 * np.linspace(-2.5, 2.5, 100))


@dataclass(frozen=True)
class Stored:
    """Identifiers of the spectra, and the fluxes of the galaxy."""

    galaxy: int
    star: int
    unfitted: int
    earlier: int


def wavelengths() -> np.ndarray:
    """Pixels of the grism, µm."""
    return np.linspace(1.0, 1.93, N_PIXEL)


def fluxes() -> np.ndarray:
    """Of the galaxy: a continuum and two lines, in 10**-20 W m**-2 µm**-1."""
    wave = wavelengths()
    flux = 50 + 10 * (wave - 1.5)
    for rest, strength in ((0.656461, 200.0), (0.500824, 80.0)):
        flux += strength * np.exp(-0.5 * ((wave - rest * (1 + Z)) / 0.002) ** 2)
    flux[MISSING] = np.nan
    return flux.astype(np.float32)


def store_spectra(path: str, object_id: int, place: tuple[float, float]) -> Stored:
    """Store them in the database that ``roman_db`` uses.

    Parameters
    ----------
    path
        File that they are said to be from.
    object_id, place
        Object of the galaxy, and where it is; the star stands a degree north of it.
    """
    with session.transaction(session.Role.OWNER) as connection:
        run = _run(connection)
        file_id = connection.execute(sa.text(_FILE), {"path": path, "run": run}).scalar_one()
        earlier, galaxy, star, unfitted = connection.execute(sa.text(_IDENTIFIERS)).scalars().all()
        _spectra(connection, [earlier, galaxy, star, unfitted], object_id, place, file_id, run)
        of_run = {"load_run_id": [run] * 4}
        copy_rows(connection, "roman.redshift", _redshifts([earlier, galaxy, star, unfitted]) | of_run)
        _details(connection, galaxy, run)
    return Stored(galaxy, star, unfitted, earlier)


_FILE = """
INSERT INTO ops.input_file (kind, filename, path, sha256, size_bytes, load_run_id)
VALUES ('spectrum', 'spectra.fits', :path, 'x', 1000, :run) RETURNING file_id
"""
_IDENTIFIERS = """
SELECT nextval(pg_get_serial_sequence('roman.spectrum', 'spectrum_id')) FROM generate_series(1, 4)
"""


def _run(connection: sa.Connection) -> int:
    """A run of the loader."""
    counts = {"n_expected": 3, "n_read": 3, "n_loaded": 3, "n_rejected": 0}
    return insert(connection, "ops.load_run", task="load spectra", state="succeeded", **counts, **RUN)


def _spectra(connection, ids, object_id, place, file_id, run) -> None:
    """Rows of the spectra."""
    wave, mask = wavelengths(), np.zeros(N_PIXEL, np.int16)
    mask[MASKED] = 1
    flux, error = fluxes(), np.full(N_PIXEL, 2.0, np.float32)
    ra, dec = place
    copy_rows(
        connection,
        "roman.spectrum",
        {
            "spectrum_id": ids,
            "object_id": [object_id, object_id, None, None],
            "spectrum_name": [GALAXY, GALAXY, STAR, UNFITTED],
            "file_id": [file_id] * 4,
            "ra": [ra, ra, ra, None],
            "dec": [dec, dec, dec + 1, None],
            "n_pixel": [N_PIXEL] * 4,
            "wavelength": [wave, wave, 0.4 * wave, wave],
            "flux": [0.9 * flux, flux, flux, flux],
            "flux_err": [error] * 4,
            "mask": [mask] * 4,
            "resolution": [461 * wave.astype(np.float32)] * 2 + [None] * 2,
            "flux_is_absolute": [True, True, False, True],
            "facility_name": ["Roman", "Roman", "Sloan 2.5m", None],
            "instrument_name": ["WFI", "WFI", "BOSS", None],
            "start_mjd_utc": [START, START, START - 2000, None],
            "end_mjd_utc": [START + 0.1, START + 0.1, START - 2000 + 0.1, None],
            "exposure_time": [EXPOSURE, EXPOSURE, EXPOSURE, None],
            "superseded_at": [datetime.now(UTC), None, None, None],
            "load_run_id": [run] * 4,
        },
    )


def _redshifts(ids) -> dict:
    """Redshift of each: nothing of the last."""
    return {
        "spectrum_id": ids,
        "z": [Z, Z, 1e-4, None],
        "z_err": [0.002, 0.002, 1e-5, None],
        "class_name": ["GALAXY", "GALAXY", "STAR", None],
        "subclass": ["3", "3", "T5800", None],
        "reliability": [0.9, 0.97, 0.8, None],
        "warning": [0, (1 << 6) | (1 << 11), 0, 1 << 3],
        "reason": [None, None, None, "No template reaches the wavelengths of the spectrum"],
        "probability": [0.9, 0.97, 0.8, None],
        "chi2": [800.0, 810.0, 900.0, None],
        "chi2_scale": [1.0, 1.0, 1.0, None],
        "delta_chi2": [5.0, 7.0, 100.0, None],
        "n_pixel": [850, 850, 850, 0],
        "quantile": [QUANTILE, QUANTILE, np.full(100, 1e-4, np.float32), None],
    }


def _details(connection: sa.Connection, galaxy: int, run: int) -> None:
    """Another redshift of the galaxy, and two lines at its best one."""
    copy_rows(
        connection,
        "roman.redshift_alternative",
        {
            "spectrum_id": [galaxy], "rank": [2], "class_name": ["QSO"], "subclass": ["1"], "z": [Z_OTHER],
            "z_err": [0.003], "probability": [0.02], "chi2": [817.0], "load_run_id": [run],
        },
    )  # fmt: skip
    copy_rows(
        connection,
        "roman.line_measurement",
        {
            "spectrum_id": [galaxy] * 2, "line_name": ["[OIII]5008", "Halpha"],
            "wavelength": [0.500824, 0.656461],
            "line_flux": [0.4, 1.0], "line_flux_err": [0.05, 0.05], "line_flux_limit": [None, None],
            "equivalent_width": [0.003, 0.008], "equivalent_width_err": [0.001, 0.001], "snr": [8.0, 20.0],
            "load_run_id": [run] * 2,
        },
    )  # fmt: skip
