"""A stored model of an event, as what follows from it is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: The element whose magnitude gives the size of a source, and in which most points are.
MAIN = "F146"


@dataclass(frozen=True)
class StoredModel:
    """What ``roman.event_model`` and its parameters and fluxes have of a model.

    Parameters
    ----------
    name
        Such as ``2L1S_parallax``.
    n_lens, n_source
        How many there are.
    value, error
        Parameters by the names of MulensModel, days and degrees; errors are NaN where not determined.
    flux
        Fluxes in nJy by optical element and number of the source, from 1; 0 is the blend.
    t_0_par
        Reference time of parallax, BJD (TDB); None without.
    covariance_of
        What the covariance is of: names of parameters, and of fluxes as ``F146_1``.
    covariance
        Shape (n, n), in the units of the parameters and nJy; None if it is not known.
    is_converged
        Whether the fit came to an end.
    sample
        Draws from the posterior, shape (n,) each, by the names that the covariance has, the k-th of which
        belong together; empty where there are none.
    limb
        Linear limb darkening of the sources by optical element; empty where they are points.
    """

    name: str
    n_lens: int
    n_source: int
    value: Mapping[str, float]
    error: Mapping[str, float]
    flux: Mapping[tuple[str, int], float]
    t_0_par: float | None = None
    covariance_of: Sequence[str] = ()
    covariance: FloatArray | None = field(default=None, repr=False)
    is_converged: bool = True
    sample: Mapping[str, FloatArray] = field(default_factory=dict, repr=False)
    limb: Mapping[str, float] = field(default_factory=dict)

    @property
    def drawn_from(self) -> str:
        """What draws of the model are made of: ``posterior``, ``covariance``, or ``errors`` alone."""
        if self.sample:
            return "posterior"
        return "errors" if self.covariance is None else "covariance"

    @property
    def has_parallax(self) -> bool:
        """Whether the motion of the telescope counts."""
        return "pi_E_N" in self.value

    @property
    def elements(self) -> list[str]:
        """Optical elements that have fluxes, the main one first."""
        return sorted({element for element, _ in self.flux}, key=lambda one: (one != MAIN, one))

    @property
    def t_0(self) -> float:
        """Time of the reference of its motion: that of parallax or of closest approach, BJD (TDB)."""
        return self.t_0_par or self.value.get("t_0", self.value.get("t_0_1", np.nan))


def flux_name(element: str, number: int) -> str:
    """Name of a flux where it stands among parameters, as ``F146_1``."""
    return f"{element}_{number}"
