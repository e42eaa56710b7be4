"""Kinds of models: their parameters as fits take them, and the magnification that they give."""

from __future__ import annotations

from dataclasses import dataclass
from time import process_time

import numpy as np

from loaders.event_models.lens_fit import Magnification, Parameters, Points, Slopes, TimeIsUp
from loaders.lens import disc
from loaders.lens.binary_lens import Disc, disc_magnification_of
from loaders.lens.orbit import LEAST_SEPARATION, YEAR, Circle, turning_lenses
from loaders.lens.parallax import offsets, shifts
from loaders.stored_curve.band import FloatArray

_LEAST = 1e-6
"""Separation (Einstein radii) below which a point is not magnified more."""

_ROUND = 0.25
"""Share of the time that is left to a search which one round of fits may take."""

_PATH = ("t_0", "u_0", "ln t_E")
_PARALLAX = ("pi_E_N", "pi_E_E")


@dataclass(frozen=True)
class Kind:
    """A kind of model.

    Parameters
    ----------
    name
        Such as ``2L1S``, without what is said of parallax.
    n_lens, n_source
        How many there are.
    own
        Names of its parameters after t_0, u_0 and ln t_E. Angles are in radians (`ANGLES`), sizes are
        logarithms.
    """

    name: str
    n_lens: int
    n_source: int
    own: tuple[str, ...]

    @property
    def finite(self) -> bool:
        """Whether the source has a size."""
        return "ln rho" in self.own

    @property
    def turns(self) -> bool:
        """Whether its lenses turn about each other."""
        return "ds_dt" in self.own

    @property
    def circles(self) -> bool:
        """Whether a companion moves its source."""
        return "ln xi_period" in self.own

    def names(self, parallax: bool) -> tuple[str, ...]:
        """Names of the parameters as fits take them."""
        return _PATH + self.own + (_PARALLAX if parallax else ())


POINT = Kind("1L1S", 1, 1, ())
FINITE = Kind("1L1S_finite", 1, 1, ("ln rho",))
TWO_SOURCES = Kind("1L2S", 1, 2, ("t_0_2", "u_0_2"))
BINARY = Kind("2L1S", 2, 1, ("ln s", "ln q", "alpha", "ln rho"))
ORBIT = Kind("2L1S_orbital_motion", 2, 1, (*BINARY.own, "ds_dt", "dalpha_dt"))
_CIRCLE = ("ln xi_period", "ln xi_semimajor_axis", "xi_Omega_node", "xi_inclination")
XALLARAP = Kind("1L1S_xallarap", 1, 1, (*_CIRCLE, "xi_argument_of_latitude_reference"))

#: All kinds. The last two move about `View.reference`, and are fitted with parallax only.
KINDS = {kind.name: kind for kind in (POINT, FINITE, TWO_SOURCES, BINARY, ORBIT, XALLARAP)}

#: Parameters that are stored in degrees, and their rates.
ANGLES = frozenset({"alpha", "dalpha_dt", *_CIRCLE[2:], XALLARAP.own[-1]})


@dataclass(frozen=True)
class View:
    """Points, and how they are looked at.

    Parameters
    ----------
    points
        The light curves.
    displacement
        What `loaders.lens.parallax.offsets` says of their times; None without parallax.
    limb
        Shape (n_band,): linear limb darkening.
    usual
        Shape (n_band,): the same as it usually is; None where limbs are not dark.
    ends
        When the search ends to which this belongs, by the clock of what this process computes.
    until
        When two lenses are not evaluated any more; views of rounds of fits alone have it (`round_until`).
    accuracy
        Relative error of magnifications near caustics that will do.
    fixed
        pi_E_N and pi_E_E of models that do not fit them.
    reference
        BJD (TDB): t_0_kep and t_0_xi, which are t_0_par.
    """

    points: Points
    displacement: tuple[FloatArray, FloatArray] | None
    limb: FloatArray
    accuracy: float
    fixed: tuple[float, float] = (0.0, 0.0)
    reference: float = 0.0
    usual: FloatArray | None = None
    ends: float = np.inf
    until: float = np.inf

    @property
    def round_until(self) -> float:
        """When a round of fits ends that begins now: it takes a share of the time that is left."""
        now = process_time()
        return now + _ROUND * max(self.ends - now, 0.0)


def displacement_of(points: Points, ra: float, dec: float, t_0_par: float) -> tuple[FloatArray, FloatArray]:
    """What the motion of the telescope adds to the path at all points, in the frame of the Earth."""
    return offsets(points.time, ra, dec, t_0_par)


def curves_of(kind: Kind, view: View) -> Magnification:
    """The magnification of a kind of model at the points of a view, as `fit_lens` takes it.

    Parameters
    ----------
    kind
        Its parameters are those of `Kind.names`, with or without parallax.
    view
        The times at which it is evaluated are those of its points.
    """

    def curves(parameter: FloatArray, _: FloatArray) -> FloatArray:
        """Magnification of each source at the points of the view."""
        at = path(kind, view, parameter)
        first = _first(kind, view, parameter, at)
        if kind.n_source == 1:
            return first[None]
        later = (parameter[0] - parameter[3]) / np.exp(parameter[2])
        second = np.hypot(at[0] + later, at[1] + parameter[4] - parameter[1])
        return np.stack([first, disc.magnification(np.maximum(second, _LEAST), 0.0)])

    return curves


def _first(kind: Kind, view: View, parameter: FloatArray, at: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Magnification of the first source at places (τ, β), shape (n,)."""
    if kind.n_lens == 2:
        return _binary(kind, view, parameter, at)
    if kind.finite:
        return _finite(view, np.hypot(*at), float(np.exp(parameter[3])))
    return disc.magnification(np.maximum(np.hypot(*at), _LEAST), 0.0)


def path(kind: Kind, view: View, parameter: FloatArray) -> tuple[FloatArray, FloatArray]:
    """τ and β of the (first) source at the points of a view, shape (n,) each."""
    tau = (view.points.time - parameter[0]) / np.exp(parameter[2])
    beta = np.full(tau.size, parameter[1])
    pi_e = view.fixed if parameter.size == len(kind.names(False)) else (parameter[-2], parameter[-1])
    if view.displacement is not None and any(pi_e):
        along, across = shifts(view.displacement, *pi_e)
        tau, beta = tau + along, beta + across
    if kind.circles:
        along, across = _circle(parameter).shifts(view.points.time, view.reference)
        tau, beta = tau + along, beta + across
    return tau, beta


def place_of_source(kind: Kind, view: View, parameter: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The (first) source from the centre of mass, shape (n,) each: with two lenses these lie along x."""
    at = path(kind, view, parameter)
    return at if kind.n_lens == 1 else turned(*at, _lenses(kind, view, parameter)[1])


def _circle(parameter: FloatArray) -> Circle:
    """The orbit of a source that a companion moves."""
    period, axis = np.exp(parameter[3:5]).tolist()
    return Circle(period, axis, *parameter[5:8].tolist())


def _finite(view: View, u: FloatArray, rho: float) -> FloatArray:
    """Magnification of a disc by one lens, the limb of each element as dark as it is."""
    out = np.empty(u.size)
    for part, limb in zip(view.points.slices, view.limb.tolist(), strict=True):
        out[part] = disc.magnification(u[part], rho, limb)
    return out


def _binary(kind: Kind, view: View, parameter: FloatArray, at: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Magnification of a disc by two lenses; raises TimeIsUp if there may be no more (`View.until`)."""
    if process_time() > view.until:
        raise TimeIsUp
    q, rho = (float(np.exp(parameter[k])) for k in (4, 6))
    s, alpha = _lenses(kind, view, parameter)
    x, y = turned(*at, alpha)
    out = np.empty(x.size)
    for part, limb in zip(view.points.slices, view.limb.tolist(), strict=True):
        apart = s[part] if isinstance(s, np.ndarray) else s
        out[part] = disc_magnification_of(x[part], y[part], (apart, q), Disc(rho, limb, view.accuracy))
    return out


def _lenses(kind: Kind, view: View, parameter: FloatArray) -> tuple[FloatArray | float, FloatArray | float]:
    """Separation and alpha (radians) of two lenses; where they turn at the points of a view, shape (n,)."""
    s, alpha = float(np.exp(parameter[3])), float(parameter[5])
    if not kind.turns:
        return s, alpha
    rate = (float(parameter[7]), float(parameter[8]))
    return turning_lenses(view.points.time, view.reference, (s, alpha), rate)


def turned(tau: FloatArray, beta: FloatArray, alpha: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    """The source from the centre of mass (`loaders.lens.binary_lens.trajectory`); alpha in radians."""
    cosine, sine = np.cos(alpha), np.sin(alpha)
    return -tau * cosine + beta * sine, -tau * sine - beta * cosine


def slopes_of(kind: Kind, view: View, step: FloatArray) -> Slopes | None:
    """Derivatives of a kind of one source: those of its path are two differences, along it and across.

    So they agree with each other to the last digit, as they must where parallax and t_0 do much the same.

    Parameters
    ----------
    kind, view
        As of `curves_of`.
    step
        Shape (p,): differences (`parameters_of`); that of u_0 serves for the place of the source.

    Returns
    -------
    Slopes or None
        None for two sources: differences of one parameter after the other will do.
    """
    if kind.n_source > 1:
        return None

    def slopes(at: FloatArray, curves: FloatArray) -> FloatArray:
        """Derivatives by all parameters, those of the path from two differences."""
        place = path(kind, view, at)
        ahead, beside = (place[0] + step[1], place[1]), (place[0], place[1] + step[1])
        along, across = ((_first(kind, view, at, to) - curves[0]) / step[1] for to in (ahead, beside))
        out = np.zeros((at.size, place[0].size))
        out[:3] = _path_slopes(view, at, along, across)
        own = slice(3, 3 + len(kind.own))
        if kind.circles:
            out[own] = _circle_slopes(kind, view, at, (along, across))
        else:
            out[own] = _own_slopes(kind, view, (at, step), (curves[0], along, across))
        if at.size > own.stop and view.displacement is not None:
            north, east = view.displacement
            out[-2], out[-1] = along * north + across * east, along * east - across * north
        return out[:, None]

    return slopes


def _own_slopes(
    kind: Kind,
    view: View,
    moving: tuple[FloatArray, FloatArray],
    known: tuple[FloatArray, FloatArray, FloatArray],
) -> FloatArray:
    """Derivatives by what a disc and two lenses have of their own, shape (len(kind.own), n)."""
    (at, step), (curve, along, across) = moving, known
    place = path(kind, view, at)
    out = np.zeros((len(kind.own), curve.size))
    for k, name in enumerate(kind.own):
        if name.startswith("ln "):
            moved = at.copy()
            moved[3 + k] += step[3 + k]
            out[k] = (_first(kind, view, moved, place) - curve) / step[3 + k]
    if kind.n_lens == 2:
        # x and y turn with alpha as they do with the path: dτ = -β dα, dβ = τ dα.
        out[2] = place[0] * across - place[1] * along
    if kind.turns:
        years = (view.points.time - view.reference) / YEAR
        # s and alpha of each point: by their rates they change with the years.
        stopped = _lenses(kind, view, at)[0] <= LEAST_SEPARATION
        out[4] = np.where(stopped, 0.0, out[0] * years / np.exp(at[3]))
        out[5] = out[2] * years
    return out


_TURN = 1e-6
"""Difference for derivatives of orbits of sources, of logarithms and radians."""


def _circle_slopes(
    kind: Kind, view: View, at: FloatArray, known: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Derivatives by the orbit of the source, of those along and across its path, shape (5, n)."""
    time, out = view.points.time, np.zeros((len(kind.own), view.points.time.size))
    shifts_here = _circle(at).shifts(time, view.reference)
    for k in range(len(kind.own)):
        moved = at.copy()
        moved[3 + k] += _TURN
        there = _circle(moved).shifts(time, view.reference)
        for one, new, old in zip(known, there, shifts_here, strict=True):
            out[k] += one * (new - old) / _TURN
    return out


def _path_slopes(view: View, at: FloatArray, along: FloatArray, across: FloatArray) -> FloatArray:
    """Derivatives by t_0, u_0 and ln t_E, shape (3, n), of those by τ and β."""
    t_e = np.exp(at[2])
    return np.stack([-along / t_e, across, -along * (view.points.time - at[0]) / t_e])


#: Limits of parameters, and their longest steps; of those in days, in Einstein times.
_LIMITS = {
    "t_0": (-np.inf, np.inf, 0.2),
    "t_0_2": (-np.inf, np.inf, 0.2),
    "u_0": (-5.0, 5.0, 0.2),
    "u_0_2": (-5.0, 5.0, 0.2),
    "ln t_E": (np.log(1e-2), np.log(3e3), 0.3),
    "ln s": (np.log(0.05), np.log(20.0), 0.15),
    "ln q": (np.log(1e-7), np.log(10.0), 0.7),
    "alpha": (-np.inf, np.inf, 0.2),
    "ln rho": (np.log(1e-5), np.log(10.0), 0.7),
    "ds_dt": (-8.0, 8.0, 0.5),
    "dalpha_dt": (-10.0, 10.0, 0.5),
    "ln xi_period": (0.0, np.log(3e3), 0.1),
    "ln xi_semimajor_axis": (np.log(1e-5), np.log(3.0), 0.5),
    "xi_Omega_node": (-np.inf, np.inf, 0.3),
    "xi_inclination": (-np.inf, np.inf, 0.3),
    "xi_argument_of_latitude_reference": (-np.inf, np.inf, 0.3),
    "pi_E_N": (-5.0, 5.0, 0.3),
    "pi_E_E": (-5.0, 5.0, 0.3),
}


PARALLAX_SIGMA = 0.3
"""Standard deviation of either component of the parallax before the light curve is seen. Lenses of the bulge
and the disc have a tenth to a third (e.g. Zhu et al. 2017, AJ 154, 210); more must show clearly."""


RATE_SIGMA = 1.0
"""The same of ds_dt (Einstein radii) and dalpha_dt (radians) a year: half a solar mass and a companion at
2.5 au, where lenses see companions best, turn once in 5.6 years. Mass and distance of the lens are not known
to a fit: this keeps it near lenses that are bound."""

_PRIORS = dict.fromkeys(_PARALLAX, PARALLAX_SIGMA) | dict.fromkeys(("ds_dt", "dalpha_dt"), RATE_SIGMA)


def parameters_of(kind: Kind, begin: FloatArray) -> Parameters:
    """What a fit has to know of the parameters of a kind.

    Differences for derivatives are a twentieth of what changes fastest, the source or the impact parameter:
    the magnification near a caustic is known to 1e-3 only.

    Parameters
    ----------
    kind
        The kind of the model.
    begin
        Where the fit begins, with or without parallax.
    """
    names = kind.names(begin.size > len(kind.names(False)))
    at = dict(zip(names, begin.tolist(), strict=True))
    sharp = np.exp(at["ln rho"]) if kind.finite else max(abs(at["u_0"]), 1e-3)
    small, t_e = 0.05 * float(np.clip(sharp, 1e-4, 0.02)), float(np.exp(at["ln t_E"]))
    own = {"t_0": small * t_e, "t_0_2": small * t_e, "ln q": 0.01, "ln rho": 0.03}
    own |= dict.fromkeys(ORBIT.own[4:], small * YEAR / t_e)
    days = [t_e if name.startswith("t_0") else 1.0 for name in names]
    lower, upper, longest = np.array([_LIMITS[name] for name in names]).T
    step = np.array([own.get(n, small) for n in names])
    prior = np.array([_PRIORS.get(n, np.inf) for n in names])
    return Parameters(names, step, lower, upper, longest * days, prior=prior)
