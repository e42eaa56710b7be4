"""The light that is not the source's: what the lens may have of it at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loaders.lens_physics.model import MAIN, FloatArray, StoredModel, flux_name
from loaders.lens_physics.quantity import LIMITED, Quantity

_ONE_SIDED = 1.645
"""Errors that hold 95 % of a Gaussian on one side."""

_SIGNIFICANT = 3.0


@dataclass(frozen=True)
class Blend:
    """What is said of the blend.

    Parameters
    ----------
    status
        In F146 ``positive``, ``consistent_with_zero`` or ``negative``, by three errors; ``unknown`` where
        errors of fluxes are not known; ``not_measured`` without points in F146.
    quantities
        Limits on the flux of the lens, one an element.
    """

    status: str
    quantities: list[Quantity]


def blend_of(model: StoredModel, draws: Mapping[str, FloatArray]) -> Blend:
    """Limit the flux of the lens by that of the blend.

    The blend is of all stars in the PSF that are not the source: neighbours, companions, and the lens, which
    has not more than all of it. Where a blend lies below zero, as a wrong sky makes it, the limit counts from
    zero.

    Parameters
    ----------
    model, draws
        The model, and its draws (`loaders.lens_physics.draws`).
    """
    rows, status = [], "not_measured"
    for element in model.elements:
        flux = draws[flux_name(element, 0)]
        error = float(np.std(flux)) if model.covariance is not None else np.nan
        value = model.flux[element, 0]
        if element == MAIN:
            status = _status(value, error)
        if np.isfinite(error) and error > 0:
            limit = max(value, 0.0) + _ONE_SIDED * error
            rows.append(Quantity(f"lens_flux_{element}", LIMITED, None, None, limit))
    return Blend(status, rows)


def _status(value: float, error: float) -> str:
    """Whether a blend is one."""
    if not (np.isfinite(error) and error > 0):
        return "unknown"
    if abs(value) < _SIGNIFICANT * error:
        return "consistent_with_zero"
    return "positive" if value > 0 else "negative"
