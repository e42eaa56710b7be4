"""The course of an event's light by its stored model: what the magnification adds at given times."""

from __future__ import annotations

import numpy as np

from loaders.event_models.kinds import ANGLES, KINDS, Kind, curves_of
from loaders.event_models.limb import LIMB_DARKENING, coefficients
from loaders.event_models.setting import Setting
from loaders.refined_photometry.stored_event import EventModel
from loaders.stored_curve.band import Band, FloatArray

_ACCURACY = 1e-3
"""Relative error of magnifications: as weights they need not be better."""

_LEAST_POINTS = 3
"""Points that an optical element must have for models to look at it."""


def light_course(model: EventModel, place: tuple[float, float], element: str, bjd: FloatArray) -> FloatArray:
    """Light that magnification adds in an optical element, over that at its greatest; shape (n,).

    Parameters
    ----------
    model
        The model that is believed.
    place
        Right ascension and declination, degrees ICRS.
    element
        Optical element.
    bjd
        Shape (n,): BJD (TDB).

    Returns
    -------
    ndarray
        Zero where the model is not finite, or nothing is magnified.

    Raises
    ------
    KeyError
        If the model is of a kind that is not known, or lacks a parameter.
    """
    kind = KINDS[model.name.removesuffix("_parallax")]
    parameter = _as_fitted(kind, model)
    if bjd.size == 0:
        return np.zeros(0)
    order = np.argsort(bjd, kind="stable")
    time = bjd[order]
    if time.size < _LEAST_POINTS:
        time = np.pad(time, (0, _LEAST_POINTS - time.size), mode="edge")
    band = Band(element, time, np.zeros(time.size), np.ones(time.size))
    limb = coefficients([element], LIMB_DARKENING)
    parallax = model.t_0_par is not None
    setting = Setting([band], *place, model.t_0_par or 0.0, parallax, limb)
    view = setting.view([band], _ACCURACY, dark=True)
    curves = curves_of(kind, view)(parameter, view.points.time)
    added = np.asarray(model.source_flux(element, kind.n_source) @ (curves - 1.0))
    added = np.where(np.isfinite(added), added, 0.0)
    out = np.empty(bjd.size)
    out[order] = added[: bjd.size]
    largest = np.abs(out).max(initial=0.0)
    return out / largest if largest > 0 else np.zeros(bjd.size)


def _as_fitted(kind: Kind, model: EventModel) -> FloatArray:
    """Parameters of a stored model as fits take them, in the order of `Kind.names`."""
    value, out = model.value, []
    for name in kind.names(model.t_0_par is not None):
        if name.startswith("ln "):
            out.append(np.log(value[name[3:]]))
        elif name in ANGLES:
            out.append(np.radians(value[name]))
        elif kind.n_source > 1 and name in ("t_0", "u_0"):
            out.append(value[f"{name}_1"])
        else:
            out.append(value[name])
    return np.array(out, dtype=np.float64)
