"""How source and blend share the light of an event in each optical element, by its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: The element with most exposures.
MAIN = "F146"

_ERRORS = 3.0
"""Errors from which a share, or a difference of shares, counts."""


@dataclass(frozen=True)
class Shares:
    """Shares of the blend in the light without magnification.

    Parameters
    ----------
    elements
        Optical elements, the main one last.
    value
        Shape (n,): shares.
    covariance
        Shape (n, n).
    """

    elements: tuple[str, ...]
    value: FloatArray
    covariance: FloatArray

    @property
    def bright(self) -> tuple[str, ...]:
        """Elements in which the blend is there, beside a source."""
        seen = (self.value > _ERRORS * np.sqrt(np.diag(self.covariance))) & (self.value < 1)
        return tuple(name for name, is_seen in zip(self.elements, seen, strict=True) if is_seen)

    @property
    def is_bright(self) -> bool:
        """Whether the blend is there in any element."""
        return bool((self.value > _ERRORS * np.sqrt(np.diag(self.covariance))).any())

    @property
    def difference(self) -> tuple[FloatArray, FloatArray]:
        """Shares less that of the main element, shape (n - 1,), and their covariance."""
        turn = np.column_stack([np.eye(len(self.value) - 1), -np.ones(len(self.value) - 1)])
        return turn @ self.value, turn @ self.covariance @ turn.T

    @property
    def has_colour(self) -> bool:
        """Whether the share differs between elements."""
        value, covariance = self.difference
        return bool((np.abs(value) > _ERRORS * np.sqrt(np.diag(covariance))).any())


def shares_of(
    flux: Mapping[tuple[str, int], tuple[float, float]],
    names: Sequence[str] = (),
    covariance: FloatArray | None = None,
) -> Shares | None:
    """Shares by the fluxes of a model with one source.

    Parameters
    ----------
    flux
        Flux and error, nJy, by element and number of the source: 1, or 0 for the blend.
    names, covariance
        Of what the covariance of the model is, fluxes as ``F146_1``, shape (n, n); where it lacks fluxes
        errors are those of a blend beside a baseline that is known: source plus blend.

    Returns
    -------
    Shares or None
        None if the main element has no fluxes.
    """
    both = [name for name, number in flux if number == 1 and (name, 0) in flux]
    elements = tuple(sorted(name for name in both if name != MAIN and _total(flux, name) > 0))
    if MAIN not in both or _total(flux, MAIN) <= 0:
        return None
    elements = (*elements, MAIN)
    value = np.array([flux[name, 0][0] / _total(flux, name) for name in elements])
    known = {name: k for k, name in enumerate(names)}
    wanted = [f"{name}_{number}" for name in elements for number in (1, 0)]
    if covariance is not None and all(name in known for name in wanted):
        of = [known[name] for name in wanted]
        turn = np.zeros((len(elements), len(wanted)))
        for k, name in enumerate(elements):
            total = _total(flux, name)
            turn[k, 2 * k : 2 * k + 2] = -value[k] / total, (1 - value[k]) / total
        return Shares(elements, value, turn @ covariance[np.ix_(of, of)] @ turn.T)
    error = np.array([flux[name, 0][1] / _total(flux, name) for name in elements])
    return Shares(elements, value, np.diag(error**2))


def _total(flux: Mapping[tuple[str, int], tuple[float, float]], name: str) -> float:
    """Light without magnification."""
    return flux[name, 1][0] + flux[name, 0][0]
