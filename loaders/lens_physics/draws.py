"""Draws of the parameters and fluxes of a model: of its posterior, or of the Gaussian that its fit left."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loaders.lens_physics.model import FloatArray, StoredModel, flux_name

#: Draws of a model.
N_DRAW = 8_000

#: What is positive is drawn by its logarithm, as it is fitted.
_POSITIVE = frozenset({"t_E", "rho", "s", "q", "xi_period", "xi_semimajor_axis"})

#: Error of a logarithm beyond which a positive parameter counts as not determined.
_BOUNDLESS = 3.0


def draw(model: StoredModel, n: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Draw the parameters and fluxes of a model.

    Parameters
    ----------
    model
        The model. Of a sample of its posterior some are there several times. Without one parameters and
        fluxes are Gaussian; without a covariance, too, parameters are drawn apart from one another, and the
        fluxes stay.
    n
        Number of draws.
    rng
        Random numbers.

    Returns
    -------
    dict
        Arrays of shape (n,) by the names of parameters, and of fluxes as ``F146_1``; NaN where a parameter is
        not determined.
    """
    mean = dict(model.value) | {flux_name(*key): flux for key, flux in model.flux.items()}
    if model.sample:
        return _of_sample(model.sample, mean, n, rng)
    names, covariance = _known(model, mean)
    centre = np.array([mean[name] for name in names])
    logarithmic = np.array([name in _POSITIVE and mean[name] > 0 for name in names], dtype=bool)
    unit = np.where(logarithmic, 1 / np.where(logarithmic, centre, 1.0), 1.0)
    spread = np.sqrt(np.diag(covariance)) * unit
    moved = _gaussian(covariance * np.outer(unit, unit), n, rng)
    # A logarithm that can be anything says nothing.
    moved[:, logarithmic & (spread > _BOUNDLESS)] = np.nan
    drawn = np.where(logarithmic, centre * np.exp(np.where(logarithmic, moved, 0.0)), centre + moved)
    out = {name: drawn[:, k] for k, name in enumerate(names)}
    return {name: out.get(name, np.full(n, np.nan)) for name in mean}


def _of_sample(
    sample: Mapping[str, FloatArray], mean: Mapping[str, float], n: int, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Some of a sample, those that were drawn together together; what it has not stays as it is."""
    of = rng.integers(next(iter(sample.values())).size, size=n)
    out = {name: sample[name][of] if name in sample else np.full(n, one) for name, one in mean.items()}
    for name in _POSITIVE & out.keys():
        if np.std(np.log(np.maximum(out[name], 1e-300))) > _BOUNDLESS:
            out[name] = np.full(n, np.nan)
    return out


def _known(model: StoredModel, mean: Mapping[str, float]) -> tuple[list[str], FloatArray]:
    """What can be drawn, and its covariance."""
    if model.covariance is not None:
        names = list(model.covariance_of)
        return names, np.asarray(model.covariance, dtype=np.float64)
    names = [name for name in mean if np.isfinite(model.error.get(name, 0.0))]
    return names, np.diag([model.error.get(name, 0.0) ** 2 for name in names])


def _gaussian(covariance: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Draws about zero, shape (n, p); what rounding made negative of the covariance is left out."""
    scale = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    divisor = np.where(scale > 0, scale, 1.0)
    root = _root(covariance / np.outer(divisor, divisor))
    return np.asarray((rng.standard_normal((n, scale.size)) @ root.T) * scale)


def _root(correlation: FloatArray) -> FloatArray:
    """A matrix whose square is the correlation, which changes little where the correlation does."""
    try:
        return np.asarray(np.linalg.cholesky(correlation))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(correlation)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
