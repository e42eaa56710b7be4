"""Redshifts of simulated spectra: how fast, right and honest; references derived from exposures."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bench import spectral_calibration
from bench.other_spectrographs import SPECTROGRAPHS
from bench.other_spectrographs import simulated as simulated_elsewhere
from bench.record import Figure
from loaders.redshift.fit import fit_spectra
from loaders.redshift.minima import QUANTILES
from loaders.redshift.simulate import Truth, simulated
from loaders.redshift.solution import Fit

_NUMBER = 128
_HONEST = 512
"""Galaxies of each strength by which stated probabilities are judged: a tenth of all is known to 3 %."""

_TOLERANCE = 0.001
_COARSE_TOLERANCE = 0.006
"""Of spectra whose pixels are as wide as 0.002 to 0.006 of their wavelengths."""

_ACCEPTED = 0.9
#: Not measured here.
_PEER = "Redrock on such a machine, 3.3 to 4.9, as was stated before"


def figures() -> Iterator[Figure]:
    """Figures of all parts."""
    for part in PARTS.values():
        yield from part()


def _redshifts() -> Iterator[Figure]:
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
    yield from _honesty(generator)
    yield from _elsewhere(generator)


def _honesty(generator: np.random.Generator) -> Iterator[Figure]:
    """Stated probabilities beside successes, and where the truth lies in the quantiles, at all strengths."""
    fits, truth = [], []
    for snr in (3.0, 4.0, 5.0, 7.0, 10.0):
        spectra, true = simulated("grism", "GALAXY", _HONEST, snr, generator)
        fits += fit_spectra(spectra)
        truth += true
    z = np.array([one.z for one in truth])
    offset = np.array([fit.solutions[0].z for fit in fits]) - z
    right = (np.abs(offset) < 0.003 * (1 + z)) & (_classes(fits) == "GALAXY")
    stated = np.array([fit.reliability for fit in fits])
    order = np.argsort(stated)
    for k, some in enumerate(np.array_split(order, 10)):
        name = f"reliability of tenth {k + 1}, off the share that is right by"
        yield Figure("spectra", name, abs(float(stated[some].mean() - right[some].mean())), "", 0.03, "min")
    # Of all: where it is uncertain, right ones alone would have their truths in the middle.
    found = zip(z, fits, strict=True)
    place = np.sort([np.interp(true, fit.quantile, QUANTILES, left=0.0, right=1.0) for true, fit in found])
    uniform = (np.arange(place.size) + 0.5) / place.size
    name = f"place of the truth in the quantiles of {place.size} spectra: Kolmogorov-Smirnov distance"
    yield Figure("spectra", name, float(np.abs(place - uniform).max()), "", 0.03, "min")


def _elsewhere(generator: np.random.Generator) -> Iterator[Figure]:
    """Other telescopes' spectra, of galaxies that no template of ours has."""
    for name in SPECTROGRAPHS:
        made = simulated_elsewhere(name, _NUMBER, generator)
        fits = fit_spectra([one.spectrum for one in made])
        z = np.array([one.z for one in made])
        right = np.abs(np.array([fit.solutions[0].z for fit in fits]) - z) < _COARSE_TOLERANCE * (1 + z)
        has_lines = np.array([one.has_lines for one in made])
        accepted = np.array([fit.reliability for fit in fits]) > _ACCEPTED
        yield Figure("spectra", f"{name}, galaxies with lines: right", float(right[has_lines].mean()), "")
        yield Figure("spectra", f"{name}, old galaxies: right", float(right[~has_lines].mean()), "")
        yield Figure("spectra", f"{name}: accepted", float(accepted.mean()), "")
        yield Figure("spectra", f"{name}: right of those accepted", float(right[accepted].mean()), "")


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
    return float(np.mean(_classes(fits) == name))


def _classes(fits: list[Fit]) -> npt.NDArray[np.str_]:
    """Class of each."""
    return np.array([fit.solutions[0].class_name for fit in fits])


PARTS = {"redshifts": _redshifts, "calibration": spectral_calibration.figures}
"""What can be measured by itself."""
