"""The state of one field while a PSF is fitted: its model, its weights and the stars that are trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from loaders.psf.field import Background, BoolArray, IntArray, StarField
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import SplinePsf, Stars, effective
from loaders.psf.scene import Wings, drawing_radii, stars_image, wings_image
from loaders.psf.solve import FieldChange, FieldProblem

_CORE = 2
"""Half-width, in pixels, of the square in which the goodness of a star is measured."""

_FEWEST_BRIGHT = 10
"""Stars that tell by how much a PSF is off."""

_VISIBLE = 5
"""Half-width of the square of which half must be usable. Saturated stars are welcome: they show the wings."""


@dataclass(frozen=True)
class FittedField:
    """What the fit of a PSF found in one field.

    Parameters
    ----------
    x, y, flux
        Shape (n,): positions and fluxes of the stars, in the order in which they were given.
    measured
        Shape (m,): indices of the stars that measured the PSF.
    level
        Shape (k,): levels of the background at its nodes, then the factor on the wings.
    shift
        Shape (2, m): fitted minus given positions along x and y of the measured stars, pixels; zero in the
        mean over all fields.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    measured: IntArray
    level: FloatArray
    shift: FloatArray


@dataclass(frozen=True)
class Weighing:
    """What turns a field and its model into weights.

    Parameters
    ----------
    model_error
        Error of the PSF, relative to the model, that adds to the noise.
    outlier
        Residual, in standard deviations, at which the weight of a pixel has fallen to a half.
    """

    model_error: float
    outlier: float


@dataclass(frozen=True)
class FieldModel:
    """A field as the current state describes it.

    Parameters
    ----------
    image
        Shape (ny, nx): all stars and the background.
    stars
        The stars as they were drawn.
    background
        The background, with the current wings.
    """

    image: FloatArray
    stars: Stars
    background: Background


def begin(item: StarField, start: EffectivePsf, min_signal: float, max_star: int) -> FittedField:
    """Choose the stars that measure the PSF: the brightest above a signal-to-noise ratio that are visible."""
    peak = float(start.stamps[..., start.size // 2, start.size // 2].mean())
    flux = np.maximum(item.flux, 0)
    signal = flux * np.sqrt(peak / 2) / np.sqrt(item.noise() ** 2 + variance_line(item)[1] * peak * flux)
    good = np.flatnonzero((item.usable_fraction(_VISIBLE) > 0.5) & (signal > min_signal))
    measured = np.sort(good[np.argsort(-flux[good])][:max_star])
    return FittedField(item.x, item.y, item.flux, measured, np.zeros(0), np.zeros((2, measured.size)))


def variance_line(item: StarField) -> tuple[float, float]:
    """Offset and slope of the variance as a linear function of the data, fitted in relative terms."""
    variance, data = item.variance[item.usable], item.data[item.usable]
    rows = np.stack([1 / variance, data / variance], axis=1)
    offset, slope = np.linalg.lstsq(rows, np.ones(variance.size), rcond=None)[0]
    return float(offset), float(max(slope, 0.0))


def model(
    item: StarField, state: FittedField, psf: SplinePsf, wings: Wings | None, spacing: float
) -> tuple[FieldModel, FittedField]:
    """Draw a field; levels of the background are set to a first guess if there are none yet."""
    shape, noise = item.data.shape, item.noise()
    stars = Stars(state.x, state.y, state.flux, drawing_radii(effective(psf), state.flux, noise))
    light = np.zeros(shape) if wings is None else wings_image(wings, stars, noise, shape)
    background = Background.over(light, spacing)
    if state.level.size == 0:
        state = replace(state, level=background.flat(float(np.percentile(item.data[item.usable], 10))))
    image = stars_image(psf, stars, shape) + background.image(state.level)
    return FieldModel(image, stars, background), state


def weigh(item: StarField, image: FloatArray, weighing: Weighing) -> tuple[FloatArray, FloatArray]:
    """Residual and one over its standard deviation, both zero where a pixel isn't used.

    The variance is that of the model's brightness, so that it doesn't follow the noise of the pixel.
    """
    offset, slope = variance_line(item)
    variance = offset + slope * np.maximum(image, np.percentile(image, 1))
    variance = np.maximum(variance, item.variance[item.usable].min()) + (weighing.model_error * image) ** 2
    residual = np.where(item.usable, item.data - image, 0.0)
    outlying = 1 + residual**2 / variance / weighing.outlier**2
    return residual, np.where(item.usable, 1 / np.sqrt(variance * outlying), 0.0)


def problem(item: StarField, state: FittedField, drawn: FieldModel, weighing: Weighing) -> FieldProblem:
    """The part of the joint problem that a field adds."""
    residual, root_weight = weigh(item, drawn.image, weighing)
    return FieldProblem(root_weight, residual, drawn.stars, state.measured, drawn.background, state.shift)


def core_chi2(item: StarField, state: FittedField, image: FloatArray, weighing: Weighing) -> FloatArray:
    """Mean squared normalised residual of the usable core pixels of every measured star, shape (m,)."""
    residual, root_weight = weigh(item, image, replace(weighing, outlier=np.inf))
    j, i, _ = item.core_pixels(_CORE)
    k = state.measured
    pixels, used = ((residual * root_weight) ** 2)[j[k], i[k]], item.usable[j[k], i[k]]
    return np.asarray(pixels.sum(axis=(1, 2)) / np.maximum(used.sum(axis=(1, 2)), 1))


def core_residual(item: StarField, state: FittedField, drawn: FieldModel) -> FloatArray:
    """What the PSF leaves of the brightest tenth of the measured stars, ten at least, over their light.

    The root of the squared residuals of the core, less what noise has of them, over that of the squared
    light; shape (m,), empty if fewer than ten stars measured it.
    """
    count = max(_FEWEST_BRIGHT, state.measured.size // 10)
    if state.measured.size < _FEWEST_BRIGHT:
        return np.empty(0)
    bright = state.measured[np.argsort(-state.flux[state.measured], kind="stable")[:count]]
    residual, root_weight = weigh(item, drawn.image, Weighing(0.0, np.inf))
    light = drawn.image - drawn.background.image(state.level)
    j, i, _ = item.core_pixels(_CORE)
    used = root_weight[j[bright], i[bright]] > 0
    noise = np.where(used, 1 / np.where(used, root_weight[j[bright], i[bright]], 1.0), 0.0)
    left = np.where(used, residual[j[bright], i[bright]] ** 2 - noise**2, 0.0).sum(axis=(1, 2))
    whole = np.where(used, light[j[bright], i[bright]] ** 2, 0.0).sum(axis=(1, 2))
    return np.asarray(np.sqrt(np.maximum(left, 0.0) / np.maximum(whole, np.finfo(np.float64).tiny)))


def reject(item: StarField, state: FittedField, image: FloatArray, weighing: Weighing) -> FittedField:
    """Drop stars whose core fits much worse than that of the others: blends, galaxies, cosmic rays."""
    if state.measured.size == 0:
        return state
    chi2 = np.log(core_chi2(item, state, image, weighing) + 1e-3)
    spread = 1.4826 * float(np.median(np.abs(chi2 - np.median(chi2))))
    keep: BoolArray = chi2 <= np.median(chi2) + 5 * max(spread, 0.1)
    return replace(state, measured=state.measured[keep], shift=state.shift[:, keep])


def advance(state: FittedField, change: FieldChange) -> FittedField:
    """Take over what a solution found in a field; the shifts move stars only in `centred`."""
    flux, level, shift = state.flux + change.flux, state.level + change.level, state.shift + change.shift
    return replace(state, flux=flux, level=level, shift=shift)


def centred(fields: list[StarField], states: list[FittedField]) -> list[FittedField]:
    """Take the common shift of all measured stars out of their positions: it belongs to the PSF.

    The common shift is the mean of those of the fields, so that every exposure has one vote.
    """
    means = [_mean_shift(state) for state in states if state.measured.size]
    common = np.mean(means, axis=0)[:, None]
    return [_moved(item, state, state.shift - common) for item, state in zip(fields, states, strict=True)]


def _mean_shift(state: FittedField) -> FloatArray:
    """Mean shift (x, y) of the measured stars, weighted by their fluxes."""
    return np.asarray(np.average(state.shift, axis=1, weights=np.abs(state.flux[state.measured])))


def _moved(item: StarField, state: FittedField, shift: FloatArray) -> FittedField:
    """Positions after a shift: that of each measured star, and their median for all others."""
    common = np.median(shift, axis=1) if shift.size else np.zeros(2)
    x, y = item.x + common[0], item.y + common[1]
    x[state.measured], y[state.measured] = (
        item.x[state.measured] + shift[0],
        item.y[state.measured] + shift[1],
    )
    return replace(state, x=x, y=y, shift=shift)
