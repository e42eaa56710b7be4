"""Fluxes in each exposure with the constant stars held: the event's, and those of its close neighbours.

Unknown in an exposure are the light of the event, the sky, where the exposure lies and the fluxes of stars
that vary: the noise of fitting all neighbours anew is not in them. Of a neighbour the flux is measured in the
same way beside the event's, all other stars being held.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.photometry.flags import PhotometryFlag
from loaders.psf.model import FloatArray
from loaders.refined_photometry.exposures import BoolArray, Cutouts, IntArray, Scene
from loaders.refined_photometry.options import RefineOptions
from loaders.refined_photometry.scene import ExposureView, SceneState, look, outliers, weights
from loaders.refined_photometry.scene_fit import own_columns, shift_prior

_ROUNDS = 3
"""Steps in an exposure, the first with the weights of what was known before; the last rejects pixels."""

_CORE = 1.5
"""Half width in pixels of the square whose pixels must all count for a flux to be free of flags."""

_IN_CORE = 0.2
"""Share of its brightest pixel that a pixel of the core has at least."""

_POOR = 3.0
"""Reduced chi-square of the core above which a flux is flagged, as in the photometry of every day."""

_LEAST = 1e-10
"""Share of its information that is left to a flux beside others, below which it cannot be told from them."""


@dataclass(frozen=True)
class ForcedFluxes:
    """Fluxes of the event's object and of some neighbours, m in all, in n exposures.

    Parameters
    ----------
    flux, flux_err
        Shape (m, n), nJy: all light of the object, constant and varying; NaN where not measured.
    flags
        Shape (m, n): `PhotometryFlag`.
    reduced_chi2
        Shape (n,): of the disc.
    event_err
        Shape (n,), nJy: error of the event's light, NaN where not measured.
    state
        The scene with the event's light in each exposure.
    """

    flux: FloatArray
    flux_err: FloatArray
    flags: IntArray
    reduced_chi2: FloatArray
    event_err: FloatArray
    state: SceneState


def measure(scene: Scene, state: SceneState, neighbours: IntArray) -> ForcedFluxes:
    """Measure the event in every exposure, and its neighbours beside it.

    Pixels that do not fit any more with the event's light free are rejected anew.

    Parameters
    ----------
    scene
        Exposures and stars.
    state
        The scene as `fit_scene` has it.
    neighbours
        Numbers of the stars that are measured after the object.
    """
    cutouts, stars = scene.cutouts, scene.stars
    n, m = len(cutouts), 1 + neighbours.size
    state = _copied(state)
    flux, error = np.full((m, n), np.nan), np.full((m, n), np.nan)
    flags, chi2 = np.zeros((m, n), dtype=np.int64), np.full(n, np.nan)
    which = np.append(stars.target, neighbours).astype(np.int64)
    for e in range(n):
        flags[:, e] = pixel_flags(cutouts, which, e)
        solved = _exposure(scene, state, e, neighbours)
        flags[:, e] |= solved.flags
        chi2[e] = solved.reduced_chi2
        flux[:, e] = solved.value + state.flux[which]
        error[:, e] = solved.error
    flux[np.isnan(error)] = np.nan
    return ForcedFluxes(flux, error, flags, chi2, error[0].copy(), state)


def _copied(state: SceneState) -> SceneState:
    """The state with arrays of its own of what is of exposures."""
    names = ("event", "sky", "shift", "change", "rejected")
    return replace(state, **{name: getattr(state, name).copy() for name in names})


@dataclass(frozen=True)
class _Solved:
    """Light above the constant of the object and its neighbours, errors and flags; shape (m,)."""

    value: FloatArray
    error: FloatArray
    flags: IntArray
    reduced_chi2: float


def _exposure(scene: Scene, state: SceneState, e: int, neighbours: IntArray) -> _Solved:
    """Solve one exposure; its event, sky, shift, changes and rejected pixels are put into the state."""
    stars, options = scene.stars, scene.options
    state.rejected[e] = False
    for number in range(_ROUNDS):
        view = look(scene, state, e)
        residual, weight = weights(scene, state, view, e)
        if number == _ROUNDS - 1:
            light = view.model - state.sky[e]
            state.rejected[e] = outliers(residual, weight, light, options)
            weight = np.where(state.rejected[e], 0.0, weight)
        if not (weight * np.abs(view.event[0])).any():
            return _nothing(1 + neighbours.size, PhotometryFlag.NO_PIXELS)
        columns = np.concatenate([view.event[:1], own_columns(stars, view)])
        normal, right = _normal(columns, (residual, weight), state.shift[e], options)
        if _is_lost(normal):
            return _nothing(1 + neighbours.size, PhotometryFlag.FIT_FAILED)
        _move(state, e, np.asarray(np.linalg.solve(normal, right), dtype=np.float64))
    view = look(scene, state, e)
    residual, weight = weights(scene, state, view, e)
    columns = np.concatenate([view.event[:1], own_columns(stars, view), view.light[0, neighbours]])
    normal, right = _normal(columns, (residual, weight), state.shift[e], options)
    solved = _collected(state.event[e], 4 + state.change.shape[1], normal, right)
    return _judged(solved, residual, weight, view)


def _normal(
    columns: FloatArray, pixels: tuple[FloatArray, FloatArray], shift: FloatArray, options: RefineOptions
) -> tuple[FloatArray, FloatArray]:
    """Normal equations of the event, what is of the exposure, and the neighbours."""
    root = np.sqrt(pixels[1])
    g = columns * root
    normal, right = g @ g.T, g @ (pixels[0] * root)
    precision, pull = shift_prior(shift, len(columns) - 1, options)
    normal[np.diag_indices(len(normal))] += np.append(0.0, precision) + np.finfo(float).tiny
    return normal, right + np.append(0.0, pull)


def _is_lost(normal: FloatArray) -> bool:
    """Whether the first unknown cannot be told from the others."""
    if not np.isfinite(normal).all():
        return True
    inner = normal[1:, 1:] + np.diag(np.diag(normal)[1:] * _LEAST)
    left = normal[0, 0] - normal[0, 1:] @ np.linalg.solve(inner, normal[1:, 0])
    return not left > _LEAST * normal[0, 0]


def _move(state: SceneState, e: int, step: FloatArray) -> None:
    """Put a step of an exposure's unknowns into the state."""
    state.event[e] += step[0]
    state.sky[e] += step[1]
    state.shift[e] += np.clip(step[2:4], -0.2, 0.2)
    state.change[e] += step[4:]


def _collected(event: float, own: int, normal: FloatArray, right: FloatArray) -> _Solved:
    """Fluxes and errors: of the object with its neighbours held, of each neighbour with the others held.

    The first ``own`` unknowns are the event's light, of which ``event`` is known, and those of the exposure.
    """
    m = 1 + len(normal) - own
    value, error, flags = np.full(m, np.nan), np.full(m, np.nan), np.zeros(m, dtype=np.int64)
    for k in range(m):
        # The first unknown is the one that is asked for.
        chosen = np.arange(own) if k == 0 else np.append(own + k - 1, np.arange(own))
        part = normal[np.ix_(chosen, chosen)]
        if _is_lost(part):
            flags[k] = PhotometryFlag.FIT_FAILED
            continue
        inverse = np.linalg.inv(part)
        value[k] = inverse[0] @ right[chosen]
        error[k] = np.sqrt(inverse[0, 0])
    value[0] += event
    return _Solved(value, error, flags, float("nan"))


def _judged(solved: _Solved, residual: FloatArray, weight: FloatArray, view: ExposureView) -> _Solved:
    """With the reduced chi-square, and a flag if that of the core is high."""
    squared = residual**2 * weight
    core = view.event[0] > _IN_CORE * view.event[0].max()
    if float(squared[core].sum()) > _POOR * max(int(np.count_nonzero(weight[core])), 1):
        solved.flags[0] |= PhotometryFlag.POOR_FIT
    return replace(solved, reduced_chi2=float(squared.sum() / max(np.count_nonzero(weight), 1)))


def _nothing(count: int, why: PhotometryFlag) -> _Solved:
    """No fluxes."""
    none = np.full(count, np.nan)
    return _Solved(none, none, np.full(count, int(why), dtype=np.int64), float("nan"))


def pixel_flags(cutouts: Cutouts, which: IntArray, e: int) -> IntArray:
    """Flags that the pixels around some stars give in an exposure, by the catalogued places."""
    flags = np.zeros(which.size, dtype=np.int64)
    for k, star in enumerate(which):
        core = _core(cutouts, cutouts.x[e, star], cutouts.y[e, star])
        if not cutouts.usable[e][core].all():
            flags[k] |= PhotometryFlag.MASKED
        if cutouts.saturated[e][core].any():
            flags[k] |= PhotometryFlag.SATURATED
    return flags


def _core(cutouts: Cutouts, x: float, y: float) -> tuple[slice, slice]:
    """Pixels around a place."""
    first, last = np.ceil(np.array([y, x]) - _CORE), np.floor(np.array([y, x]) + _CORE)
    first, last = (np.clip(one, 0, cutouts.side - 1).astype(int) for one in (first, last))
    return slice(first[0], last[0] + 1), slice(first[1], last[1] + 1)


def good_pixels(cutouts: Cutouts, radius: float) -> BoolArray:
    """Exposures half of whose pixels within a radius of the middle count, shape (n,)."""
    side = cutouts.side
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    disc = np.hypot(column - side // 2, row - side // 2) <= radius
    return np.asarray(cutouts.usable[:, disc].mean(axis=1) >= 0.5)
