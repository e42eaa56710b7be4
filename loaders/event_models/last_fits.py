"""Last fits of two lenses, errors being right: the best ones, what they are moved to, and their twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from loaders.event_models.kinds import BINARY, View
from loaders.event_models.lens_fit import LensFit
from loaders.event_models.moves import matched_moves
from loaders.event_models.rounds import Round, distinct, down, fit_round
from loaders.event_models.searched_event import Search
from loaders.event_models.setting import softened, windows_left
from loaders.event_models.twins import twins
from loaders.stored_curve.band import FloatArray

_BUMPS, _BUMP_SIZES = 8, (1.0, 0.4, 0.15)
_BUMP = np.array([0.0, 0.0, 0.0, 0.03, 0.5, 0.02, 0.7])
"""How far a fit that stuck is moved: in ln s, ln q, alpha and ln rho, not along its path."""

_STAIRS, _AGAIN = (0.03, 0.01, 0.003, 0.001), 4
"""Shares of the excess that errors have of fits that left something out and begin once more, and how many."""

_SOFT, _MOVED, _PLACES = 0.01, 2, 3
"""The same where peaks are put in time, the fits that are moved, and places about each that are fitted."""

_TWIN = 0.02
"""Share of the excess that errors of the first fits of twins have."""


def last_fits(
    search: Search, sets: tuple[Sequence[FloatArray], Sequence[FloatArray]], patient: bool
) -> list[LensFit]:
    """The best of both sets with right errors and with parallax, then with dark limbs, and their twins.

    Parameters
    ----------
    search
        The event.
    sets
        Places to begin from, with parallax if the event has it: those about the host, and those of templates.
    patient
        Whether fits that stuck are helped on.
    """
    setting = search.setting
    fine, slowest = search.sharp, 10 * search.crossing
    view = setting.view(fine, setting.fine)
    fits = [fit for begins in sets for fit in fit_round(begins, Round(view, 15, 4, 0.1, slowest))]
    fits = _near_best(distinct(fits, 6))
    fits = _once_more(search, fits, view) if patient else fits
    for size in _BUMP_SIZES if patient else ():
        fits = _moved_on(search, fits, view, size)
    found = _twins_of(search, fits, view)
    begins = [fit.parameter for fit in _near_best(distinct([*fits, *found], 6))]
    if setting.parallax:
        begins += [begin[:7] for begin in begins[:1]]
    dark = setting.view(fine, setting.sharp, dark=True)
    return fit_round(begins, Round(dark, 25, 6, 0.01, slowest, sharp=True))


def _moved_on(search: Search, fits: list[LensFit], view: View, size: float) -> list[LensFit]:
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


def _in_time(search: Search, fits: Sequence[LensFit]) -> list[FloatArray]:
    """Places about the best fits whose peaks are where those of the light curve are."""
    main = [band for band in softened(search.sharp, _SOFT) if band.name == search.setting.main]
    return [
        place
        for band in main
        for fit in fits[:_MOVED]
        for place in matched_moves(search.setting, band, fit.parameter, _PLACES)
    ]


def _twins_of(search: Search, fits: Sequence[LensFit], view: View) -> list[LensFit]:
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


def _once_more(search: Search, fits: list[LensFit], view: View) -> list[LensFit]:
    """The best fits, and the same from wide errors down if the best one leaves something out.

    Fits with right errors are caught by whatever minimum is near; a light curve of which all crossings are
    known leads them on where errors are wide.
    """
    if not fits or not windows_left(BINARY, view, fits[0].parameter, 1):
        return fits
    slowest = 10 * search.crossing
    soft = down(search.setting, search.sharp, [fit.parameter for fit in fits], _STAIRS, (_AGAIN, slowest))
    sharp = replace(view, accuracy=search.setting.sharp)
    again = fit_round([fit.parameter for fit in soft], Round(sharp, 25, _AGAIN, 0.1, slowest, sharp=True))
    return distinct([*fits, *again], 6)
