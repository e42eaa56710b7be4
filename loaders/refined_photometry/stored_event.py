"""An event as the database has it, for its refined photometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loaders.stored_curve.band import FloatArray


@dataclass(frozen=True)
class EventModel:
    """The model of an event that is believed.

    Parameters
    ----------
    event_model_id
        Row of ``roman.event_model``.
    name
        Kind, such as ``2L1S_parallax``.
    value
        Parameters by the names of MulensModel, days and degrees.
    flux
        Flux in nJy by optical element and number of the source, from 1; 0 is the blend.
    t_0_par
        Reference time of parallax, BJD (TDB); None without.
    """

    event_model_id: int
    name: str
    value: Mapping[str, float]
    flux: Mapping[tuple[str, int], float]
    t_0_par: float | None

    def source_flux(self, element: str, n_source: int) -> FloatArray:
        """Fluxes of the sources in an element, shape (n_source,); without any those of another, or 1."""
        numbers = range(1, n_source + 1)
        for one in (element, *sorted({name for name, _ in self.flux})):
            found = [self.flux.get((one, number), np.nan) for number in numbers]
            if np.isfinite(found).all() and np.abs(found).max() > 0:
                return np.array(found, dtype=np.float64)
        return np.ones(n_source)
