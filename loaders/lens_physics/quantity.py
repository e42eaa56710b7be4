"""What is said of a quantity: a median with an interval, or a limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.lens_physics.model import FloatArray
from loaders.lens_physics.prior import weighted_quantiles

#: Share of probability in intervals, and on the allowed side of limits.
INTERVAL, LIMIT = 0.68, 0.95

_LEVELS = np.array([0.16, 0.5, 0.84])

#: How a quantity was found: from the light curve, by an assumption about the source's distance, by what the
#: Galaxy expects, or only limited.
MEASURED, ASSUMED, PRIOR, LIMITED = "measured", "assumed", "prior", "limit"

_UNITS = {
    "theta_star": "mas",
    "thetaE": "mas",
    "pi_rel": "mas",
    "Mtot": "solMass",
    "M1": "solMass",
    "M2": "solMass",
    "D_L": "kpc",
    "D_S": "kpc",
    "a_perp": "AU",
}


@dataclass(frozen=True)
class Quantity:
    """A row of ``roman.event_physical_parameter``.

    Parameters
    ----------
    name
        By the names of microlens-submit where it has one.
    method
        ``measured``, ``assumed``, ``prior`` or ``limit``.
    value
        Median; None of limits.
    lower, upper
        16th and 84th percentile; of limits the one that there is, with 95 % of the probability on its allowed
        side.
    unit
        None of what has none.
    """

    name: str
    method: str
    value: float | None
    lower: float | None
    upper: float | None

    @property
    def unit(self) -> str | None:
        """Unit of the values."""
        return unit_of(self.name)

    @property
    def confidence(self) -> float:
        """Probability of the interval, or of the allowed side of the limit."""
        return LIMIT if self.method == LIMITED else INTERVAL


def unit_of(name: str) -> str | None:
    """Unit of a quantity by its name."""
    for beginning, unit in (
        ("mu_rel", "mas/yr"),
        ("source_", "mag"),
        ("lens_flux", "nJy"),
        ("lens_mag", "mag"),
    ):
        if name.startswith(beginning):
            return unit
    return _UNITS.get(name)


def interval(name: str, draws: FloatArray, method: str = MEASURED) -> list[Quantity]:
    """Median and interval of draws, shape (n,); nothing if fewer than half of them are finite."""
    finite = draws[np.isfinite(draws)]
    if finite.size < 0.5 * draws.size:
        return []
    return [_of(name, method, np.quantile(finite, _LEVELS))]


def weighted(name: str, draws: FloatArray, weight: FloatArray) -> list[Quantity]:
    """Median and interval of draws that the Galaxy has weighted, shape (n,) each."""
    return [_of(name, PRIOR, weighted_quantiles(draws, weight, _LEVELS))]


def at_least(name: str, draws: FloatArray) -> list[Quantity]:
    """The limit above which 95 % of the finite draws lie."""
    finite = draws[np.isfinite(draws)]
    if not finite.size:
        return []
    return [Quantity(name, LIMITED, None, float(np.quantile(finite, 1 - LIMIT)), None)]


def at_most(name: str, draws: FloatArray) -> list[Quantity]:
    """The limit below which 95 % of the finite draws lie."""
    finite = draws[np.isfinite(draws)]
    return [Quantity(name, LIMITED, None, None, float(np.quantile(finite, LIMIT)))] if finite.size else []


def _of(name: str, method: str, levels: FloatArray) -> Quantity:
    """A quantity of its percentiles."""
    lower, value, upper = (float(one) for one in levels)
    return Quantity(name, method, value, lower, upper)
