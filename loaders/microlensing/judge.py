"""Whether a brightening is a microlensing event, and if not, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.event_models.condense import condense
from loaders.event_models.lens_fit import Points, solve_fluxes
from loaders.event_models.point_lens import PointLensFit, fit_point_lens, magnification
from loaders.microlensing.alternatives import hump_chi2, outburst_chi2, periodic_chi2, step_chi2, trend_chi2
from loaders.microlensing.motion import Mover, Passage, best_passage
from loaders.microlensing.red_noise import red_noise
from loaders.microlensing.search import Candidate
from loaders.stored_curve.band import Band, FloatArray

#: Fall of chi-square, errors scaled to be right, that an event needs; noise alone reaches some 35.
LEAST_GAIN = 80.0

#: Points above three errors that an event needs, and the share of the gain that two of them may not make.
FEWEST_POINTS, WITHOUT_BEST = 4, 0.5

#: Share of what a constant leaves, beyond noise, that the lens must explain.
EXPLAINED = 0.7

#: The same beyond which nothing periodic is looked for: it could explain no more.
NEARLY_ALL = 0.95

#: By how much chi-square of another explanation must be lower, as a share of the gain, to be believed.
MARGIN = 0.02

_SHORTEST_PERIOD = 0.05
_FAR = 3.0

_ERRATIC, _FEWEST_JUMPS = 1.8, 8
"""Scatter of neighbours during an event over that outside of it, and points that are needed to tell."""

_CLEARLY = 30.0
"""By how much chi-square of a hump must be lower than that of a lens, at least."""

_OF_THE_RISE = 0.1
"""Share of the light that the lens brings that such jumps are, at least."""

_STRAY = 8.0
"""Errors by which a single point is off that does not count."""


@dataclass(frozen=True)
class Verdict:
    """What became of a candidate.

    Parameters
    ----------
    is_event
        Whether it is kept.
    reason
        Why it was kept (``single_lens``, ``anomalous``) or refused (``too_weak``, ``few_points``,
        ``erratic``, ``outburst``, ``hump``, ``periodic``, ``trend``, ``step``, ``variable``,
        ``one_element``, ``moving_star``, ``red_noise``).
    fit
        The lens, with scaled errors and without stray points.
    gain
        By how much a lens lowers chi-square, with scaled errors.
    error_scale
        By what the errors of each element had to be multiplied.
    explained
        Share of the excess over noise that the lens explains.
    bands
        What was fitted: with scaled errors, without stray points.
    passage
        The star that moves past the object and explains most; None where none moves, or it was not asked.
    """

    is_event: bool
    reason: str
    fit: PointLensFit
    gain: float
    error_scale: FloatArray
    explained: float
    bands: Sequence[Band]
    passage: Passage | None = None


def judge(bands: Sequence[Band], candidate: Candidate, movers: Sequence[Mover] = ()) -> Verdict:
    """Fit a lens to a candidate, and compare it with what else brightens.

    Parameters
    ----------
    bands
        The light curves, without outliers (`without_outliers`); three points an element at least.
    candidate
        Where the search found it.
    movers
        Stars that move at the place of the object.

    Returns
    -------
    Verdict
    """
    scale = np.array([_error_scale(band) for band in bands])
    fit = best_fit(_scaled(bands, scale), candidate)
    # What the lens explains is no noise, even where points are as far apart as the event is long.
    left = [replace(band, flux=band.flux - _model(band, fit, bands)) for band in bands]
    scale = np.minimum(scale, [_error_scale(band) for band in left])
    scaled = _scaled(bands, scale)
    scaled = [_without_strays(band, fit, scaled) for band in scaled]
    fit = fit_point_lens(scaled, fit.t_0, max(fit.u_0 * fit.t_E, 1e-4), max(fit.u_0, 1e-4))
    flat = sum(_flat_chi2(band) for band in scaled)
    gain = flat - fit.chi2
    noise = sum(len(band) for band in scaled)
    explained = float(gain / max(flat - noise, gain, 1e-9))
    few = _condensed(scaled, fit)
    passage = _passage(few, fit, movers) if gain >= LEAST_GAIN else None
    reason = _reason(scaled, few, candidate, fit, (gain, explained, passage))
    is_event = reason in ("single_lens", "anomalous")
    return Verdict(is_event, reason, fit, float(gain), scale, explained, scaled, passage)


def _condensed(bands: Sequence[Band], fit: PointLensFit) -> list[Band]:
    """The light curves with fewer points, to compare other explanations on."""
    return condense(bands, fit.t_0, max(fit.u_0, 0.05) * fit.t_E, fit.t_E)


def _passage(few: Sequence[Band], fit: PointLensFit, movers: Sequence[Mover]) -> Passage | None:
    """The best passage of a star, by how much chi-square is lower than with the lens."""
    found = best_passage(few, movers)
    return found and replace(found, ahead=_lens_chi2(few, fit) - found.chi2)


def _reason(
    bands: Sequence[Band],
    few: Sequence[Band],
    candidate: Candidate,
    fit: PointLensFit,
    known: tuple[float, float, Passage | None],
) -> str:
    """The first objection, or what kind of event it is."""
    gain, explained, _ = known
    if gain < LEAST_GAIN:
        return "too_weak"
    if not _many_points(bands, fit, gain):
        return "few_points"
    if not _seen_where_expected(bands, fit):
        return "one_element"
    if _is_erratic(max(bands, key=len), fit, bands):
        return "erratic"
    better = _better(bands, few, candidate, fit, known)
    if better:
        return better
    if gain < LEAST_GAIN * _redness(max(bands, key=len), fit, bands) ** 2:
        return "red_noise"
    if explained < EXPLAINED:
        return "variable" if _restless(bands, fit) else "anomalous"
    return "single_lens"


def _better(
    bands: Sequence[Band],
    few: Sequence[Band],
    candidate: Candidate,
    fit: PointLensFit,
    known: tuple[float, float, Passage | None],
) -> str:
    """The best of the other explanations that the lens does not beat; empty if it beats them all.

    Those with fewer parameters than the lens hold if they are as good.
    """
    gain, explained, passage = known
    lens, margin = _lens_chi2(few, fit), MARGIN * gain
    # By how much each lowers chi-square below that of the lens, less what it would have to.
    ahead = {"step": lens - step_chi2(few) + margin, "trend": lens - trend_chi2(few) + margin}
    # A passage explains nearly as much as a long lens does: the margin is one before the others alone.
    if passage is not None and passage.ahead > 0:
        ahead["moving_star"] = passage.ahead + margin
    t_eff = max(fit.u_0 * fit.t_E, candidate.t_eff, 0.02)
    ahead["hump"] = lens - hump_chi2(few, fit.t_0, t_eff) - max(margin, _CLEARLY)
    outburst, asymmetry = outburst_chi2(few, fit.t_0, max(candidate.t_eff, 0.02))
    if asymmetry > _FAR:
        ahead["outburst"] = lens - outburst - margin
    if explained < NEARLY_ALL:
        most = max(bands, key=len)
        span = float(most.time[-1] - most.time[0])
        wave, _ = periodic_chi2(most, _SHORTEST_PERIOD, span / _FAR)
        ahead["periodic"] = _lens_chi2([most], fit) - wave - margin
    best = max(ahead, key=lambda name: ahead[name])
    return best if ahead[best] > 0 else ""


def _lens_chi2(bands: Sequence[Band], fit: PointLensFit) -> float:
    """Chi-square of the lens, with the best fluxes for these points."""
    points = Points.of(bands)
    u = np.hypot(fit.u_0, (points.time - fit.t_0) / fit.t_E)
    _, residual = solve_fluxes(points, magnification(u)[None])
    return float(residual @ residual)


def best_fit(bands: Sequence[Band], candidate: Candidate) -> PointLensFit:
    """The best of fits that begin at several places: a first guess next to a gap may lie in it."""
    t_eff = candidate.t_eff
    begins = [(0.0, 1.0, u_0) for u_0 in (0.03, 0.3, 1.0)]
    begins += [(shift, stretch, 0.5) for shift in (-2.0, -1.0, 1.0, 2.0) for stretch in (1.0, 3.0)]
    fits = (
        fit_point_lens(bands, candidate.t_0 + shift * t_eff, stretch * t_eff, u_0)
        for shift, stretch, u_0 in begins
    )
    return min(fits, key=lambda fit: fit.chi2)


def _scaled(bands: Sequence[Band], scale: FloatArray) -> list[Band]:
    """The light curves with other errors."""
    return [replace(band, error=band.error * by) for band, by in zip(bands, scale, strict=True)]


def _error_scale(band: Band) -> float:
    """By what errors are too small, at least 1: from how far points are off the line between neighbours.

    That does not see what varies slowly, even where exposures are hours apart; the median is that of noise.
    """
    time, flux, variance = band.time, band.flux, band.error**2
    share = (time[1:-1] - time[:-2]) / np.maximum(time[2:] - time[:-2], 1e-9)
    off = flux[1:-1] - (1 - share) * flux[:-2] - share * flux[2:]
    error = np.sqrt(variance[1:-1] + (1 - share) ** 2 * variance[:-2] + share**2 * variance[2:])
    return max(1.0, float(np.median(np.abs(off) / error)) / 0.6745)


def _flat_chi2(band: Band) -> float:
    mean = np.average(band.flux, weights=band.error**-2)
    return float(np.sum(((band.flux - mean) / band.error) ** 2))


def _model(band: Band, fit: PointLensFit, bands: Sequence[Band]) -> FloatArray:
    """What the lens makes of an element."""
    k = [one.name for one in bands].index(band.name)
    u = np.hypot(fit.u_0, (band.time - fit.t_0) / fit.t_E)
    return np.asarray(fit.source_flux[k] * magnification(u) + fit.blend_flux[k])


def _without_strays(band: Band, fit: PointLensFit, bands: Sequence[Band]) -> Band:
    """The points of an element without single ones far off the lens whose neighbours are not."""
    pull = (band.flux - _model(band, fit, bands)) / band.error
    stray = np.abs(pull) > _STRAY
    beside = np.maximum(np.abs(np.roll(pull, 1)), np.abs(np.roll(pull, -1))) < _STRAY / 2
    return band.take(~(stray & beside))


def _many_points(bands: Sequence[Band], fit: PointLensFit, gain: float) -> bool:
    """Whether several points speak for the lens, and not one or two outliers."""
    parts = []
    for band in bands:
        mean = np.average(band.flux, weights=band.error**-2)
        model = _model(band, fit, bands)
        better = ((band.flux - mean) ** 2 - (band.flux - model) ** 2) / band.error**2
        parts.append(np.where(band.flux > mean + _FAR * band.error, better, 0.0))
    better = np.sort(np.concatenate(parts))[::-1]
    return bool((better > 0).sum() >= FEWEST_POINTS and gain - better[:2].sum() > WITHOUT_BEST * gain)


def _seen_where_expected(bands: Sequence[Band], fit: PointLensFit) -> bool:
    """Whether other elements, where they should show the event at ten errors, do not stay constant.

    A lens magnifies all elements alike; the colours of source and blend may differ, by a factor of ten at
    most.
    """
    most = max(range(len(bands)), key=lambda k: len(bands[k]))
    reference = bands[most]
    share = fit.source_flux[most] / max(abs(float(np.median(reference.flux))), 1e-9)
    for k, band in enumerate(bands):
        if k == most:
            continue
        rise = magnification(np.hypot(fit.u_0, (band.time - fit.t_0) / fit.t_E)) - 1
        expected = 0.1 * share * abs(float(np.median(band.flux)))
        error = 1 / np.sqrt(max(float(np.sum((rise / band.error) ** 2)), 1e-30))
        if expected > 10 * error and fit.source_flux[k] < 3 * error:
            return False
    return True


def _is_erratic(band: Band, fit: PointLensFit, bands: Sequence[Band]) -> bool:
    """Whether points jump about during the event more than before and after, as where some dithers are bad.

    Second differences of the residuals do not see what is smooth over three exposures; at the peak of a
    bright event they see that the source is no point, which is little of its light.
    """
    pull = (band.flux - _model(band, fit, bands)) / band.error
    jump = np.abs(pull[1:-1] - (pull[:-2] + pull[2:]) / 2) / np.sqrt(1.5)
    rise = magnification(np.hypot(fit.u_0, (band.time[1:-1] - fit.t_0) / fit.t_E)) - 1
    during = rise > 0.3 * rise.max()
    k = [one.name for one in bands].index(band.name)
    share = jump / np.maximum(fit.source_flux[k] * rise / band.error[1:-1], 1e-9)
    if during.sum() < _FEWEST_JUMPS or (~during).sum() < _FEWEST_JUMPS:
        return False
    restless = np.median(jump[during]) > _ERRATIC * np.median(jump[~during])
    return bool(restless and np.median(share[during]) > _OF_THE_RISE)


def _redness(band: Band, fit: PointLensFit, bands: Sequence[Band]) -> float:
    """By what errors of means as long as the event are larger than those of independent points."""
    pull = (band.flux - _model(band, fit, bands)) / band.error
    return red_noise(band.time, pull, fit.t_0, 2 * max(fit.u_0 * fit.t_E, 0.02))


def _restless(bands: Sequence[Band], fit: PointLensFit) -> bool:
    """Whether the star varies away from the event too, as variables do and anomalous events do not."""
    for band in bands:
        away = np.abs(band.time - fit.t_0) > _FAR * fit.t_E
        if away.sum() > 20:
            rest = band.take(away)
            if _flat_chi2(rest) > 1.5 * len(rest):
                return True
    return False
