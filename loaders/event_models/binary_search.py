"""The search for companions: many seeds, fitted with wide errors first, fewer and fewer with right ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from loaders.event_models.host import best_host
from loaders.event_models.kinds import BINARY, POINT, Kind, View, parameters_of
from loaders.event_models.lens_fit import LensFit
from loaders.event_models.limb_fit import all_with_own_limb
from loaders.event_models.moves import matched_moves
from loaders.event_models.one_fit import fit_from
from loaders.event_models.seeds import grid_seeds, window_seeds
from loaders.event_models.setting import (
    Setting,
    condensed,
    crossing_time,
    residual_of,
    softened,
    windows_left,
)
from loaders.event_models.single_fits import usual_rho
from loaders.event_models.structure import Window
from loaders.event_models.templates import template_seeds
from loaders.event_models.twins import twins
from loaders.stored_curve.band import Band, FloatArray

_WINDOWS = 5
"""Windows that are asked for companions, the strongest ones."""

_FLOORS = (0.03, 0.02, 0.01, 0.005, 0.002, 0.001)
"""Shares of the excess that are tried for errors that smooth chi-square."""

_BUMPS, _BUMP_SIZES = 8, (1.0, 0.4, 0.15)
_BUMP = np.array([0.0, 0.0, 0.0, 0.03, 0.5, 0.02, 0.7])
"""How far a fit that stuck is moved: in ln s, ln q, alpha and ln rho, not along its path."""

_SEEDS = 18
"""Seeds of either set that are fitted."""

_LADDER = (0.01, 0.003, 0.001)
"""Shares of the excess that errors of fits from templates have in turn."""

_TEMPLATES, _MAGNIFIED = 24, 3.0
"""Templates that are fitted, and by what their sources are magnified, about: for how large they may be."""


_HOPEFUL = 12.0
"""Chi-square a point, errors being wide, that must be reached where it is not known that there is a lens."""

_TWIN = 0.02
"""Share of the excess that errors of the first fits of twins have."""

_PARTS, _STAIRS, _AGAIN = 40, (0.03, 0.01, 0.003, 0.001), 4
"""Points in the time scales of last fits; the shares of the excess that errors of those have that left
something out and begin once more, and how many they are."""

_MOST_POINTS = 4000
"""Points that last fits have at most; a large source costs some milliseconds at each."""

_SOFT, _MOVED, _PLACES = 0.01, 2, 3
"""The same where peaks are put in time, the fits that are moved, and places about each that are fitted."""


@dataclass(frozen=True)
class Round:
    """One round of fits.

    Parameters
    ----------
    view
        The points.
    steps
        Most steps of a fit.
    keep
        How many of the results go on.
    enough
        Fall of chi-square below which a step is the last one.
    slowest
        Longest time (days) in which the source crosses its radius: those that grow without end cost most of
        the time.
    kind
        Two lenses that stand still, or that turn.
    sharp
        Whether derivatives are sharp (`loaders.event_models.one_fit`).
    """

    view: View
    steps: int
    keep: int
    enough: float
    slowest: float
    kind: Kind = BINARY
    sharp: bool = False


def companions(
    setting: Setting, single: FloatArray, patient: bool = True, sure: bool = True
) -> tuple[Setting, list[LensFit]]:
    """Search for companions of a lens.

    Parameters
    ----------
    setting
        The event.
    single
        The single lens that fits best, (t_0, u_0, ln t_E) and pi_E_N, pi_E_E if it lasts long enough.
    patient
        Whether fits that stuck are to be helped on; not worth it where something else explains all.
    sure
        Whether this is an event. What may be none is given up if fits with wide errors leave much, for those
        with right ones of what is no lens cost minutes.

    Returns
    -------
    setting, fits
        The event with the limb that fits best, and lenses that differ, fitted to finely condensed points, the
        best first; those with parallax have nine parameters. None if no fit came to numbers.
    """
    full = setting.view(setting.bands, setting.fine)
    left = windows_left(POINT, full, single)
    few = setting.view(condensed(setting, single, left, 20), setting.fine)
    host = best_host(few, _begins(single)).parameter
    search = _Search(setting, host, windows_left(POINT, full, host, _WINDOWS), usual_rho(few, host))
    pi_e = search.host[3:]
    first, second = _rounds(search), _matched(search)
    if not (sure or any(fit.chi2 < _HOPEFUL * fit.n_point for fit in (*first, *second))):
        return setting, []
    about = [np.concatenate([fit.parameter, pi_e]) for fit in first]
    matched = [fit.parameter for fit in _hardened(search, second)]
    found = _last(search, (about, matched), _BUMP_SIZES if patient else ())
    return all_with_own_limb(setting, BINARY, search.sharp, found, search.again)


@dataclass(frozen=True)
class _Search:
    """An event, its lens without a companion, where that is off, and the usual radius of its source.

    The radius is in Einstein radii.
    """

    setting: Setting
    host: FloatArray
    left: Sequence[Window]
    rho: float

    @property
    def crossing(self) -> float:
        """Time (days) in which the source usually crosses its radius."""
        return self.rho * float(np.exp(self.host[2]))

    def again(self, kind: Kind, view: View, at: FloatArray) -> LensFit | None:
        """A fit that goes on from another: sources that grow without end cost most of the time."""
        sharp = replace(view, accuracy=self.setting.sharp)
        fits = fit_round([at], Round(sharp, 8, 1, 0.1, 10 * self.crossing, kind, sharp=True))
        return fits[0] if fits else None

    @cached_property
    def sharp(self) -> list[Band]:
        """Condensed light curves of last fits, joined where straight alone, or as others if too many stay."""
        kept = condensed(self.setting, self.host, self.left, _PARTS, sharp=True)
        return kept if sum(map(len, kept)) <= _MOST_POINTS else self.few(_PARTS)

    def few(self, parts: float, left: float = np.inf) -> list[Band]:
        """Condensed light curves, errors so large that the lens alone is off by ``left`` of chi-square."""
        few = condensed(self.setting, self.host, self.left, parts)
        for floor in _FLOORS:
            soft = softened(few, floor)
            residual = residual_of(POINT, self.setting.view(soft, self.setting.fine), self.host)
            if residual @ residual - residual.size > left:
                return soft
        return few


def _begins(single: FloatArray) -> list[FloatArray]:
    """Single lenses from which that without the anomaly is looked for, on both sides."""
    t_eff = abs(single[1]) * np.exp(single[2])
    begins = [single]
    for side in (1, -1):
        for stretch, u_0 in ((1.0, 0.1), (1.0, 0.5), (0.3, 0.3), (3.0, 0.3)):
            path = [single[0], side * u_0, np.log(max(stretch * t_eff / u_0, 0.02))]
            begins.append(np.concatenate([path, np.zeros(single.size - 3)]))
    return begins


def _rounds(search: _Search) -> list[LensFit]:
    """Seeds, and fits with wide errors and then smaller ones, parallax held."""
    setting, host, rho, time = search.setting, search.host, search.rho, search.crossing
    coarse = [band for band in search.few(10, 300.0) if band.name == setting.main]
    if not coarse:
        return []
    scan = setting.view([_about(coarse[0], host)], 0.05)
    short = [window for window in search.left if window.length < np.exp(host[2])]
    seeds = window_seeds(scan, host, rho, short)[:_SEEDS] + grid_seeds(scan, host, rho)[:_SEEDS]
    view = setting.view(coarse, 0.02, host[3:])
    fits = fit_round([seed.parameter for seed in seeds], Round(view, 4, 14, 1.0, 4 * time))
    fits = fit_round([fit.parameter for fit in fits], Round(view, 12, 9, 1.0, 4 * time))
    view = setting.view(search.few(15, 3000.0), max(0.005, setting.fine), host[3:])
    return fit_round([fit.parameter for fit in fits], Round(view, 12, 5, 0.3, 6 * time))


def _matched(search: _Search) -> list[LensFit]:
    """Fits from templates, with wide errors and then smaller ones, without parallax.

    They have nothing to do with the single lens, and only each other to be better than.
    """
    setting = search.setting
    coarse = [band for band in search.few(10, 300.0) if band.name == setting.main]
    if not coarse:
        return []
    rise = float(coarse[0].flux.max() - np.median(coarse[0].flux))
    crossing = max(crossing_time(rise / _MAGNIFIED), search.crossing)
    seeds = template_seeds(_about(coarse[0], search.host), crossing, _TEMPLATES)
    view = setting.view(coarse, 0.02)
    fits = fit_round([seed.parameter for seed in seeds], Round(view, 6, 8, 1.0, 4 * crossing))
    fits = fit_round([fit.parameter for fit in fits], Round(view, 15, 4, 1.0, 4 * crossing))
    view = setting.view(search.few(15, 3000.0), max(0.005, setting.fine))
    return fit_round([fit.parameter for fit in fits], Round(view, 12, 3, 0.3, 6 * crossing))


def _hardened(search: _Search, fits: Sequence[LensFit]) -> list[LensFit]:
    """Fits from templates once more with parallax, errors coming down by and by to what they are."""
    slowest = 10 * max((crossing_of(fit) for fit in fits), default=0.0)
    begins = [np.concatenate([fit.parameter, np.zeros(search.host.size - 3)]) for fit in fits]
    return _down(search.setting, search.few(_PARTS), begins, _LADDER, (3, slowest))


def _down(
    setting: Setting,
    few: Sequence[Band],
    begins: Sequence[FloatArray],
    floors: Sequence[float],
    by: tuple[int, float],
) -> list[LensFit]:
    """Fits whose errors come down; how many of them go on and the slowest source (`Round`) are given."""
    fits: list[LensFit] = []
    for floor in floors:
        view = setting.view(softened(few, floor), max(0.2 * floor, setting.fine))
        fits = fit_round(begins, Round(view, 15, by[0], 0.3, by[1]))
        begins = [fit.parameter for fit in fits]
    return fits


def _once_more(search: _Search, fits: list[LensFit], view: View) -> list[LensFit]:
    """The best fits, and the same from wide errors down if the best one leaves something out.

    Fits with right errors are caught by whatever minimum is near; a light curve of which all crossings are
    known leads them on where errors are wide.
    """
    if not fits or not windows_left(BINARY, view, fits[0].parameter, 1):
        return fits
    slowest = 10 * search.crossing
    soft = _down(search.setting, search.sharp, [fit.parameter for fit in fits], _STAIRS, (_AGAIN, slowest))
    sharp = replace(view, accuracy=search.setting.sharp)
    again = fit_round([fit.parameter for fit in soft], Round(sharp, 25, _AGAIN, 0.1, slowest, sharp=True))
    return distinct([*fits, *again], 6)


def crossing_of(fit: LensFit) -> float:
    """Time (days) in which the source of a fit crosses its radius."""
    return float(np.exp(fit.parameter[6] + fit.parameter[2]))


def _about(band: Band, host: FloatArray) -> Band:
    """The points about an event, and ten of the others."""
    near = np.abs(band.time - host[0]) < 3 * np.exp(host[2])
    far = np.flatnonzero(~near)
    near[far[:: max(1, far.size // 10)]] = True
    return band.take(near)


def _last(
    search: _Search, sets: tuple[Sequence[FloatArray], Sequence[FloatArray]], bumps: Sequence[float]
) -> list[LensFit]:
    """The best of both sets with right errors and with parallax, then with dark limbs, and their twins."""
    setting = search.setting
    fine, slowest = search.sharp, 10 * search.crossing
    view = setting.view(fine, setting.fine)
    fits = [fit for begins in sets for fit in fit_round(begins, Round(view, 15, 4, 0.1, slowest))]
    fits = _near_best(distinct(fits, 6))
    fits = _once_more(search, fits, view) if bumps else fits
    for size in bumps:
        fits = _moved_on(search, fits, view, size)
    found = _twins_of(search, fits, view)
    begins = [fit.parameter for fit in _near_best(distinct([*fits, *found], 6))]
    if setting.parallax:
        begins += [begin[:7] for begin in begins[:1]]
    dark = setting.view(fine, setting.sharp, dark=True)
    return fit_round(begins, Round(dark, 25, 6, 0.01, slowest, sharp=True))


def _moved_on(search: _Search, fits: list[LensFit], view: View, size: float) -> list[LensFit]:
    """The best fits, and those from places about the best one if that leaves something out."""
    if not fits or not windows_left(BINARY, view, fits[0].parameter, 1):
        return fits
    setting, slowest = search.setting, 10 * search.crossing
    softer = setting.view(softened(search.sharp, 0.005 * size), setting.fine)
    begins = _bumps(fits[0].parameter, size)
    if size == _BUMP_SIZES[0]:
        begins += _in_time(search, fits)
    bumped = fit_round(begins, Round(softer, 8, 3, 0.3, slowest))
    again = fit_round([fit.parameter for fit in bumped], Round(view, 15, 3, 0.1, slowest))
    return distinct([*fits, *again], 6)


def _in_time(search: _Search, fits: Sequence[LensFit]) -> list[FloatArray]:
    """Places about the best fits whose peaks are where those of the light curve are."""
    main = [band for band in softened(search.sharp, _SOFT) if band.name == search.setting.main]
    return [
        place
        for band in main
        for fit in fits[:_MOVED]
        for place in matched_moves(search.setting, band, fit.parameter, _PLACES)
    ]


def _twins_of(search: _Search, fits: Sequence[LensFit], view: View) -> list[LensFit]:
    """Lenses that are hardly told from the best one, errors being wide first: twins are so to percents."""
    setting, slowest = search.setting, 10 * search.crossing
    begins = [twin for fit in fits[:1] for twin in twins(fit.parameter)]
    soft = setting.view(softened(search.few(20), _TWIN), max(0.2 * _TWIN, setting.fine))
    found = fit_round(begins, Round(soft, 12, 4, 1.0, slowest))
    return fit_round([fit.parameter for fit in found], Round(view, 15, 3, 0.1, slowest))


def _near_best(fits: Sequence[LensFit]) -> list[LensFit]:
    """Fits whose chi-square is not hopelessly above that of the best."""
    if not fits:
        return []
    most = fits[0].loss + max(100.0, 0.1 * abs(fits[0].chi2 - fits[0].n_point))
    return [fit for fit in fits if fit.loss <= most]


def _bumps(best: FloatArray, size: float) -> list[FloatArray]:
    """Places about a lens from which fits that stuck go on, the same ones each time."""
    moves = np.random.default_rng(7).normal(size=(_BUMPS, _BUMP.size)) * size * _BUMP
    return [best + np.concatenate([move, np.zeros(best.size - 7)]) for move in moves]


def fit_round(begins: Iterable[FloatArray], by: Round) -> list[LensFit]:
    """Fit from many places; the best of those that differ, the best first."""
    fits = [fit for begin in begins if (fit := _fit(begin, by)) is not None]
    return distinct(fits, by.keep)


def _fit(begin: FloatArray, by: Round) -> LensFit | None:
    """A fit; None where its numbers fail."""
    usual = parameters_of(by.kind, begin)
    upper = usual.upper.copy()
    upper[6] = np.log(by.slowest) - begin[2]
    given = replace(usual, enough=by.enough, upper=upper)
    return fit_from(by.kind, by.view, begin, by.steps, given, by.sharp)


def distinct(fits: Iterable[LensFit], most: int) -> list[LensFit]:
    """The best fits, none of which are the same lens twice."""
    kept: list[LensFit] = []
    for fit in sorted(fits, key=lambda fit: fit.loss):
        if len(kept) == most:
            break
        if not any(_same(fit.parameter, other.parameter) for other in kept):
            kept.append(fit)
    return kept


def _same(one: FloatArray, other: FloatArray) -> bool:
    """Whether two lenses are the same but for what fits do not tell apart."""
    if one.size != other.size:
        return False
    a, b = canonical(one), canonical(other)
    turn = np.abs((a[5] - b[5] + np.pi) % (2 * np.pi) - np.pi)
    near = abs(a[3] - b[3]) < 0.04 and abs(a[4] - b[4]) < 0.2 and turn < 0.06
    return bool(near and abs(a[6] - b[6]) < 0.7 and a[1] * b[1] >= 0)


def canonical_signs(parameter: FloatArray) -> FloatArray:
    """How the parameters of `canonical` turn with those that were fitted, shape (p,): 1 or -1 each."""
    signs = np.ones(parameter.size)
    if parameter[4] > 0:
        signs[4] = -1
    if parameter.size == 7 and parameter[1] < 0:
        signs[[1, 5]] = -1
    return signs


def canonical(parameter: FloatArray) -> FloatArray:
    """The same lens with q at most 1, alpha within a turn and, without parallax, u_0 not below zero."""
    out = parameter.copy()
    if out[4] > 0:
        out[4], out[5] = -out[4], out[5] + np.pi
    if out.size == 7 and out[1] < 0:
        out[1], out[5] = -out[1], -out[5]
    out[5] %= 2 * np.pi
    return out
