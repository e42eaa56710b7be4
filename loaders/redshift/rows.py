"""Rows of the database from spectra and their fits, as columns for COPY."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.redshift.solution import Fit
from loaders.redshift.spectrum import Spectrum
from loaders.redshift.warning_bits import reason_of

Columns = dict[str, list[Any]]

_UM = 1e-4
"""Wavelengths are stored in µm, as in all of the database; here they are in Å."""


def spectrum_rows(spectra: Sequence[Spectrum]) -> Columns:
    """Rows of roman.spectrum, but for their identifiers, whence they are, and their run."""
    return {
        "spectrum_name": [one.name for one in spectra],
        "ra": [one.ra for one in spectra],
        "dec": [one.dec for one in spectra],
        "n_pixel": [one.wavelength.size for one in spectra],
        "wavelength": [one.wavelength * _UM for one in spectra],
        "flux": [_single(one.flux) for one in spectra],
        "flux_err": [_single(one.flux_err) for one in spectra],
        "mask": [one.mask.astype(np.int16) for one in spectra],
        "resolution": [None if one.resolution is None else _single(one.resolution) for one in spectra],
        "flux_is_absolute": [bool(one.flux_unit) for one in spectra],
        "facility_name": [one.observation.facility for one in spectra],
        "instrument_name": [one.observation.instrument for one in spectra],
        "start_mjd_utc": [one.observation.start_mjd_utc for one in spectra],
        "end_mjd_utc": [one.observation.end_mjd_utc for one in spectra],
        "exposure_time": [one.observation.exposure_time for one in spectra],
    }


def redshift_rows(fits: Sequence[Fit], spectrum_id: Sequence[int]) -> Columns:
    """Rows of roman.redshift."""
    best = [fit.solutions[0] if fit.solutions else None for fit in fits]
    columns: Columns = {"spectrum_id": list(spectrum_id)}
    for name in ("z", "z_err", "class_name", "subclass", "probability", "chi2"):
        columns[name] = [None if one is None else getattr(one, name) for one in best]
    for name in ("reliability", "chi2_scale", "delta_chi2"):
        columns[name] = [_or_none(getattr(fit, name)) for fit in fits]
    columns["warning"] = [int(fit.warning) for fit in fits]
    columns["reason"] = [reason_of(fit.warning) for fit in fits]
    columns["n_pixel"] = [fit.n_pixel for fit in fits]
    columns["quantile"] = [_single(fit.quantile) if fit.quantile.size else None for fit in fits]
    return columns


def alternative_rows(fits: Sequence[Fit], spectrum_id: Sequence[int]) -> Columns:
    """Rows of roman.redshift_alternative."""
    each = [
        (number, rank, one)
        for number, fit in zip(spectrum_id, fits, strict=True)
        for rank, one in enumerate(fit.solutions[1:], 2)
    ]
    columns: Columns = {"spectrum_id": [n for n, _, _ in each], "rank": [rank for _, rank, _ in each]}
    for name in ("class_name", "subclass", "z", "z_err", "probability", "chi2"):
        columns[name] = [getattr(one, name) for _, _, one in each]
    return columns


def line_rows(fits: Sequence[Fit], spectrum_id: Sequence[int]) -> Columns:
    """Rows of roman.line_measurement."""
    each = [(number, line) for number, fit in zip(spectrum_id, fits, strict=True) for line in fit.lines]
    columns: Columns = {"spectrum_id": [number for number, _ in each]}
    columns |= {"line_name": [line.name for _, line in each], "snr": [line.snr for _, line in each]}
    lengths = {
        "wavelength": "wavelength",
        "line_flux": "flux",
        "line_flux_err": "flux_err",
        "line_flux_limit": "flux_limit",
        "equivalent_width": "equivalent_width",
        "equivalent_width_err": "equivalent_width_err",
    }
    return columns | {name: [getattr(line, of) * _UM for _, line in each] for name, of in lengths.items()}


def _single(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """In single precision; what is too large for it is no number."""
    with np.errstate(over="ignore", under="ignore"):
        single = values.astype(np.float32)
    return np.where(np.isfinite(single), single, np.float32(np.nan))


def _or_none(value: float) -> float | None:
    """A number, or nothing where it is NaN."""
    return None if np.isnan(value) else value
