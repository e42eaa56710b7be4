"""Posteriors of the parameters of fitted models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from loaders.event_models.condense import condense_faithfully
from loaders.event_models.kinds import ANGLES, POINT, Kind, View, curves_of
from loaders.event_models.lens_fit import LensFit, solve_fluxes
from loaders.event_models.posterior import Samples, sample
from loaders.event_models.posterior_density import covariance_at, density_of
from loaders.event_models.posterior_sample import NUMBER, alike, fluxes
from loaders.event_models.rounds import canonical
from loaders.event_models.setting import NUMERIC, Setting, condensed, time_scales, windows_left
from loaders.event_models.two_lens_posterior import of_two_lenses, on_side
from loaders.stored_curve.band import FloatArray

METHOD = "importance"
"""How posteriors are sampled: by weighted draws."""

_MOST_CALLS = {1: 6000, 2: 3000}
"""Evaluations of a model after which no more is drawn, by the number of lenses: seconds, a minute or two."""

_PARTS = {1: 60, 2: 40}
"""Points left in the time scale of a lens, by the number of lenses (`condense_about`)."""


@dataclass(frozen=True)
class Posterior:
    """What the parameters of a model may be.

    Parameters
    ----------
    quantile
        By the names of MulensModel: 15.87, 50 and 84.13 % of the posterior are below, degrees for alpha.
    n_effective
        Of how many independent draws these are.
    n_call
        Evaluations of the model.
    sample
        By the same names, and of fluxes as ``F146_1``, the blend being 0: draws of the same weight, shape
        (n,) each, of which the k-th belong together; units as of the quantiles, and of the light curve. Empty
        where the fluxes are not determined.
    """

    quantile: Mapping[str, tuple[float, float, float]]
    n_effective: float
    n_call: int
    sample: Mapping[str, FloatArray] = field(default_factory=dict, repr=False, compare=False)

    def on_side_of(self, fit: LensFit) -> Posterior:
        """The same as the model of a twin has it: u_0 with its sign, and what turns with it.

        Draws are on both sides as they are: each has the parallax of its own.
        """
        quantile = dict(self.quantile)
        if "u_0" in quantile and fit.parameter[1] * quantile["u_0"][1] < 0:
            for name, turn in (("u_0", 0.0), ("alpha", 360.0), ("dalpha_dt", 0.0)):
                if name in quantile:
                    lower, median, upper = quantile[name]
                    quantile[name] = (turn - upper, turn - median, turn - lower)
        return replace(self, quantile=quantile)


def has_sides(kind: Kind, fit: LensFit) -> bool:
    """Whether fits of one kind are of one posterior: two lenses, and a single one with parallax alone.

    The source of the latter may as well pass on the other side.
    """
    if kind.n_lens > 1:
        return True
    return not kind.circles and kind.n_source == 1 and fit.parameter.size > len(kind.names(False))


def posterior_of(
    setting: Setting, kind: Kind, fit: LensFit, twins: Sequence[LensFit] = (), seed: int = 0
) -> Posterior | None:
    """Sample the posterior of a fitted model about the fit and its twins.

    Its density is that of the points, condensed as for the fit, with fluxes at their best, times the prior
    (`loaders.event_models.posterior_density`), within the limits of fits. Without parallax u_0 is not below
    zero: both sides are the same. With parallax quantiles of u_0 are those of how far off the source passes
    on either side, with the sign of the fit. Of two lenses it is that of all solutions nearly as good as the
    best, each with the share of its evidence, and of their twins (`loaders.event_models.two_lens_posterior`).

    Parameters
    ----------
    setting
        The event.
    kind
        What was fitted.
    fit
        The fit, with or without parallax.
    twins
        Other fits of the same kind: each counts by what of the posterior is about it.
    seed
        Of random numbers: the same give the same draws.

    Returns
    -------
    Posterior or None
        None where the parameters are not determined, or the model is too rough for as many draws as it takes.
    """
    at = canonical(fit.parameter) if kind.n_lens > 1 else fit.parameter
    rng = np.random.default_rng(seed)
    try:
        view = _view(setting, kind, at)
        found = _draws(kind, view, [at, *(twin.parameter for twin in twins)], rng)
    except NUMERIC:
        return None
    if found is None:
        return None
    sided = replace(found, parameter=on_side(kind, found.parameter, at)) if kind.n_lens > 1 else found
    if kind.n_lens == 1 and has_sides(kind, fit):
        # Of the numbers alone: a draw that passes on the other side has the parallax of that side.
        sided = replace(found, parameter=found.parameter.copy())
        sided.parameter[:, 1] = np.copysign(found.parameter[:, 1], at[1])
    names = kind.names(at.size > len(kind.names(False)))
    if kind.n_source > 1:
        names = tuple(name + "_1" if name in ("t_0", "u_0") else name for name in names)
    quantile = {
        _plain(name): tuple(_as_stored(name, column).tolist())
        for name, column in zip(names, sided.quantiles().T, strict=True)
    }
    return Posterior(quantile, found.n_effective, found.n_call, _sampled(kind, view, names, found, rng))


def _draws(kind: Kind, view: View, places: Sequence[FloatArray], rng: np.random.Generator) -> Samples | None:
    """Draws about a fit, which comes first, and those of its kind."""
    most = _MOST_CALLS[kind.n_lens]
    if kind.n_lens > 1:
        return of_two_lenses(kind, view, [canonical(place) for place in places], rng, most)
    modes = [(place, covariance_at(kind, view, place)) for place in places]
    return sample(density_of(kind, view, places[0]), modes, rng, most)


def _view(setting: Setting, kind: Kind, at: FloatArray) -> View:
    """The points, fewer where nothing happens."""
    single = at[:3]
    parallax = at[len(kind.names(False)) :]
    lens = np.concatenate([single, parallax])
    left = windows_left(POINT, setting.view(setting.bands, setting.fine, dark=True), lens)
    if kind.n_lens == 1:
        return setting.view(condensed(setting, single, left, _PARTS[1]), setting.fine, dark=True)
    full = setting.view(setting.bands, setting.fine, dark=True)
    points, (curve,) = full.points, curves_of(kind, full)(at, full.points.time)
    flux, _ = solve_fluxes(points, curve[None])
    model = [one[0] * curve[part] + one[1] for one, part in zip(flux, points.slices, strict=True)]
    bands = [band for band in setting.bands if len(band) > 2]
    short = [window for window in left if window.length < np.exp(single[2])]
    few = condense_faithfully(bands, time_scales(single), short, _PARTS[2], model)
    return setting.view([band for band in few if len(band) > 2], setting.fine, dark=True)


def _sampled(
    kind: Kind, view: View, names: Sequence[str], found: Samples, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Draws that are stored, by their names; none where the fluxes are not determined."""
    parameter, curves = alike(found, NUMBER, rng), curves_of(kind, view)
    try:
        flux = fluxes(view.points, lambda at: curves(at, view.points.time), parameter, rng)
    except NUMERIC:
        return {}
    out = {_plain(name): _as_stored(name, one) for name, one in zip(names, parameter.T, strict=True)}
    numbers = [*range(1, flux.shape[2]), 0]
    for band, element in enumerate(view.points.names):
        out |= {f"{element}_{number}": flux[:, band, k] for k, number in enumerate(numbers)}
    return out


def _plain(name: str) -> str:
    """Name of a parameter as it is stored."""
    return name.removeprefix("ln ")


def _as_stored(name: str, value: FloatArray) -> FloatArray:
    """A parameter as it is stored: logarithms taken away, angles in degrees."""
    if name.startswith("ln "):
        return np.exp(value)
    return np.degrees(value) if name in ANGLES else value
