"""Which models of an event are twins: lenses that a light curve hardly tells apart, and by which degeneracy.

``ecliptic``
    The source passes on the other side of the lens, and the northern parallax is turned: near the ecliptic
    the Earth's acceleration hardly changes its direction (Smith, Mao & Paczyński 2003, MNRAS 339, 925;
    Skowron et al. 2011, ApJ 738, 87). Of two lenses alpha and its rate change their signs, too.
``close_wide``
    The quadrupole of a close pair, ``s² q / (1 + q)²``, is the tide ``q / d²`` of a wide one (Dominik 1999,
    A&A 349, 108; An 2005, MNRAS 356, 1409); of planets that is s and 1/s (Griest & Safizadeh 1998, ApJ 500,
    37).
``inner_outer``
    A planet on either side of where the source crosses the axis: its caustics, at ``s - 1/s``, lie symmetric
    about the crossing (Gaudi & Gould 1997, ApJ 486, 85; Zhang, Gaudi & Bloom 2022, Nature Astronomy 6, 782).
``binary_source``
    A second source looks like a companion of the lens (Gaudi 1998, ApJ 506, 533). Nothing of the parameters
    says so: all that is asked is that both describe the light curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loaders.event_models.fitted_model import FittedModel
from loaders.event_models.kinds import ANGLES
from loaders.event_models.sides import ALIKE
from loaders.event_models.twins import PLANET, beyond_crossing
from loaders.stored_curve.band import FloatArray

_ERRORS = 5.0
"""Standard errors of both, added in squares, by which parameters of twins may differ."""

_SHARE = 0.1
"""The same in parts of the value, of ln s, of t_E for times, and radians: twins are alike, not the same, and
errors of bright sources are smaller than that."""

_LEADING = 0.5
"""How far the logarithms of quadrupole and tide may differ: their equality holds to leading order."""

_AT_HOST = 0.1
"""Einstein radii from the host within which a source that crosses the axis is at its central caustic."""

_TURNED = frozenset({"u_0", "alpha", "pi_E_N", "dalpha_dt"})
"""What changes its sign on the other side of the lens."""


@dataclass(frozen=True)
class Twin:
    """The better one of two twins by its place in the ranking, from 0, and the degeneracy."""

    of: int
    degeneracy: str


def twins_among(models: Sequence[FittedModel]) -> list[Twin | None]:
    """Find which models are twins of a better one.

    Parameters
    ----------
    models
        Of one event, the one that is believed first (`loaders.event_models.fitted_model.ranked`).

    Returns
    -------
    list of Twin or None
        One a model; None where no better one describes the light curve as well (chi-squares 25 apart or
        less) and is its twin. Of several better ones it is the twin of the best.
    """
    return [_twin(models[:place], model) for place, model in enumerate(models)]


def _twin(better: Sequence[FittedModel], model: FittedModel) -> Twin | None:
    for place, other in enumerate(better):
        if abs(model.chi2 - other.chi2) <= ALIKE and (name := degeneracy_of(other, model)):
            return Twin(place, name)
    return None


def degeneracy_of(one: FittedModel, other: FittedModel) -> str | None:
    """By which degeneracy two models are twins, whatever their chi-squares; None if they are not."""
    if {(one.kind.n_lens, one.kind.n_source), (other.kind.n_lens, other.kind.n_source)} == {(1, 2), (2, 1)}:
        return "binary_source"
    if one.kind is not other.kind or one.has_parallax != other.has_parallax:
        return None
    if one.has_parallax and _is_other_side(one, other):
        return "ecliptic"
    return _two_lens_degeneracy(one, other) if one.kind.n_lens > 1 else None


def _is_other_side(one: FittedModel, other: FittedModel) -> bool:
    """Whether all parameters agree once one lens is turned over."""
    name = "u_0_1" if "u_0_1" in one.value else "u_0"
    if one.value[name] * other.value[name] >= 0:
        return False
    turned = {
        key: -value if key in _TURNED or key.startswith("u_0") else value for key, value in one.value.items()
    }
    return all(_agree(key, (turned[key], other.value[key]), _error(key, one, other), one) for key in turned)


def _two_lens_degeneracy(one: FittedModel, other: FittedModel) -> str | None:
    """``close_wide`` or ``inner_outer``, which for planets pass into each other (Zhang, Gaudi & Bloom).

    Where both relations hold it is the first if the source crosses the axis at the host, else the better one.
    """
    by_tide, by_crossing = _tidal_distance(one, other), _crossing_distance(one, other)
    if min(by_tide, by_crossing) > 1:
        return None
    at_host = by_tide <= 1 and abs(one.value["u_0"]) < _AT_HOST * abs(np.sin(np.radians(one.value["alpha"])))
    return "close_wide" if at_host or by_tide <= by_crossing else "inner_outer"


def _tidal_distance(one: FittedModel, other: FittedModel) -> float:
    """How far quadrupole and tide are from being the same, 1 at the limit; infinite if not close and wide."""
    close, wide = sorted((one, other), key=lambda model: model.value["s"])
    if close.value["s"] >= 1 or wide.value["s"] <= 1 or not _same_axis(close, wide):
        return np.inf
    s, q = close.value["s"], close.value["q"]
    quadrupole = 2 * np.log(s / (1 + q)) + np.log(q)
    limit = np.hypot(_LEADING, 2 * _ERRORS * _error("ln s", close, wide))
    off = []
    # The source passes the lens named first, or the other: what is beside it has the mass q, or 1 / q of it.
    for mass in (wide.value["q"], 1 / wide.value["q"]):
        tide = np.log(mass) - 2 * np.log(wide.value["s"]) - np.log1p(mass)
        own = wide.value["t_E"] / np.sqrt(1 + mass)
        if _agree("t_E", (close.value["t_E"], own), _error("t_E", close, wide), close):
            off.append(abs(quadrupole - tide) / limit)
    return float(min(off, default=np.inf))


def _same_axis(one: FittedModel, other: FittedModel) -> bool:
    """Whether paths cross the axis at one angle, from either end; without parallax on either side, too."""
    signs = (1,) if one.has_parallax else (1, -1)
    off = (one.value["alpha"] - sign * other.value["alpha"] for sign in signs)
    limit = np.degrees(_SHARE) + _ERRORS * _error("alpha", one, other)
    return any(abs((angle + 90) % 180 - 90) <= limit for angle in off)


def _crossing_distance(one: FittedModel, other: FittedModel) -> float:
    """How far caustics are from symmetric about the crossing, 1 at the limit; infinite if no planets."""
    if max(one.value["q"], other.value["q"]) > PLANET:
        return np.inf
    apart = abs(np.log(one.value["s"] / other.value["s"]))
    masses = abs(np.log(one.value["q"] / other.value["q"]))
    names = {"t_0", "u_0", "t_E", "alpha", "pi_E_N", "pi_E_E"} & one.value.keys()
    alike = all(
        _agree(name, (one.value[name], other.value[name]), _error(name, one, other), one) for name in names
    )
    error = _error("ln s", one, other)
    if not alike or masses > _LEADING + _ERRORS * _error("ln q", one, other) or apart <= error:
        return np.inf
    pairs = ((one, other), (other, one))
    off = [abs(np.log(beyond_crossing(_fitted(this)) / that.value["s"])) for this, that in pairs]
    return float(min(off) / (_SHARE + _ERRORS * error))


def _fitted(model: FittedModel) -> FloatArray:
    """Parameters of two lenses as fits take them, shape (7,)."""
    value = model.value
    logarithms = [np.log(value[name]) for name in ("t_E", "s", "q", "rho")]
    t_e, s, q, rho = logarithms
    return np.array([value["t_0"], value["u_0"], t_e, s, q, np.radians(value["alpha"]), rho])


def _error(name: str, one: FittedModel, other: FittedModel) -> float:
    """Errors of both, added in squares, 0 where not determined; of ``ln q`` those of the logarithm."""
    plain = name.removeprefix("ln ")
    unit = [model.value[plain] if name != plain else 1.0 for model in (one, other)]
    errors = [model.error[plain] / by for model, by in zip((one, other), unit, strict=True)]
    return float(np.hypot(*np.nan_to_num(errors)))


def _agree(name: str, values: tuple[float, float], error: float, model: FittedModel) -> bool:
    """Whether values of a parameter may be those of twins."""
    off, share = values[0] - values[1], _SHARE * max(abs(value) for value in values)
    if name in ANGLES and not name.endswith("_dt"):
        off, share = (off + 180) % 360 - 180, float(np.degrees(_SHARE))
    elif name.startswith("t_0"):
        share = _SHARE * model.value["t_E"]
    return bool(abs(off) <= share + _ERRORS * error)
