"""Redshifts of simulated grism spectra: how fast, how right, how often of the right class."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from bench.record import Figure
from loaders.redshift.fit import fit_spectra
from loaders.redshift.simulate import Truth, simulated
from loaders.redshift.solution import Fit

_NUMBER = 128
_TOLERANCE = 0.001
_ACCEPTED = 0.9
#: Not measured here.
_PEER = "Redrock on such a machine, 3.3 to 4.9, as was stated before"


def figures() -> Iterator[Figure]:
    """Figures of galaxies with Halpha at 6.5 and 3.6 sigma, stars and QSOs at 5 sigma a pixel."""
    generator = np.random.default_rng(2026)
    fit_spectra(simulated("grism", "GALAXY", 2, 6.5, generator)[0])
    for snr in (6.5, 3.6):
        spectra, truth = simulated("grism", "GALAXY", _NUMBER, snr, generator)
        begin = time.process_time()
        fits = fit_spectra(spectra)
        rate = _NUMBER / (time.process_time() - begin)
        if snr == 6.5:
            yield Figure("spectra", "redshifts by second of one core", rate, "1/s", 50, "max", _PEER, 4.1)
        yield from _galaxies(fits, truth, snr)
    for name, target in (("STAR", 0.9), ("QSO", 0.8)):
        spectra, _ = simulated("grism", name, _NUMBER, 5.0, generator)
        yield Figure(
            "spectra",
            f"{name} of that class, 5 sigma a pixel",
            _share(fit_spectra(spectra), name),
            "",
            target,
        )


def _galaxies(fits: list[Fit], truth: list[Truth], snr: float) -> Iterator[Figure]:
    """How many redshifts are right, and what is accepted."""
    z = np.array([one.z for one in truth])
    offset = np.array([fit.solutions[0].z for fit in fits])
    offset = (offset - z) / (1 + z)
    right = np.abs(offset) < _TOLERANCE
    accepted = np.array([fit.reliability for fit in fits]) > _ACCEPTED
    what = f"Halpha at {snr} sigma"
    at_six = snr == 6.5
    yield Figure(
        "spectra", f"{what}: within 0.001 (1 + z)", float(right.mean()), "", 0.98 if at_six else None
    )
    spread = float(1.4826 * np.median(np.abs(offset - np.median(offset))))
    yield Figure("spectra", f"{what}: NMAD", spread, "", 3.4e-4 if at_six else None, "min")
    accepted_share = float(accepted.mean())
    yield Figure("spectra", f"{what}: accepted", accepted_share, "", None if at_six else 0.57)
    pure = float(right[accepted].mean()) if accepted.any() else float("nan")
    yield Figure("spectra", f"{what}: right of those accepted", pure, "", None if at_six else 0.99)
    stated = float(np.mean([fit.reliability for fit in fits]))
    yield Figure("spectra", f"{what}: reliability less share that is right", stated - float(right.mean()), "")
    yield Figure(
        "spectra", f"{what}: of the class GALAXY", _share(fits, "GALAXY"), "", 0.9 if at_six else None
    )


def _share(fits: list[Fit], name: str) -> float:
    """Share of fits of a class."""
    return float(np.mean([fit.solutions[0].class_name == name for fit in fits]))
