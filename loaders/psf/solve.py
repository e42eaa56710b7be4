"""One weighted linear least-squares problem for a PSF correction and everything that trades with it.

Unknown are the correction of the PSF, the flux of every star, the background of every field and, if asked,
the positions of the stars that measure the PSF. Solved jointly, an error of the PSF cannot hide in fluxes;
LSMR (Fong & Saunders 2011, SIAM J. Sci. Comput. 33, 2950) needs only the products with the design matrix
and with its transpose, which are images drawn and images summed over stars.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array, hstack
from scipy.sparse.linalg import LinearOperator, lsmr

from loaders.psf.correction import CorrectionSpace
from loaders.psf.field import Background, IntArray
from loaders.psf.model import FloatArray
from loaders.psf.render import SplinePsf, Stars, accumulate, columns, draw

_ALONG_X, _ALONG_Y = (0, 1), (1, 0)
_WEAK = 1e-2
"""Weight, in their own errors, of the prior that keeps fluxes and levels where no pixel constrains them."""


@dataclass(frozen=True)
class FieldProblem:
    """The part of the problem that one field adds.

    Parameters
    ----------
    root_weight
        Shape (ny, nx): one over the standard deviation of a pixel, zero where it isn't used.
    residual
        Shape (ny, nx): data minus current model, finite everywhere.
    stars
        All stars with their current fluxes and positions.
    measured
        Shape (m,): indices of the stars that measure the PSF.
    background
        The background.
    moved
        Shape (2, m): current shifts of the measured stars along x and y, pixels.
    """

    root_weight: FloatArray
    residual: FloatArray
    stars: Stars
    measured: IntArray
    background: Background
    moved: FloatArray

    def subset(self) -> Stars:
        """The stars that measure the PSF."""
        s, k = self.stars, self.measured
        return Stars(s.x[k], s.y[k], s.flux[k], s.radius[k])


@dataclass(frozen=True)
class FieldChange:
    """Changes of the fluxes (n,), background levels (k,) and positions (2, m) of one field."""

    flux: FloatArray
    level: FloatArray
    shift: FloatArray


@dataclass(frozen=True)
class JointProblem:
    """A PSF correction and several fields.

    Parameters
    ----------
    psf
        The current PSF.
    space
        The space of corrections, conditioned for these data.
    white
        Shape of ``space.shape``: the correction made so far, in white unknowns.
    fields
        The fields.
    position_sigma
        Standard deviation, pixels, of the positions of the measured stars; zero if they are exact.
    """

    psf: SplinePsf
    space: CorrectionSpace
    white: FloatArray
    fields: list[FieldProblem]
    position_sigma: float

    def solve(self, iterations: int) -> tuple[FloatArray, list[FieldChange]]:
        """Least-squares changes of the white unknowns and of every field."""
        norms = [_norms(self.psf, field, self.position_sigma) for field in self.fields]
        with ThreadPoolExecutor(min(len(self.fields), os.cpu_count() or 1)) as pool:
            design = _Design(self, norms, pool)
            shape = design.right_side().size, design.size()
            operator = LinearOperator(shape, matvec=design.forward, rmatvec=design.backward)
            unknown = lsmr(operator, design.right_side(), atol=1e-6, btol=1e-6, maxiter=iterations)[0]
        white, parts = design.split(unknown)
        changes = [
            FieldChange(f / n.flux, b / n.level, s / n.shift)
            for (f, b, s), n in zip(parts, norms, strict=True)
        ]
        return self.space.scale * white, changes


def information(psf: SplinePsf, field: FieldProblem) -> FloatArray:
    """Information of a field on the coefficients of the PSF, summed over nodes, shape (size, size)."""
    stars = field.subset()
    weights = accumulate(field.root_weight**2, psf, replace(stars, flux=stars.flux**2))
    return np.asarray(weights.sum(axis=(0, 1)))


def _norms(psf: SplinePsf, field: FieldProblem, position_sigma: float) -> FieldChange:
    """Lengths of the columns of the design matrix, by which unknowns are scaled."""
    weight = field.root_weight**2
    j = np.clip(np.round(field.stars.y).astype(int), 0, weight.shape[0] - 1)
    i = np.clip(np.round(field.stars.x).astype(int), 0, weight.shape[1] - 1)
    typical = float(np.median(weight[weight > 0]))
    squared, sloped = _squares(psf)
    flux = np.sqrt(squared * np.maximum(weight[j, i], 1e-2 * typical))
    level = np.maximum(field.background.lengths(weight), np.sqrt(typical))
    k = field.measured
    shift = np.abs(field.stars.flux[k]) * flux[k] * np.sqrt(sloped / squared)
    shift = np.maximum(shift, 1 / max(position_sigma, 1e-6))
    return FieldChange(flux, level, np.stack([shift, shift]))


def _squares(psf: SplinePsf) -> tuple[float, float]:
    """Sums over pixels of the squared PSF and of its squared derivative, mean over phases and axes."""
    plane, step = psf.coefficients.mean(axis=(0, 1)), psf.oversampling
    slope_y, slope_x = np.gradient(plane)
    slope = float((slope_x**2 + slope_y**2).sum()) / 2
    return float((plane**2).sum()) / step**2, slope


class _Design:
    """The design matrix, as products with vectors of scaled unknowns.

    Rows are the pixels of all fields, then one for every unknown that has a prior. The columns of fluxes and
    shifts are kept as sparse matrices; each field is a task of its own for the threads.
    """

    def __init__(self, problem: JointProblem, norms: list[FieldChange], pool: Executor) -> None:
        self.problem, self.norms, self._pool = problem, norms, pool
        self.moving = problem.position_sigma > 0
        self._columns = list(pool.map(self._star_columns, problem.fields, norms))

    def _star_columns(self, field: FieldProblem, norm: FieldChange) -> csc_array:
        """Weighted images of scaled changes of all fluxes, then of the shifts along x and y."""
        psf, stars = self.problem.psf, field.subset()
        parts = [columns(field.root_weight, psf, replace(field.stars, flux=1 / norm.flux))]
        if self.moving:
            for axis, order in enumerate((_ALONG_X, _ALONG_Y)):
                moved = replace(stars, flux=stars.flux / norm.shift[axis])
                parts.append(columns(field.root_weight, psf, moved, order))
        return csc_array(hstack(parts, format="csc"))

    def size(self) -> int:
        """Number of unknowns."""
        return self.problem.white.size + sum(sum(self._lengths(k)) for k in range(len(self.norms)))

    def right_side(self) -> FloatArray:
        """Weighted residuals, then what the priors say of the unknowns as they are."""
        parts = [(field.root_weight * field.residual).ravel() for field in self.problem.fields]
        parts.append(-self.problem.white.ravel())
        for field, norm in zip(self.problem.fields, self.norms, strict=True):
            parts.append(np.zeros(norm.flux.size + norm.level.size))
            if self.moving:
                parts.append(-field.moved.ravel() / self.problem.position_sigma)
        return np.concatenate(parts)

    def split(
        self, unknown: FloatArray
    ) -> tuple[FloatArray, list[tuple[FloatArray, FloatArray, FloatArray]]]:
        """Unknowns as the white correction and, for each field, fluxes, levels and shifts."""
        at = self.problem.white.size
        white, parts = unknown[:at].reshape(self.problem.space.shape), []
        for k, norm in enumerate(self.norms):
            n, m, p = self._lengths(k)
            flux, level, shift = np.split(unknown[at : at + n + m + p], [n, n + m])
            parts.append((flux, level, shift.reshape(2, -1) if p else np.zeros_like(norm.shift)))
            at += n + m + p
        return white, parts

    def forward(self, unknown: FloatArray) -> FloatArray:
        """Weighted images of a change of the unknowns, and its weight in the priors."""
        problem, (white, parts) = self.problem, self.split(unknown)
        change = problem.space.coefficients(problem.space.scale * white).reshape(
            problem.psf.coefficients.shape
        )
        correction = replace(problem.psf, coefficients=change)

        def image(k: int) -> FloatArray:
            field, (flux, level, shift) = problem.fields[k], parts[k]
            light = field.background.image(level / self.norms[k].level)
            draw(light, correction, field.subset())
            stars = np.append(flux, shift) if self.moving else flux
            return np.asarray((field.root_weight * light).ravel() + self._columns[k] @ stars)

        images = self._pool.map(image, range(len(parts)))
        return np.concatenate([*images, (problem.space.scale * white).ravel(), *self._priors(parts)])

    def backward(self, row: FloatArray) -> FloatArray:
        """The transpose of `forward`."""
        problem, space = self.problem, self.problem.space
        ends = np.cumsum([field.residual.size for field in problem.fields])

        def sums(k: int) -> tuple[FloatArray, list[FloatArray]]:
            """Sums of one field: on the grid of the PSF, then over stars, levels and shifts."""
            field, norm = problem.fields[k], self.norms[k]
            part = row[ends[k] - field.residual.size : ends[k]]
            image = field.root_weight * part.reshape(field.residual.shape)
            flux, *shift = np.split(self._columns[k].T @ part, [norm.flux.size])
            found = [flux, field.background.project(image) / norm.level]
            return accumulate(image, problem.psf, field.subset()), found + shift * self.moving

        coefficients, parts = zip(*self._pool.map(sums, range(len(ends))), strict=True)
        nodes = np.sum(coefficients, axis=0).reshape(-1, *coefficients[0].shape[-2:])
        at = int(ends[-1])
        prior = row[at : at + problem.white.size].reshape(space.shape)
        white = space.scale * (space.project(nodes) + prior)
        return np.concatenate([white.ravel(), *self._add_priors(list(parts), row[at + problem.white.size :])])

    def _priors(self, parts: list[tuple[FloatArray, FloatArray, FloatArray]]) -> list[FloatArray]:
        """Rows of the priors of fluxes, levels and shifts."""
        rows = []
        for (flux, level, shift), norm in zip(parts, self.norms, strict=True):
            rows.append(_WEAK * np.concatenate([flux, level]))
            if self.moving:
                rows.append((shift / norm.shift / self.problem.position_sigma).ravel())
        return rows

    def _add_priors(self, parts: list[list[FloatArray]], row: FloatArray) -> list[FloatArray]:
        """The transpose of `_priors`, added to what the pixels say."""
        at, unknown = 0, []
        for sums, norm in zip(parts, self.norms, strict=True):
            n = norm.flux.size + norm.level.size
            unknown.append(np.concatenate(sums[:2]) + _WEAK * row[at : at + n])
            at += n
            if self.moving:
                prior = row[at : at + norm.shift.size] / norm.shift.ravel() / self.problem.position_sigma
                unknown.append(np.concatenate(sums[2:]) + prior)
                at += norm.shift.size
        return unknown

    def _lengths(self, k: int) -> tuple[int, int, int]:
        """Numbers of fluxes, levels and shifts of a field."""
        norm = self.norms[k]
        return norm.flux.size, norm.level.size, norm.shift.size if self.moving else 0
