"""The scene of an event solved from all exposures at once, with the place of the light that varies.

Neighbours are constant: their fluxes, and the places of the bright ones, are common to all exposures, and so
is the place of the event's light; sky, shift and the fluxes of stars that vary are those of each exposure and
are eliminated from the normal equations (variable projection; Golub & Pereyra 1973, SIAM J. Numer. Anal. 10,
413). Of the event's light the course in time is given, so that its place is the centroid of what varies,
weighted as maximum likelihood does. Of difference images that is the way of Alard & Lupton (1998, ApJ 503,
325) and, with the place from the differences, of pySIS (Albrow et al. 2009, MNRAS 397, 2099); here nothing is
resampled: every exposure is compared with the scene in its own pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.psf.model import FloatArray
from loaders.refined_photometry.exposures import BoolArray, Scene, SceneStars
from loaders.refined_photometry.options import RefineOptions
from loaders.refined_photometry.scene import ExposureView, SceneState, look, weights

_DAMPING = 1e-7
"""Share by which the diagonal of normal matrices is raised: what cannot be told apart stays where it is."""

_EVENT = 4
"""Common unknowns of the event: steady light at its place, its amplitude, and the place along two axes."""


_LARGEST_SHIFT = 0.3
"""Longest step of the shift of an exposure, pixels."""


@dataclass(frozen=True)
class SceneFit:
    """A scene solved.

    Parameters
    ----------
    state
        The scene.
    steady
        Light at the place of the event at all times, the source without magnification, nJy.
    amplitude, amplitude_err
        Of what the event adds to it, relative to its given course, nJy; the error marginal over all else.
    place_covariance
        Shape (2, 2), mas²: of the place of the event's light from the catalogued place.
    baseline_offset_err
        Shape (2,), mas: error of the place of the object's constant light.
    flux_err
        Shape (k,), nJy: of the constant fluxes; NaN of stars that vary.
    converged
        Whether the last step was small.
    """

    state: SceneState
    steady: float
    amplitude: float
    amplitude_err: float
    place_covariance: FloatArray
    baseline_offset_err: FloatArray
    flux_err: FloatArray
    converged: bool

    @property
    def snr(self) -> float:
        """Significance of the event's light."""
        return float(self.amplitude / self.amplitude_err) if self.amplitude_err > 0 else 0.0


@dataclass(frozen=True)
class _Unknowns:
    """Which common unknowns there are: stars with a constant flux, and those with a place, by number."""

    constant: BoolArray
    placed: BoolArray
    scene: Scene
    hold_place: bool

    @property
    def size(self) -> int:
        return int(self.constant.sum() + 2 * self.placed.sum()) + _EVENT


@dataclass(frozen=True)
class Course:
    """How the event's light goes.

    Parameters
    ----------
    light
        Shape (n,): what is added to the steady light in each exposure, over its maximum; 0 where nothing is.
    steady, steady_err
        Steady light of the source by the model of the event, nJy, and how far that may be off.
    """

    light: FloatArray
    steady: float
    steady_err: float


def fit_scene(
    scene: Scene,
    state: SceneState,
    course: Course,
    placed: BoolArray | None = None,
    hold_place: bool = False,
) -> SceneFit:
    """Solve a scene by Gauss-Newton steps.

    Parameters
    ----------
    scene
        Exposures and stars.
    state
        Where to begin.
    course
        How the event's light goes.
    placed
        Shape (k,): stars whose places are fitted; None for those that are bright enough.
    hold_place
        Hold the event's place at that of the state.

    Raises
    ------
    LinAlgError
        If the equations have no solution.
    """
    stars, options = scene.stars, scene.options
    nothing = np.zeros(stars.flux.size, dtype=bool)
    start = _Unknowns(~stars.varies, nothing if placed is None else placed, scene, True)
    fit = _round(_begun(state), course, start)
    if placed is None:
        with np.errstate(invalid="ignore"):
            bright = fit.state.flux > options.position_snr * fit.flux_err
        start = replace(start, placed=bright)
    unknowns = replace(start, hold_place=hold_place)
    for _ in range(options.most_rounds):
        before = fit
        fit = _round(before, course, unknowns)
        if _is_still(fit, before, options):
            return replace(fit, converged=True)
    return fit


def _begun(state: SceneState) -> SceneFit:
    """A state of whose event nothing is known but its place."""
    nothing = np.zeros(state.flux.shape)
    dark = replace(state, event=np.zeros(state.event.shape))
    return SceneFit(dark, 0.0, 0.0, 0.0, np.eye(2), np.zeros(2), nothing, False)


def _is_still(fit: SceneFit, before: SceneFit, options: RefineOptions) -> bool:
    """Whether neither the place nor the amplitude of the event moved by much of its error."""
    step = np.abs(fit.state.place - before.state.place)
    error = np.sqrt(np.maximum(np.diag(fit.place_covariance), 0.0))
    amplitude = abs(fit.amplitude - before.amplitude)
    return bool(np.all(step <= options.still * error) and amplitude <= options.still * fit.amplitude_err)


def _round(fit: SceneFit, course: Course, unknowns: _Unknowns) -> SceneFit:
    """One Gauss-Newton step of all unknowns."""
    scene, state, size = unknowns.scene, fit.state, unknowns.size
    normal, right = np.zeros((size, size)), np.zeros(size)
    local = []
    for e in range(len(scene.cutouts)):
        view = look(scene, state, e)
        pixels = weights(scene, state, view, e)
        common = _common(state, unknowns, view, e, course.light[e])
        own = own_columns(scene.stars, view)
        parts = _eliminate(common, own, pixels, shift_prior(state.shift[e], len(own), scene.options))
        normal += parts[0]
        right += parts[1]
        local.append(parts[2:])
    precision, pull = _prior(fit, course, unknowns)
    normal[np.diag_indices(size)] += precision + _DAMPING * np.diag(normal) + np.finfo(float).tiny
    covariance = np.asarray(np.linalg.inv(normal), dtype=np.float64)
    step = covariance @ (right + pull)
    if not np.isfinite(step).all():
        raise np.linalg.LinAlgError("the equations of the scene have no finite solution")
    return _applied(fit, course, step, covariance, unknowns, local)


def _common(state: SceneState, unknowns: _Unknowns, view: ExposureView, e: int, course: float) -> FloatArray:
    """Derivatives of the pixels by the common unknowns, shape (size, p)."""
    turn = unknowns.scene.cutouts.to_pixel[e].T
    flux, slope = state.flux[unknowns.placed], view.light[1:, unknowns.placed]
    places = np.einsum("ij,jkp->ikp", turn, slope) * flux[None, :, None]
    event = [view.event[:1], course * view.event[:1], state.event[e] * (turn @ view.event[1:])]
    return np.concatenate([view.light[0, unknowns.constant], places[0], places[1], *event])


def own_columns(stars: SceneStars, view: ExposureView) -> FloatArray:
    """Derivatives by what is of one exposure: sky, shift along x and y, stars that vary; shape (3 + v, p)."""
    sky = np.ones((1, view.model.size))
    return np.concatenate([sky, view.slope, view.light[0, stars.varies]])


def shift_prior(shift: FloatArray, size: int, options: RefineOptions) -> tuple[FloatArray, FloatArray]:
    """Priors of what is of one exposure: only of its shift is anything known, that it is small."""
    precision, pull = np.zeros(size), np.zeros(size)
    precision[1:3] = options.shift_err**-2
    pull[1:3] = -shift * options.shift_err**-2
    return precision, pull


def _eliminate(
    common: FloatArray,
    own: FloatArray,
    pixels: tuple[FloatArray, FloatArray],
    prior: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Normal equations of the common unknowns, what is of the exposure alone being eliminated.

    Returns
    -------
    normal, right
        Shape (size, size), (size,).
    own_step, response
        Step of the exposure's own unknowns with the common ones held, and what it loses per unit of these.
    """
    residual, root = pixels[0], np.sqrt(pixels[1])
    g, o, r = common * root, own * root, residual * root
    inner = o @ o.T
    inner[np.diag_indices(len(inner))] += prior[0] + _DAMPING * np.diag(inner) + np.finfo(float).tiny
    inverse = np.linalg.inv(inner)
    cross = o @ g.T
    response = inverse @ cross
    own_step = inverse @ (o @ r + prior[1])
    return g @ g.T - cross.T @ response, g @ r - cross.T @ own_step, own_step, response


def _prior(fit: SceneFit, course: Course, unknowns: _Unknowns) -> tuple[FloatArray, FloatArray]:
    """Inverse variances of the priors of the common unknowns, and what they pull with.

    Fluxes of neighbours are known from the catalog, though not well, and so are places; the constant light of
    the object itself may be anything, and need not be where the catalog has it: that is a blend.
    """
    stars, options, state = unknowns.scene.stars, unknowns.scene.options, fit.state
    precision, pull = np.zeros(unknowns.size), np.zeros(unknowns.size)
    flux_err = options.flux_error * np.abs(stars.flux)
    flux_err[stars.target] = np.inf
    known = np.isfinite(flux_err) & (flux_err > 0)
    of_flux = np.where(known, np.where(known, flux_err, 1.0) ** -2.0, 0.0)
    to_flux = of_flux * (np.where(known, stars.flux, 0.0) - state.flux)
    n, m = int(unknowns.constant.sum()), int(unknowns.placed.sum())
    precision[:n], pull[:n] = of_flux[unknowns.constant], to_flux[unknowns.constant]
    place_err = stars.position_err.copy()
    place_err[stars.target] = options.target_err
    of_place = np.tile(place_err[unknowns.placed] ** -2.0, 2)
    precision[n : n + 2 * m] = of_place
    pull[n : n + 2 * m] = -of_place * state.offset[unknowns.placed].T.ravel()
    precision[-4] = course.steady_err**-2.0
    pull[-4] = precision[-4] * (course.steady - fit.steady)
    if unknowns.hold_place:
        precision[-2:] = 1e12
    return precision, pull


def _applied(
    fit: SceneFit,
    course: Course,
    step: FloatArray,
    covariance: FloatArray,
    unknowns: _Unknowns,
    local: Sequence[tuple[FloatArray, ...]],
) -> SceneFit:
    """The scene after a step, places limited in how far they go."""
    state, longest = fit.state, unknowns.scene.options.longest_step
    n, m = int(unknowns.constant.sum()), int(unknowns.placed.sum())
    error = np.sqrt(np.diag(covariance))
    flux, flux_err = state.flux.copy(), np.full(state.flux.shape, np.nan)
    flux[unknowns.constant] += step[:n]
    flux_err[unknowns.constant] = error[:n]
    offset, offset_err = state.offset.copy(), np.full(state.offset.shape, np.nan)
    offset[unknowns.placed] += np.clip(step[n : n + 2 * m].reshape(2, m).T, -longest, longest)
    offset_err[unknowns.placed] = error[n : n + 2 * m].reshape(2, m).T
    own = np.array([mine - response @ step for mine, response in local])
    steady, amplitude = fit.steady + step[-4], fit.amplitude + step[-3]
    place = state.place if unknowns.hold_place else state.place + np.clip(step[-2:], -longest, longest)
    new = replace(
        state,
        flux=flux,
        offset=offset,
        place=place,
        event=steady + amplitude * course.light,
        sky=state.sky + own[:, 0],
        shift=state.shift + np.clip(own[:, 1:3], -_LARGEST_SHIFT, _LARGEST_SHIFT),
        change=state.change + own[:, 3:],
    )
    of_baseline = offset_err[unknowns.scene.stars.target]
    values = (float(steady), float(amplitude), float(error[-3]))
    return SceneFit(new, *values, covariance[-2:, -2:], of_baseline, flux_err, False)
