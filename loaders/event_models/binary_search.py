"""The search for companions: many seeds, fitted with wide errors first, fewer and fewer with right ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import process_time

import numpy as np

from loaders.event_models.host import best_host
from loaders.event_models.kinds import BINARY, POINT
from loaders.event_models.last_fits import last_fits
from loaders.event_models.lens_fit import LensFit
from loaders.event_models.limb_fit import all_with_own_limb
from loaders.event_models.rounds import Round, crossing_of, down, fit_round
from loaders.event_models.searched_event import PARTS, Search
from loaders.event_models.seeds import grid_seeds, window_seeds
from loaders.event_models.setting import Setting, condensed, crossing_time, windows_left
from loaders.event_models.single_fits import usual_rho
from loaders.event_models.templates import template_seeds
from loaders.stored_curve.band import Band, FloatArray

_WINDOWS = 5
"""Windows that are asked for companions, the strongest ones."""

_SEEDS = 18
"""Seeds of either set that are fitted."""

_LADDER = (0.01, 0.003, 0.001)
"""Shares of the excess that errors of fits from templates have in turn."""

_TEMPLATES, _MAGNIFIED = 24, 3.0
"""Templates that are fitted, and by what their sources are magnified, about: for how large they may be."""

_HOPEFUL = 12.0
"""Chi-square a point, errors being wide, that must be reached where it is not known that there is a lens."""

_MOST_TIME = 300.0
"""Seconds of computing that a search may take."""


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
        best first; those with parallax have nine parameters. None if no fit came to numbers. A search whose
        time is up ends with what it has.
    """
    setting = replace(setting, until=process_time() + _MOST_TIME)
    full = setting.view(setting.bands, setting.fine)
    left = windows_left(POINT, full, single)
    few = setting.view(condensed(setting, single, left, 20), setting.fine)
    host = best_host(few, _begins(single)).parameter
    search = Search(setting, host, windows_left(POINT, full, host, _WINDOWS), usual_rho(few, host))
    pi_e = search.host[3:]
    first, second = _rounds(search), _matched(search)
    if not (sure or any(fit.chi2 < _HOPEFUL * fit.n_point for fit in (*first, *second))):
        return setting, []
    about = [np.concatenate([fit.parameter, pi_e]) for fit in first]
    matched = [fit.parameter for fit in _hardened(search, second)]
    found = last_fits(search, (about, matched), patient)
    setting, fits = all_with_own_limb(setting, BINARY, search.sharp, found, search.again)
    return replace(setting, until=np.inf), fits


def _begins(single: FloatArray) -> list[FloatArray]:
    """Single lenses from which that without the anomaly is looked for, on both sides."""
    t_eff = abs(single[1]) * np.exp(single[2])
    begins = [single]
    for side in (1, -1):
        for stretch, u_0 in ((1.0, 0.1), (1.0, 0.5), (0.3, 0.3), (3.0, 0.3)):
            path = [single[0], side * u_0, np.log(max(stretch * t_eff / u_0, 0.02))]
            begins.append(np.concatenate([path, np.zeros(single.size - 3)]))
    return begins


def _rounds(search: Search) -> list[LensFit]:
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


def _matched(search: Search) -> list[LensFit]:
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


def _hardened(search: Search, fits: Sequence[LensFit]) -> list[LensFit]:
    """Fits from templates once more with parallax, errors coming down by and by to what they are."""
    slowest = 10 * max((crossing_of(fit) for fit in fits), default=0.0)
    begins = [np.concatenate([fit.parameter, np.zeros(search.host.size - 3)]) for fit in fits]
    return down(search.setting, search.few(PARTS), begins, _LADDER, (3, slowest))


def _about(band: Band, host: FloatArray) -> Band:
    """The points about an event, and ten of the others."""
    near = np.abs(band.time - host[0]) < 3 * np.exp(host[2])
    far = np.flatnonzero(~near)
    near[far[:: max(1, far.size // 10)]] = True
    return band.take(near)
