"""The source: magnitudes, colour without dust, and angular radius (Yoo et al. 2004, ApJ 603, 139)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from loaders.lens_physics.model import MAIN, FloatArray, flux_name
from loaders.lens_physics.surface_brightness import (
    DWARF_SCATTER,
    PAIRS,
    SCATTER,
    surface_brightness,
)

#: Magnitude of 1 nJy (AB).
_AB_NJY = 31.4

#: A flux of so many errors is one.
_SIGNIFICANT = 3.0


@dataclass(frozen=True)
class Dust:
    """What the dust of a cell takes away in an optical element.

    Parameters
    ----------
    extinction, error
        Mag.
    covariance
        With the extinction in the main element, mag²: both know the clump no better than the other.
    """

    extinction: float
    error: float
    covariance: float = 0.0


#: Extinction of a cell by optical element.
Extinction = Mapping[str, Dust]


@dataclass(frozen=True)
class Source:
    """Draws of what is known of a source.

    Parameters
    ----------
    status
        ``measured``, or why there is no size: ``no_flux`` in F146, ``no_colour``, ``no_extinction``,
        ``colour_out_of_range`` of the relation.
    magnitude
        By optical element, shape (n,): AB mag with extinction, NaN where a draw is not above zero.
    intrinsic
        By optical element, shape (n,): AB mag without extinction.
    pair
        Elements of the colour; None if there is none.
    colour
        Shape (n,): colour without reddening; None if there is none.
    theta_star
        Shape (n,): angular radius, mas; NaN for colours out of range; None without status ``measured``.
    """

    status: str
    magnitude: Mapping[str, FloatArray] = field(default_factory=dict)
    intrinsic: Mapping[str, FloatArray] = field(default_factory=dict)
    pair: tuple[str, str] | None = None
    colour: FloatArray | None = None
    theta_star: FloatArray | None = None


def magnitudes(flux: FloatArray) -> FloatArray:
    """AB magnitudes of fluxes in nJy, any shape; NaN where they are not above zero."""
    return np.asarray(_AB_NJY - 2.5 * np.log10(np.where(flux > 0, flux, np.nan)))


def source_of(
    draws: Mapping[str, FloatArray],
    elements: list[str],
    extinction: Extinction,
    rng: np.random.Generator,
) -> Source:
    """Find the angular radius of the (first) source.

    Parameters
    ----------
    draws
        Shape (n,) each: parameters and fluxes (`loaders.lens_physics.draws`).
    elements
        Optical elements that have fluxes.
    extinction
        Of the cell in which the source lies; elements that are not fitted there are left out.
    rng
        Random numbers: for the extinction, and for the scatter of stars about the relation.
    """
    flux = {element: draws[flux_name(element, 1)] for element in elements}
    seen = {element: magnitudes(one) for element, one in flux.items() if _significant(one)}
    if MAIN not in seen:
        return Source("no_flux", seen)
    dust = _dust(extinction, seen[MAIN].size, rng)
    intrinsic = {one: seen[one] - dust[one] for one in seen if one in dust}
    pairs = [pair for pair in PAIRS if set(pair) <= seen.keys()]
    if not pairs:
        return Source("no_colour", seen, intrinsic)
    known = [pair for pair in pairs if set(pair) <= intrinsic.keys()]
    if not known:
        return Source("no_extinction", seen, intrinsic)
    return _sized(known[0], seen, intrinsic, rng)


def _dust(extinction: Extinction, n: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Draws of the extinction, shape (n,) each: in the main element, and in others given that."""
    main = extinction.get(MAIN, Dust(0.0, 0.0))
    moved = rng.normal(0.0, 1.0, n)
    out = {MAIN: main.extinction + main.error * moved} if MAIN in extinction else {}
    for name, one in sorted(extinction.items()):
        if name != MAIN:
            with_main = one.covariance / main.error if main.error > 0 else 0.0
            own = np.sqrt(max(one.error**2 - with_main**2, 0.0))
            out[name] = one.extinction + with_main * moved + rng.normal(0.0, own, n)
    return out


def _sized(
    pair: tuple[str, str],
    seen: Mapping[str, FloatArray],
    intrinsic: Mapping[str, FloatArray],
    rng: np.random.Generator,
) -> Source:
    """The size by the colour of a pair of elements. Draws whose colour is no star's are left out."""
    colour = intrinsic[pair[0]] - intrinsic[pair[1]]
    relation = surface_brightness()
    radius = relation.angular_radius(pair, colour, intrinsic[MAIN])
    if np.mean(np.isfinite(radius)) < 0.5:
        return Source("colour_out_of_range", seen, intrinsic, pair, colour)
    more = DWARF_SCATTER * relation.is_dwarf(pair, colour, intrinsic[MAIN])
    scatter = rng.normal(0.0, np.hypot(SCATTER[pair], more))
    return Source("measured", seen, intrinsic, pair, colour, radius * np.exp(scatter))


def _significant(flux: FloatArray) -> bool:
    """Whether a flux is above zero by so many errors that its magnitude says something."""
    return bool(np.mean(flux) > _SIGNIFICANT * np.std(flux))
