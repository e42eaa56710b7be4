"""The models of an event: the single lens, and what else describes it if that leaves something out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.event_models.binary_search import companions
from loaders.event_models.fitted_model import FittedModel, model_of, ranked
from loaders.event_models.kinds import BINARY, FINITE, ORBIT, POINT, TWO_SOURCES, XALLARAP, Kind
from loaders.event_models.lens_fit import LensFit
from loaders.event_models.limb import LIMB_DARKENING, coefficients
from loaders.event_models.limb_fit import counted
from loaders.event_models.model_posterior import has_sides, posterior_of
from loaders.event_models.orbit_search import turning
from loaders.event_models.parallax_fit import ParallaxFit, fit_parallax
from loaders.event_models.point_lens import PointLensFit
from loaders.event_models.rounds import distinct
from loaders.event_models.setting import NUMERIC, Setting, condensed, windows_left
from loaders.event_models.single_fits import finite_source, two_sources
from loaders.event_models.structure import Window
from loaders.event_models.xallarap_fit import circling_source
from loaders.microlensing.judge import Verdict
from loaders.stored_curve.band import FloatArray

#: Einstein time (days) from which the motion of the telescope is looked for.
LEAST_T_E = 5.0

_PARTS = 60
"""Points left in the time scale of a single lens: a third of them moves fits of bright sources by errors."""

_ALIKE, _MOST = 10.0, 3
"""How far above the best the scores of models may be whose posteriors are sampled, and how many they are."""


@dataclass(frozen=True)
class _Fitted:
    """A fit, of which kind, and the event as it saw it: fits of a kind share how dark the limb is."""

    setting: Setting
    kind: Kind
    fit: LensFit


def models_of(
    verdict: Verdict,
    place: tuple[float, float],
    limb: Mapping[str, float] = LIMB_DARKENING,
    two_lenses: bool = True,
    sampled: bool = True,
    xallarap: bool = False,
) -> list[FittedModel]:
    """Fit the models of an event.

    Parameters
    ----------
    verdict
        The verdict on it.
    place
        Right ascension and declination, degrees ICRS.
    limb
        Linear limb darkening by optical element, as it usually is; how far sources are from it is fitted.
    two_lenses
        Whether two lenses are tried, which takes a hundred times as long as all else.
    sampled
        Whether the posteriors are sampled of the first model and of two more at most that are nearly as good,
        unless what was refused leaves something out.
    xallarap
        Whether a source is tried that a dark companion moves, where one with a size and two sources leave
        something out, too.

    Returns
    -------
    list of FittedModel
        The single lens without and, where it lasts long enough, with parallax; where that leaves something
        out, the same with a source that has a size; where that does, too, two sources and two lenses, which
        may turn about each other where there is parallax. The model that is believed is the first (`ranked`).
    """
    bands, fit = [band for band in verdict.bands if len(band) > 2], verdict.fit
    names = [band.name for band in bands]
    long = fit.t_E >= LEAST_T_E
    setting = Setting(bands, *place, fit.t_0, long, coefficients(names, limb))
    scale = np.array([s for s, band in zip(verdict.error_scale, verdict.bands, strict=True) if len(band) > 2])
    fits = [_Fitted(setting, POINT, _plain(verdict))]
    models = [_model(fits[0], scale)]
    single = np.concatenate([fits[0].fit.parameter, np.zeros(2 if long else 0)])
    if long:
        moved = _moved(setting, single, place, fit)
        fits += [_Fitted(setting, POINT, one) for one in (moved.fit, *moved.twins)]
        models += [_model(one, scale) for one in fits[1:]]
        single = moved.fit.parameter if models[1].chi2 < models[0].chi2 else single
    left = _left(setting, POINT, single)
    if left:
        others = _others(setting, single, left, (two_lenses, xallarap, verdict.is_event))
        models += [_model(one, scale) for one in others]
        fits += others
    if sampled and (verdict.is_event or ranked(models)[0].complete):
        models = _sampled(models, fits)
    return ranked(models)


def _moved(
    setting: Setting, single: FloatArray, place: tuple[float, float], fit: PointLensFit
) -> ParallaxFit:
    """The single lens with parallax, by joined points unless all of them show that these say too little.

    Of a bright star that an event lets shine for a year, joining points may cost more than its noise.
    """
    moved = fit_parallax(condensed(setting, single, [], _PARTS), *place, fit)
    if not _left(setting, POINT, moved.fit.parameter):
        return moved
    whole = fit_parallax(setting.bands, *place, fit)
    return moved if _left(setting, POINT, whole.fit.parameter) else whole


def _model(one: _Fitted, error_scale: FloatArray) -> FittedModel:
    """A fit as a model of all points."""
    return model_of(one.setting, one.kind, one.fit, error_scale)


def _sampled(models: Sequence[FittedModel], fits: Sequence[_Fitted]) -> list[FittedModel]:
    """The models, those with their posteriors that may be believed; twins of a single lens share theirs."""
    out, scores = list(models), [model.score for model in models]
    chosen = [k for k in np.argsort(scores)[:_MOST] if scores[k] <= min(scores) + _ALIKE]
    while chosen:
        first, size = fits[chosen[0]], fits[chosen[0]].fit.parameter.size
        same = [k for k, one in enumerate(fits) if one.kind is first.kind and one.fit.parameter.size == size]
        twins = [k for k in same if k != chosen[0]] if has_sides(first.kind, first.fit) else []
        found = posterior_of(first.setting, first.kind, first.fit, [fits[k].fit for k in twins])
        for k in (chosen[0], *twins):
            out[k] = replace(out[k], posterior=found and found.on_side_of(fits[k].fit))
        chosen = [k for k in chosen[1:] if k not in twins]
    return out


def class_of(models: Sequence[FittedModel]) -> str:
    """What an event is, by the model that is believed.

    ``binary_lens`` or ``binary_source``; a single lens is ``single_lens`` if it leaves nothing out, and
    ``anomalous`` else.
    """
    best = models[0]
    if best.kind.n_lens > 1:
        return "binary_lens"
    if best.kind.n_source > 1 or best.kind.circles:
        return "binary_source"
    return "single_lens" if best.complete else "anomalous"


def _others(
    setting: Setting, single: FloatArray, left: list[Window], asked: tuple[bool, bool, bool]
) -> list[_Fitted]:
    """What describes an event that a single lens and a point do not; two lenses and xallarap if asked for.

    The last of what is asked: whether it is sure that this is an event.
    """
    own, discs = finite_source(setting, single, left)
    found = [_Fitted(own, FINITE, disc) for disc in discs]
    if discs and not _left(own, FINITE, discs[0].parameter):
        return found
    double = two_sources(setting, single, left)
    patient = True
    if double is not None:
        found.append(_Fitted(setting, TWO_SOURCES, double))
        patient = bool(_left(setting, TWO_SOURCES, double.parameter))
    two_lenses, xallarap, sure = asked
    if xallarap and patient and (circling := circling_source(setting, single, left)) is not None:
        found.append(_Fitted(setting, XALLARAP, circling))
    return found + (_two_lenses(setting, single, patient, sure) if two_lenses else [])


def _two_lenses(setting: Setting, single: FloatArray, patient: bool, sure: bool) -> list[_Fitted]:
    """Two lenses that stand still, and that turn; none where numbers fail.

    Then the others remain, and what they leave says that something is missing.
    """
    found: list[_Fitted] = []
    try:
        own, still = companions(setting, single, patient, sure)
        found = [_Fitted(own, BINARY, fit) for fit in still]
        orbits, better = turning(own, still)
    except NUMERIC:
        return found
    still, orbits = distinct([*counted(own, better), *still], len(still) + 1), counted(own, orbits)
    return [_Fitted(own, kind, fit) for kind, fits in ((BINARY, still), (ORBIT, orbits)) for fit in fits]


def _left(setting: Setting, kind: Kind, parameter: FloatArray) -> list[Window]:
    """Where a model is off."""
    return windows_left(kind, setting.view(setting.bands, setting.fine, dark=True), parameter)


def _plain(verdict: Verdict) -> LensFit:
    """The single lens as the verdict has it."""
    fit = verdict.fit
    # (t_0, u_0, ln t_E) by (t_0, u_0, t_E).
    turn = np.diag([1.0, 1.0, 1 / fit.t_E])
    parameter = np.array([fit.t_0, fit.u_0, np.log(fit.t_E)])
    covariance = turn @ fit.covariance @ turn
    flux = np.column_stack([fit.source_flux, fit.blend_flux])
    return LensFit(parameter, flux, fit.chi2, fit.n_point, covariance, fit.converged, 0)
