"""Whether what was refused for the shape of its light curve is that of two lenses after all.

What else brightens was compared with a single lens, which two stars are often nothing like. Models of two
lenses describe much, so that they hold only where a light curve has what lenses must have: the star is quiet
before and after; nearly all of its light is explained, point by point and in all elements, and not only what
errors let through; and nothing else that brightens comes near.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from loaders.event_models.evaluate import ModelCurve
from loaders.event_models.fitted_model import FittedModel
from loaders.event_models.template_kernels import span_of
from loaders.microlensing.alternatives import hump_chi2, outburst_chi2, step_chi2
from loaders.microlensing.judge import Verdict
from loaders.stored_curve.band import Band, FloatArray

#: Fall of chi-square by a single lens from which two lenses are tried of what was refused for its shape.
#: Of simulated errors that days share none was asked for it, of hot pixels some are.
LEAST_GAIN = 1e5

_SHAPES = frozenset({"outburst", "hump", "step", "periodic"})
"""Objections that are heard again. What is erratic jumps from point to point, which caustics do at few."""

_FAR, _ENDS = 3.0, 0.02
"""Einstein times from t_0, or lengths from its ends that an event has, beyond which a star must be quiet; and
the share of the light before, and after, these ends."""

_FEWEST, _QUIET = 200, 1.5
"""Points there that are needed to tell, and the greatest chi-square of a constant a point."""

_LIGHT, _SEEN = 0.05, 10.0
"""Share of the greatest excess, and errors, from which points are of the event."""

_MISSED, _OF_POINTS = 0.01, 0.1
"""Share of the excess by which points of the event may be off, errors aside, and share that may be more."""

_BETTER, _MUCH = 0.1, 0.01
"""What two lenses may leave, over what the best of the other explanations leaves; and the share of the fall
of chi-square that this must leave to be asked again."""


def may_be_two_lenses(verdict: Verdict) -> bool:
    """Whether what was refused is strong enough, and quiet before and after, to be asked again."""
    if verdict.reason not in _SHAPES or not verdict.gain > LEAST_GAIN or not _is_quiet(verdict):
        return False
    return _left_by_others(verdict)[0] > _MUCH * verdict.gain


def _is_quiet(verdict: Verdict) -> bool:
    """Whether the star is known to be constant before and after, as outbursts that come again are not.

    t_E of a single lens may be off by a factor of 100: when the light comes says how long it lasts, too.
    """
    band = max(verdict.bands, key=len)
    excess = np.abs(band.flux - np.median(band.flux))
    begin, end = span_of(band.time, np.where(excess > _SEEN * band.error, excess, 0.0), _ENDS)
    length, fit = _FAR * (end - begin), verdict.fit
    of_lens = np.abs(band.time - fit.t_0) > _FAR * fit.t_E
    of_light = (band.time < begin - length) | (band.time > end + length)
    rests = [band.take(far) for far in (of_lens, of_light)]
    return any(len(rest) >= _FEWEST and _constant_chi2(rest) < _QUIET * len(rest) for rest in rests)


def _constant_chi2(band: Band) -> float:
    mean = np.average(band.flux, weights=band.error**-2)
    return float(np.sum(((band.flux - mean) / band.error) ** 2))


def are_two_lenses(
    verdict: Verdict, best: FittedModel, place: tuple[float, float], limb: Mapping[str, float]
) -> bool:
    """Whether a model of two lenses overrules an objection to the shape of a light curve.

    Parameters
    ----------
    verdict
        The refusal.
    best
        The model of the light curve that is believed.
    place
        Degrees ICRS.
    limb
        Linear limb darkening by optical element.
    """
    return best.kind.n_lens > 1 and _beats_others(verdict, best) and _explains(verdict, best, place, limb)


def _explains(
    verdict: Verdict, best: FittedModel, place: tuple[float, float], limb: Mapping[str, float]
) -> bool:
    """Whether the model is right to a percent of the light at nine of ten points of each element."""
    if best.complete:
        return True
    curve = _curve_of(best, place, limb)
    for band in verdict.bands:
        if band.name not in best.elements:
            continue
        during = _of_event(band)
        off = np.abs(band.flux - curve.flux_at(band.name, band.time)) - 2 * band.error
        missed = off[during] > _MISSED * np.abs(band.flux - np.median(band.flux))[during]
        if missed.size and np.mean(missed) > _OF_POINTS:
            return False
    return True


def _of_event(band: Band) -> npt.NDArray[np.bool_]:
    """Which points have light of the event, shape (n,)."""
    excess: FloatArray = np.abs(band.flux - np.median(band.flux))
    return np.asarray(excess > np.maximum(_LIGHT * excess.max(), _SEEN * band.error))


def _curve_of(model: FittedModel, place: tuple[float, float], limb: Mapping[str, float]) -> ModelCurve:
    """The model as a function of time."""
    number = [*range(1, model.flux.shape[1]), 0]
    flux = {
        (element, k): float(value)
        for element, row in zip(model.elements, model.flux, strict=True)
        for k, value in zip(number, row, strict=True)
    }
    return ModelCurve(model.kind, model.value, flux, place, model.t_0_par, limb)


def _beats_others(verdict: Verdict, best: FittedModel) -> bool:
    """Whether, of all points, the model leaves far less than steps, humps and outbursts do."""
    left, bic = _left_by_others(verdict)
    return bool(best.score < bic and max(best.chi2 - best.n_point, 0.0) < _BETTER * left)


def _left_by_others(verdict: Verdict) -> tuple[float, float]:
    """Chi-square less the number of points of what explains most besides, and the least BIC."""
    bands, fit = verdict.bands, verdict.fit
    n_point, n_band = sum(len(band) for band in bands), len(bands)
    t_eff = max(fit.u_0 * fit.t_E, 0.02)
    others = (
        (2 + 2 * n_band, step_chi2(bands)),
        (2 + 4 * n_band, hump_chi2(bands, fit.t_0, t_eff)),
        (3 + 2 * n_band, outburst_chi2(bands, fit.t_0, t_eff)[0]),
    )
    bic = min(chi2 + number * np.log(n_point) for number, chi2 in others)
    return min(chi2 for _, chi2 in others) - n_point, float(bic)
