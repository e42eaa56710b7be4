"""The wings of a PSF from the residuals around the brightest stars.

The wings hold some per cent of the light, spread over so many pixels that only the brightest stars show
them, and in a crowded field those of all stars lie on top of each other. Where the optics predict them
wrongly by a tenth, photometry of faint stars near bright ones is off by more than the noise. With the core
and the positions known (`loaders.psf.build`), the image is linear in the wings: their correction is a
Gaussian process as that of the core is (`loaders.psf.correction`). It is fitted together with the
background, which can imitate it far out, and with the fluxes of all stars: faint ones near a bright one
have taken what its wings lacked. Where the stars say nothing, the wings stay as predicted.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.sparse import csc_array
from scipy.sparse.linalg import LinearOperator, lsmr

from loaders.psf.correction import CorrectionSpace, correction_space
from loaders.psf.field import Background, StarField
from loaders.psf.fitted_field import FittedField, Weighing, model, weigh
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import SplinePsf, Stars, accumulate, columns, draw
from loaders.psf.scene import Wings

_OVERSAMPLING = 2
"""Grid steps per pixel of the correction: wings have no structure finer than the telescope passes."""

_TAPER = 3
"""Pixels inside the edge of the cores from which on the wings are corrected: cores are not measured there."""

_BRIGHTNESS = (0.5, 2.0)
"""Factor on the wings that is believed in one round."""

_WEAK = 1e-2
"""Weight, in their own errors, of the prior that keeps fluxes and levels of the background where they are."""

_BRIGHTNESS_SIGMA = 0.3
"""Standard deviation of the brightness of the wings before the data are seen."""


@dataclass(frozen=True)
class WingSettings:
    """How wings are fitted.

    Parameters
    ----------
    amplitude
        Standard deviation of the correction relative to the wings nearby.
    cutoff
        Highest frequency that the telescope passes, cycles per pixel.
    max_star
        So many of the brightest stars of a field are used.
    min_light
        Light beyond the core, in standard deviations of a pixel, that a star must shed into one to be used.
    iterations
        Iterations of the linear solver in each round.
    background_spacing
        Distance of the nodes of the background, pixels.
    model_error
        Error of the PSF, relative to the model, that is allowed for in the weights.
    outlier
        One round each: residual, in standard deviations, at which the weight of a pixel has fallen to a half.
        Wings that are quite wrong leave large residuals at first.
    """

    amplitude: float = 1.0
    cutoff: float = 1.4
    max_star: int = 1000
    min_light: float = 0.3
    iterations: int = 25
    background_spacing: float = 150.0
    model_error: float = 0.002
    outlier: tuple[float, ...] = (50.0, 6.0)


@dataclass(frozen=True)
class BuiltField:
    """A field, what the fit of a PSF found in it, and the core of that PSF."""

    field: StarField
    state: FittedField
    core: EffectivePsf


def fit_wings(
    built: list[BuiltField], wings: EffectivePsf, settings: WingSettings | None = None
) -> EffectivePsf:
    """Correct the wings that several fields share.

    Parameters
    ----------
    built
        Fields after `loaders.psf.build.build_psf`, whose cores are of one size; other windows of the detector
        may have other cores.
    wings
        The wings to correct, at one node, on the flux scale of the cores.

    Returns
    -------
    EffectivePsf
        Like ``wings``, with the mean of the cores in its middle, corrected from their edge on.
    """
    settings = settings or WingSettings()
    hole = int(built[0].core.half_width) - _TAPER
    wings = _around_cores(wings, [one.core for one in built])
    with ThreadPoolExecutor(min(len(built), os.cpu_count() or 1)) as pool:
        space = _space(wings, hole, settings)
        white = np.zeros(space.shape)
        for outlier in settings.outlier:
            problem = partial(_problem, wings=wings, settings=settings, outlier=outlier)
            design = _Design(list(pool.map(problem, built)), space, hole, pool)
            step, brightness = design.solve(white, settings.iterations)
            white += step
            wings = _corrected(wings, brightness, space.coefficients(step)[0], hole)
    return wings


def _around_cores(wings: EffectivePsf, cores: list[EffectivePsf]) -> EffectivePsf:
    """Put the mean of cores into the middle of wings."""
    stamps, size = wings.stamps.copy(), cores[0].size
    first = (wings.size - size) // 2
    inner = slice(first, first + size)
    stamps[..., inner, inner] = np.mean([core.stamps.mean(axis=(0, 1)) for core in cores], axis=0)
    return replace(wings, stamps=stamps)


@dataclass(frozen=True)
class _Problem:
    """What a field says of the wings.

    One over the standard deviation of the pixels, residuals, bright stars; the columns of the fluxes of all
    stars, of unit length; the background, and the lengths of the columns of its levels. Unknown besides the
    wings are fluxes, then levels.
    """

    root_weight: FloatArray
    residual: FloatArray
    bright: Stars
    light: csc_array
    background: Background
    norm: FloatArray

    @property
    def size(self) -> int:
        """Number of unknowns besides the wings."""
        return int(self.light.shape[1]) + self.norm.size

    def image(self, unknown: FloatArray) -> FloatArray:
        """Weighted light of the unknowns besides the wings."""
        n = self.light.shape[1]
        drawn = (self.light @ unknown[:n]).reshape(self.residual.shape)
        return np.asarray(drawn + self.root_weight * self.background.image(unknown[n:] / self.norm))

    def project(self, image: FloatArray) -> FloatArray:
        """The transpose of `image`."""
        levels = self.background.project(self.root_weight * image) / self.norm
        return np.concatenate([self.light.T @ image.ravel(), levels])

    def prior(self) -> FloatArray:
        """Weights of the priors of fluxes and levels."""
        weight = np.full(self.size, _WEAK)
        weight[-1] = 1 / (_BRIGHTNESS_SIGMA * self.norm[-1])
        return weight


def _problem(one: BuiltField, wings: EffectivePsf, settings: WingSettings, outlier: float) -> _Problem:
    """What a field says of the wings."""
    state = replace(one.state, level=np.append(one.state.level[:-1], 1.0))
    drawn, state = model(one.field, state, SplinePsf.of(one.core), Wings(wings), settings.background_spacing)
    weighing = Weighing(settings.model_error, outlier)
    residual, root_weight = weigh(one.field, drawn.image, weighing)
    beyond = _rings(wings, int(one.core.half_width)).max()
    bright = np.flatnonzero(state.flux * beyond > settings.min_light * one.field.noise())
    chosen = bright[np.argsort(-state.flux[bright])][: settings.max_star]
    radius = np.full(chosen.size, int(wings.half_width))
    stars = Stars(state.x[chosen], state.y[chosen], state.flux[chosen], radius)
    norm = np.maximum(drawn.background.lengths(root_weight**2), np.sqrt(np.median(root_weight**2)))
    light = _flux_columns(root_weight, one, drawn.stars)
    return _Problem(root_weight, residual, stars, light, drawn.background, norm)


def _flux_columns(root_weight: FloatArray, one: BuiltField, stars: Stars) -> csc_array:
    """Weighted images of all stars, as columns of unit length; zero for stars without a pixel.

    They are scaled in place: those of a detector's windows take some gigabytes.
    """
    light = columns(root_weight, SplinePsf.of(one.core), replace(stars, flux=np.ones(stars.flux.size)))
    star = np.repeat(np.arange(light.shape[1]), np.diff(light.indptr))
    length = np.sqrt(np.bincount(star, light.data**2, light.shape[1]))
    light.data /= np.where(length > 0, length, 1.0)[star]
    return light


def _rings(wings: EffectivePsf, radius: int) -> FloatArray:
    """Absolute values of the wings beyond a square."""
    offset = np.abs(np.arange(wings.size) - wings.size // 2) / wings.oversampling
    return np.asarray(np.abs(wings.stamps[0, 0])[np.maximum(offset[:, None], offset) > radius])


def _space(wings: EffectivePsf, hole: int, settings: WingSettings) -> CorrectionSpace:
    """Corrections of the wings on a coarse grid; none within the core, whose sum they may change."""
    step = wings.oversampling // _OVERSAMPLING
    middle = wings.size // 2
    grid = middle + step * np.arange(-(middle // step), middle // step + 1)
    stamp = wings.stamps[0, 0][np.ix_(grid, grid)].copy()
    offset = np.abs(np.arange(grid.size) - grid.size // 2) / _OVERSAMPLING
    stamp[np.maximum(offset[:, None], offset) < hole - 1] = 0.0
    amplitude, planes = (settings.amplitude,), np.ones((1, 1))
    return correction_space(stamp, _OVERSAMPLING, settings.cutoff, amplitude, planes, keep_sum=False)


class _Design:
    """The design matrix: pixels of all fields, then the priors; white unknowns, then those of each field."""

    def __init__(self, problems: list[_Problem], space: CorrectionSpace, hole: int, pool: Executor) -> None:
        self.problems, self.hole, self._pool = problems, hole, pool
        shape = (1, 1, *space.shape[-2:])
        self._empty = SplinePsf(np.zeros(shape), _OVERSAMPLING, np.zeros(1), np.zeros(1))
        self.space = space.conditioned(np.sum([self._information(one) for one in problems], axis=0))
        self.ends = np.cumsum([one.residual.size for one in problems])
        self.prior = np.concatenate([one.prior() for one in problems])
        self.field_ends = self.space.scale.size + np.cumsum([one.size for one in problems])

    def solve(self, white: FloatArray, iterations: int) -> tuple[FloatArray, float]:
        """White unknowns of the best correction beyond one made already, and a factor on all wings.

        The factor is the mean over the fields.
        A change of all wings together is improbable as a sum of independent ones: it has an unknown of its
        own, the last level of the background.
        """
        right = [(one.root_weight * one.residual).ravel() for one in self.problems]
        n_unknown = int(self.field_ends[-1])
        right_side = np.concatenate([*right, -white.ravel(), np.zeros(n_unknown - white.size)])
        shape = (right_side.size, n_unknown)
        operator = LinearOperator(shape, matvec=self._forward, rmatvec=self._backward)
        unknown = lsmr(operator, right_side, atol=1e-6, btol=1e-6, maxiter=iterations)[0]
        factors = [
            unknown[end - 1] / one.norm[-1] for end, one in zip(self.field_ends, self.problems, strict=True)
        ]
        return np.asarray(self.space.scale * self._white(unknown)), 1 + float(np.mean(factors))

    def _information(self, one: _Problem) -> FloatArray:
        squared = replace(one.bright, flux=one.bright.flux**2)
        return np.asarray(accumulate(one.root_weight**2, self._empty, squared)[0, 0])

    def _white(self, unknown: FloatArray) -> FloatArray:
        return unknown[: self.space.scale.size].reshape(self.space.shape)

    def _forward(self, unknown: FloatArray) -> FloatArray:
        scaled = self.space.scale * self._white(unknown)
        change = replace(self._empty, coefficients=self.space.coefficients(scaled)[None])

        def image(k: int) -> FloatArray:
            one = self.problems[k]
            wings = np.zeros(one.residual.shape)
            draw(wings, change, one.bright, hole=self.hole)
            rest = one.image(unknown[self.field_ends[k] - one.size : self.field_ends[k]])
            return np.asarray((one.root_weight * wings + rest).ravel())

        images = self._pool.map(image, range(len(self.problems)))
        return np.concatenate([*images, scaled.ravel(), self.prior * unknown[self.space.scale.size :]])

    def _backward(self, row: FloatArray) -> FloatArray:
        """The transpose of `_forward`."""

        def sums(k: int) -> tuple[FloatArray, FloatArray]:
            one = self.problems[k]
            part = row[self.ends[k] - one.residual.size : self.ends[k]]
            image = part.reshape(one.residual.shape)
            light = accumulate(one.root_weight * image, self._empty, one.bright, hole=self.hole)
            return light[0], one.project(image)

        lights, others = zip(*self._pool.map(sums, range(len(self.problems))), strict=True)
        prior = row[self.ends[-1] :]
        size = self.space.scale.size
        white = self.space.project(np.sum(lights, axis=0)) + prior[:size].reshape(self.space.shape)
        return np.concatenate(
            [(self.space.scale * white).ravel(), np.concatenate(others) + self.prior * prior[size:]]
        )


def _corrected(wings: EffectivePsf, brightness: float, coefficients: FloatArray, hole: int) -> EffectivePsf:
    """Scale the wings beyond a square and add a correction of given spline coefficients, framed by one."""
    offset = (np.arange(wings.size) - wings.size // 2) / wings.oversampling
    place = offset * _OVERSAMPLING + (coefficients.shape[0] - 1) / 2
    at = np.meshgrid(place, place, indexing="ij")
    change = map_coordinates(coefficients, at, order=3, prefilter=False, mode="constant")
    distance = np.maximum(np.abs(offset)[:, None], np.abs(offset))
    change += (float(np.clip(brightness, *_BRIGHTNESS)) - 1) * wings.stamps[0, 0]
    change[distance <= hole] = 0.0
    return replace(wings, stamps=wings.stamps + change)
