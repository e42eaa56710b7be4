"""End of season: the fit of a single lens by the packages of the field, where they are installed.

They fit the same points from the same first guess, fluxes being linear: MulensModel (Poleski & Yee 2019) as
its own example does, by conjugate gradients with its derivatives; pyLIMA (Bachelet et al. 2017) by its fit of
trust regions.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from scipy.optimize import minimize

from loaders.stored_curve.band import Band

Guess = tuple[float, float, float]
"""t_0 (BJD), u_0 and t_E (days)."""

Fit = Callable[[Sequence[Band], Guess], Callable[[], Guess]]
"""What makes a fit ready, which then runs and returns what it found."""


def installed() -> dict[str, Fit]:
    """The packages that can be asked, by name and version."""
    found = {}
    for name, fit in (("MulensModel", _mulens_model), ("pyLIMA", _pylima)):
        module = _module(name)
        if module is not None:
            version = getattr(module, "__version__", None) or importlib.metadata.version(name)
            found[f"{name} {version}"] = fit
    return found


def timed(fit: Fit, bands: Sequence[Band], begin: Guess) -> tuple[float, Guess]:
    """Seconds that a fit takes, what makes it ready left out, and what it finds."""
    run = fit(bands, begin)
    first = time.perf_counter()
    result = run()
    return time.perf_counter() - first, result


def _mulens_model(bands: Sequence[Band], begin: Guess) -> Callable[[], Guess]:
    """A fit by MulensModel."""
    package: Any = _module("MulensModel")
    names = ["t_0", "u_0", "t_E"]
    data = [package.MulensData([band.time, band.flux, band.error], phot_fmt="flux") for band in bands]
    event = package.Event(data, package.Model(dict(zip(names, begin, strict=True))))

    def at(place: np.ndarray) -> None:
        """Move the model."""
        for name, value in zip(names, place, strict=True):
            setattr(event.model.parameters, name, value)

    def chi2(place: np.ndarray) -> float:
        """Chi-square."""
        at(place)
        return float(event.get_chi2())

    def slope(place: np.ndarray) -> np.ndarray:
        """Its derivatives."""
        at(place)
        return np.asarray(event.get_chi2_gradient(names))

    def run() -> Guess:
        found = minimize(chi2, np.array(begin), jac=slope, method="Newton-CG", tol=1e-3)
        return tuple(found.x.tolist())

    return run


def _pylima(bands: Sequence[Band], begin: Guess) -> Callable[[], Guess]:
    """A fit by pyLIMA."""
    parts = ("event", "telescopes", "models.PSPL_model", "fits.TRF_fit")
    events, telescopes, models, fits = (importlib.import_module(f"pyLIMA.{part}") for part in parts)
    event = events.Event(ra=268.0, dec=-29.0)
    for band in bands:
        event.telescopes.append(
            telescopes.Telescope(
                name=band.name,
                camera_filter=band.name,
                lightcurve=np.column_stack([band.time, band.flux, band.error]),
                lightcurve_names=["time", "flux", "err_flux"],
                lightcurve_units=["JD", "nJy", "nJy"],
            )
        )
    fit = fits.TRFfit(models.PSPLmodel(event), loss_function="chi2")
    fit.model_parameters_guess = list(begin)

    def run() -> Guess:
        # It tells what it does.
        with redirect_stdout(StringIO()):
            fit.fit()
        return tuple(float(value) for value in fit.fit_results["best_model"][:3])

    return run


def _module(name: str) -> Any:
    """A package; None if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
