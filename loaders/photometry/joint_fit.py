"""The fluxes of all stars of an image as one weighted least-squares problem.

The image is cut into tiles. Each tile solves, by a Cholesky factor that it keeps, for its own stars together
with those in a margin around it, and moves its own (restricted additive Schwarz: Cai & Sarkis 1999, SIAM J.
Sci. Comput. 21, 792). All tiles do so at once; the residual image then is brought up to date and the next
sweep begins, until no flux moves. Few sweeps suffice because a star hardly feels what is beyond the margin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.photometry.background import BackgroundSurface, block_means, block_medians
from loaders.photometry.noise import NoiseModel, invert_variance
from loaders.photometry.normal_matrix import (
    Factors,
    Stamps,
    Sums,
    TileResult,
    factor_tiles,
    fill_stamps,
    project,
    scatter,
    solve_tiles,
    step_length,
    sum_weights,
)
from loaders.photometry.options import FitOptions
from loaders.photometry.parallel import Workers
from loaders.photometry.psf_table import BEFORE, STAMP, Float32Array, IntArray, Nodes, Planes, PsfTable
from loaders.photometry.scene import Canvas, Drawn, draw_stars
from loaders.photometry.tiling import Grid, build_tiles
from loaders.psf.model import FloatArray

FRAME = 8
"""Pixels of zeros around the image, so that no stamp needs to be cut."""

REACH = 1.5
"""Distance in pixels beyond the outermost pixel centres up to which a star's flux is fitted."""

_PSF_CELL = 10
"""Side in pixels of the cells within which all stamps are made with one PSF."""

_CLIP = 4.0
"""Standard deviations at which a residual is held when the background is fitted."""

_LEAST_SEEN = 1e-3
"""Share of the information of a complete stamp below which only a bright star is fitted."""

_CERTAIN = 5.0
"""Signal-to-noise ratio from which a star is fitted however little of it is seen."""

_HELD_ROUNDS = 3
"""Times that the background is fitted where all fluxes are held."""

_WHOLE = 0.9
"""Best length of a step, in steps, from which it is taken whole."""

_MAX_WEIGHTINGS = 4
"""Times that the weights are computed; the second is the last unless fluxes were unknown to begin with."""


@dataclass(frozen=True)
class Field:
    """What is fitted.

    Parameters
    ----------
    data
        Shape (ny, nx): the image, 0 where it is not usable.
    usable
        Shape (ny, nx): pixels that count.
    noise
        Their noise.
    table
        The PSF.
    origin
        Detector coordinates (x, y) of pixel (0, 0).
    """

    data: Float32Array
    usable: npt.NDArray[np.bool_]
    noise: NoiseModel
    table: PsfTable
    origin: tuple[float, float]


class JointFit:
    """The joint fit of the fluxes of stars with given positions; stars are sorted by tile.

    Parameters
    ----------
    field
        Image, noise and PSF.
    stars
        Positions and first guesses of the fluxes, shape (3, n): x, y, flux; within `REACH` of the image and
        in the order of `sort_by_tile`.
    fixed
        Stars whose flux is held, shape (3, m); they may lie anywhere.
    options
        Options of the fit.
    workers
        Threads.
    """

    def __init__(
        self, field: Field, stars: FloatArray, fixed: FloatArray, options: FitOptions, workers: Workers
    ) -> None:
        self.field, self.options, self.workers = field, options, workers
        self.x, self.y, self.flux = stars[0].copy(), stars[1].copy(), stars[2].copy()
        self.count = self.x.size
        self._fixed = fixed
        self._held: npt.NDArray[np.bool_] | None = None
        grid = Grid(field.data.shape, options.tile_size)
        self.tiles, self.colours = build_tiles(grid, self.x, self.y, options.margin), grid.colours()
        self.cell, self.psf = _psf_cells(field, self.x, self.y)
        self._place_stamps()
        self._allocate()
        spacing = options.background_spacing
        self._surface = None if spacing is None else BackgroundSurface(field.data.shape, spacing)
        self.background = np.zeros(field.data.shape, dtype=np.float32)
        empty = np.full(field.data.shape, np.median(field.data[field.usable]))
        deviation = np.sqrt(np.median(field.noise.variance(empty)[field.usable]))
        self._floor = options.wing_tolerance * float(deviation)
        self._draw_all()
        self._guess_background()

    @property
    def inner_residual(self) -> Float32Array:
        """Data minus model without the frame, shape (ny, nx); a view."""
        return self.residual[FRAME:-FRAME, FRAME:-FRAME]

    @property
    def inner_weight(self) -> Float32Array:
        """Inverse variances without the frame, 0 where unusable, shape (ny, nx); a view."""
        return self.weight[FRAME:-FRAME, FRAME:-FRAME]

    @property
    def flux_variance(self) -> FloatArray:
        """Marginal variance of every flux, shape (n,); NaN where it could not be told from its neighbours."""
        # Tiles whose weights changed little keep their factors; their variances scale with the information.
        ratio = self._factored / np.where(self.sums.information > 0, self.sums.information, np.nan)
        return np.asarray(self.result.variance * ratio, dtype=np.float64)

    def run(self) -> None:
        """Sweep until no flux moves, weigh again with the fitted model, and repeat if that changed much."""
        for _ in range(_MAX_WEIGHTINGS):
            if not self.weigh():
                break
            self._sweep_until_still()

    def weigh(self) -> bool:
        """Compute weights from the model and the factors of the tiles that changed; whether any did."""
        self._weigh_pixels()
        self._hold()
        moved = np.abs(self.sums.information - self._factored) > (
            self.options.reweight_tolerance * self.sums.information
        )
        which = np.flatnonzero(
            np.add.reduceat(np.append(moved, 0), self.tiles.own[:-1]) * np.diff(self.tiles.own)
        )
        if which.size == 0:
            return False
        self._factor(which)
        return True

    def _weigh_pixels(self) -> None:
        """Compute weights from the model, and the sums over them."""
        noise, data = self.field.noise, self.field.data
        scale = np.broadcast_to(np.asarray(noise.scale, dtype=np.float32), data.shape)
        images = (data, self.inner_residual, self.field.usable, scale)
        self.workers.run(invert_variance, len(data), images, (noise.read, noise.poisson), self.inner_weight)
        self.workers.run(sum_weights, self.count, self.stamps, self.weight, self.sums)

    def run_held(self) -> None:
        """Fit the background alone, all fluxes held at what was given; the weights follow the model."""
        response = np.zeros_like(self.background)
        for _ in range(_HELD_ROUNDS):
            self._weigh_pixels()
            if self._surface is None:
                return
            self._surface.update(*block_means(self.inner_residual, self.inner_weight, response, _CLIP))
            self._move_background()

    def changes(self) -> tuple[FloatArray, FloatArray]:
        """By how much each star alone would have to change to fit best, the others being held.

        Returns
        -------
        change, variance : ndarray
            Shape (n,): change of the flux, and its variance; NaN where no pixel informs it.
        """
        self._weigh_pixels()
        self.workers.run(project, self.count, self.stamps, self.weight * self.residual, self._gradient)
        information = self.sums.information.astype(np.float64)
        known = information > 0
        variance = np.where(known, 1 / np.where(known, information, 1), np.nan)
        return np.asarray(self._gradient * variance), variance

    def _hold(self) -> None:
        """Hold the stars of which too little is seen: their flux would be noise, drawn far around them."""
        if self._held is None:
            complete = np.einsum("sji,sji->s", self.stamps.value, self.stamps.value)
            level = np.median(self.weight[self.weight > 0])
            unseen = self.sums.information < _LEAST_SEEN * complete * level
            self._held = unseen & (np.abs(self.flux) * np.sqrt(self.sums.information) < _CERTAIN)
        self.sums.scale[self._held] = 0

    def move(self, dx: FloatArray, dy: FloatArray) -> None:
        """Move the stars by offsets in pixels and draw them anew; the weights must be computed again."""
        self.x += dx
        self.y += dy
        self._place_stamps()
        self._factored[:] = -1
        self._draw_all()

    def hold(self, fixed: FloatArray) -> None:
        """Hold other stars than those held so far, shape (3, m), and bring the residual up to date."""
        self.residual += self.light_of(self._fixed) - self.light_of(fixed)
        self._fixed = fixed

    def light_of(self, stars: FloatArray) -> Float32Array:
        """The light of stars, shape (3, m): x, y and flux, in an image with a frame."""
        canvas = Canvas(np.zeros_like(self.residual), FRAME, self.field.origin)
        self._draw(canvas, stars[0], stars[1], stars[2])
        return canvas.image

    def wings(self) -> Float32Array:
        """The light of the stars outside of their stamps, in an image with a frame."""
        canvas = Canvas(np.zeros_like(self.residual), FRAME, self.field.origin)
        self._draw(canvas, self.x, self.y, self.flux, skip_stamp=True)
        return canvas.image

    def _place_stamps(self) -> None:
        row = np.floor(self.y).astype(np.int64) - BEFORE + FRAME
        column = np.floor(self.x).astype(np.int64) - BEFORE + FRAME
        self.stamps = Stamps(np.empty((self.count, STAMP, STAMP), dtype=np.float32), row, column)
        arguments = ((self.x, self.y), self.cell, self.psf, self.stamps.value)
        self.workers.run(fill_stamps, self.count, *arguments)

    def _allocate(self) -> None:
        ny, nx = self.field.data.shape
        framed = (ny + 2 * FRAME, nx + 2 * FRAME)
        self.residual = np.zeros(framed, dtype=np.float32)
        self.weight = np.zeros(framed, dtype=np.float32)
        self._response = np.zeros(framed, dtype=np.float32)
        self._light = np.zeros(framed, dtype=np.float32)
        vector = [np.zeros(self.count, dtype=np.float32) for _ in range(8)]
        self.sums = Sums(vector[0], vector[1], vector[2])
        self.result = TileResult(vector[3], vector[4])
        self._gradient, self.step, self._factored = vector[5:8]
        # No star has this information: every tile is factored at first.
        self._factored[:] = -1
        size = np.diff(self.tiles.start)
        start = np.concatenate([[0], np.cumsum(size * (size + 1) // 2)]).astype(np.int64)
        self._factors = Factors(np.empty(start[-1], dtype=np.float32), start)

    def _draw_all(self) -> None:
        """Set the residual to the data minus background and all stars."""
        model = Canvas(np.zeros_like(self.residual), FRAME, self.field.origin)
        self._draw(model, self._fixed[0], self._fixed[1], self._fixed[2])
        self._draw(model, self.x, self.y, self.flux, skip_stamp=True)
        self._scatter(self.flux.astype(np.float32), model.image)
        self.inner_residual[:] = self.field.data - self.background - model.image[FRAME:-FRAME, FRAME:-FRAME]
        self._winged = self.flux.copy()

    def _guess_background(self) -> None:
        if self._surface is not None:
            quantile = 0.5 if 2 * np.count_nonzero(self.flux) >= self.count else 0.25
            self._surface.update(*block_medians(self.inner_residual, self.field.usable, quantile))
            self._move_background()

    def _draw(
        self, canvas: Canvas, x: FloatArray, y: FloatArray, flux: FloatArray, skip_stamp: bool = False
    ) -> None:
        table = self.field.table
        reach = table.radius(flux, self._floor), table.cubic_radius(flux, self._floor)
        draw_stars(canvas, table, Drawn(x, y, flux, *reach), self.workers, skip_stamp)

    def _scatter(self, amount: Float32Array, image: Float32Array) -> None:
        for colour in self.colours:
            self.workers.run(scatter, colour.size, colour, self.tiles.own, self.stamps, amount, image)

    def _factor(self, which: IntArray) -> None:
        weights = (self.weight, self.sums)
        arguments = (which, (self.tiles, self.stamps), weights, self._factors, self.result)
        self.workers.run(factor_tiles, which.size, *arguments)
        own = np.zeros(self.count, dtype=bool)
        for tile in which:
            own[self.tiles.own[tile] : self.tiles.own[tile + 1]] = True
        self._factored[own] = self.sums.information[own]
        self._response[:] = 0
        self._scatter(self.result.sky, self._response)

    def _sweep_until_still(self) -> None:
        for _ in range(self.options.max_sweeps):
            self._sweep()
            self._follow_wings()
            still = np.abs(self.step) <= self.options.tolerance * np.sqrt(self.result.variance)
            self._follow_background()
            if still[np.isfinite(self.result.variance)].all():
                break

    def _sweep(self) -> None:
        self.workers.run(project, self.count, self.stamps, self.weight * self.residual, self._gradient)
        arguments = (self.tiles, self._factors, self.sums.scale, self._gradient, self.step)
        self.workers.run(solve_tiles, self.tiles.margin.size, *arguments)
        self._descend()

    def _descend(self) -> None:
        """Take the step of all tiles, or the part of it that lowers chi-square most.

        Where stars of neighbouring tiles are hard to tell apart, the steps of the tiles together overshoot.
        """
        self._light[:] = 0
        self._scatter(self.step, self._light)
        part = step_length(self.residual, self.weight, self._light)
        if part < _WHOLE:
            self.step *= np.float32(part)
            self._light *= np.float32(part)
        self.flux += self.step
        self.residual -= self._light

    def _apply(self, step: Float32Array) -> None:
        self.flux += step
        self._scatter(-step, self.residual)

    def _follow_wings(self) -> None:
        """Bring the light beyond the stamps up to date where it would show."""
        change = self.flux - self._winged
        beyond = self.field.table.envelope[min(STAMP // 2, self.field.table.envelope.size - 1)]
        which = np.flatnonzero(np.abs(change) * beyond > self._floor)
        if which.size:
            canvas = Canvas(self.residual, FRAME, self.field.origin)
            self._draw(canvas, self.x[which], self.y[which], -change[which], skip_stamp=True)
            self._winged[which] = self.flux[which]

    def _follow_background(self) -> None:
        if self._surface is None:
            return
        response = self._response[FRAME:-FRAME, FRAME:-FRAME]
        self._surface.update(*block_means(self.inner_residual, self.inner_weight, response, _CLIP))
        change = self._move_background()
        self._apply(-self.result.sky * self.at_stars(change))

    def _move_background(self) -> Float32Array:
        assert self._surface is not None
        new = self._surface.image()
        change = new - self.background
        self.inner_residual[:] -= change
        self.background = new
        return change

    def at_stars(self, image: Float32Array) -> Float32Array:
        """Value of an image in the pixel of every star, the nearest one for stars off the image."""
        row = np.clip(np.rint(self.y).astype(np.int64), 0, image.shape[0] - 1)
        column = np.clip(np.rint(self.x).astype(np.int64), 0, image.shape[1] - 1)
        return np.asarray(image[row, column])


def sort_by_tile(field: Field, x: FloatArray, y: FloatArray, tile_size: int) -> IntArray:
    """Order of stars by tile, and within a tile by the cell in which they share a PSF."""
    shape = field.data.shape
    return np.lexsort((Grid(shape, _PSF_CELL).cell_of(x, y), Grid(shape, tile_size).cell_of(x, y)))


def _psf_cells(field: Field, x: FloatArray, y: FloatArray) -> tuple[IntArray, tuple[Planes, Nodes]]:
    """Cell of every star, and the PSF planes with the nodes around the centres of all cells."""
    grid = Grid(field.data.shape, _PSF_CELL)
    u, v = grid.centres()
    return grid.cell_of(x, y), (field.table.core, field.table.nodes(u + field.origin[0], v + field.origin[1]))
