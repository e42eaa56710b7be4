"""The kernel that makes a template look like an image, and the image less the template so matched.

Alard & Lupton (1998, ApJ 503, 325) fit the kernel by linear least squares; Bramich (2008, MNRAS 386, L77)
lets every pixel of it be free; Becker et al. (2012, MNRAS 425, 1341) hold it smooth. Here the template is
super-sampled, so that the kernel lives on its fine pixels and the image needs no resampling: each of its
pixels is compared with the template around the very place where it lies. An undersampled template cannot do
this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.ndimage import minimum_filter

from loaders.difference.kernels import cell_sums, convolve
from loaders.difference.surroundings import Surroundings
from loaders.photometry.background import BackgroundSurface, block_means
from loaders.photometry.image import PixelImage
from loaders.photometry.parallel import Workers, available_threads
from loaders.photometry.tiling import Grid
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.star_scale import compared, divided
from loaders.rejection import Rejected
from loaders.wfi.placement import Placement

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Template:
    """A super-sampled image that others are compared with.

    Parameters
    ----------
    coefficient
        Shape (ny, nx): spline coefficients of the flux in a detector pixel centred at each fine pixel.
    oversampling
        Fine pixels per detector pixel along an axis.
    variance
        Variance of the flux in a detector pixel without stars, and what a unit of rate adds to it.
    scale
        Shape (ny, nx): factor of that variance at each fine pixel, NaN where nothing is known of the sky;
        None where it is 1 everywhere.
    changing
        Shape (ny, nx): places of what is known to change, which says nothing of the kernel; None if none are.
    """

    coefficient: FloatArray
    oversampling: int
    variance: tuple[float, float]
    scale: Float32Array | None = None
    changing: BoolArray | None = None


@dataclass(frozen=True)
class MatchingOptions:
    """Options of `match_template`.

    Parameters
    ----------
    half_width
        Half width of the kernel in detector pixels.
    order
        Degree of the polynomials in x and y with which the kernel varies over the image.
    smoothness
        Weight of the kernel's squared differences from its neighbours, relative to the mean information.
    clip
        Standard deviations beyond which a pixel does not count in the second fit of the kernel: what changed
        is not to be matched.
    cell
        Side in pixels of the cells within which the kernel is constant while it is fitted; smaller in images
        that would have fewer than four of them along an axis, from which no change could be told.
    background_spacing
        Distance in pixels of the knots of the background; None to fit a constant only.
    threads
        Threads; None for all processors.
    memory
        Bytes for the template around the pixels; a larger image is matched some rows of cells at a time.
    """

    half_width: float = 1.5
    order: int = 1
    smoothness: float = 1e-6
    clip: float = 5.0
    cell: int = 64
    background_spacing: float | None = 128.0
    threads: int | None = None
    memory: int = 2**30


@dataclass(frozen=True)
class Difference:
    """An image less its matched template.

    Parameters
    ----------
    data
        Shape (ny, nx): difference, unit of the image; 0 where it is not usable.
    variance
        Shape (ny, nx): its variance: noise of the image at the light that the template says, and of the
        matched template.
    usable
        Shape (ny, nx): pixels that count.
    model
        Shape (ny, nx): the matched template with the background.
    kernel
        Shape (n, n): the kernel in the middle of the image, on the fine pixels of the template.
    kernel_sum
        Light of the image over that of the template, in the middle.
    template_share
        Share of the template in the variance of a pixel without stars.
    reduced_chi2
        Mean square of the difference over its variance, of the pixels within the clipping limit.
    """

    data: Float32Array
    variance: Float32Array
    usable: BoolArray
    model: Float32Array
    kernel: FloatArray
    kernel_sum: float
    template_share: float
    reduced_chi2: float


def match_template(
    image: PixelImage, place: Placement, template: Template, options: MatchingOptions | None = None
) -> Difference:
    """Match a template to an image and subtract it.

    Parameters
    ----------
    image
        The image; its noise includes the sky.
    place
        Map from its pixels to the fine pixels of the template.
    template
        The template.
    options
        Options; the defaults if None.

    Returns
    -------
    Difference

    Raises
    ------
    Rejected
        If the template reaches too few of the image's pixels to fit a kernel.
    """
    options = options or MatchingOptions()
    offsets = kernel_offsets(template.oversampling, options.half_width)
    shape, half = image.data.shape, round(offsets.max())
    with Workers(options.threads or available_threads()) as workers:
        around = Surroundings(template.coefficient, place, shape, half, options.memory, workers)
        scale = _scale_at(template, place, shape, half)
        usable = image.good_pixels() & around.reached() & np.isfinite(scale)
        _require(usable, around.count, image.name)
        steady = _steady(template, place, usable, around.count)
        fit = _Fit(image, (usable, steady), around, offsets, options, workers)
        for _ in range(3):
            fit.weigh()
            fit.solve()
        return fit.difference(template.variance, np.where(usable, scale, np.float32(1)))


def _scale_at(template: Template, place: Placement, shape: tuple[int, int], half: int) -> Float32Array:
    """Factor of the template's variance at each pixel of an image, shape (ny, nx).

    NaN where something within the reach of the kernel, ``half`` fine pixels, is not known.
    """
    if template.scale is None:
        return np.ones(shape, dtype=np.float32)
    known = minimum_filter(np.isfinite(template.scale), size=2 * half + 1, mode="constant", cval=False)
    scale = np.where(known, template.scale, np.float32(np.nan))
    inside, row, column = _nearest(place, shape, scale.shape)
    return np.where(inside, scale[row, column], np.float32(np.nan))


def _nearest(
    place: Placement, shape: tuple[int, int], fine: tuple[int, ...]
) -> tuple[BoolArray, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Whether each pixel of an image lies on the template, and the nearest row and column (0 if not)."""
    u, v = place.grid(np.arange(float(shape[1])), np.arange(float(shape[0])))
    column, row = np.rint(u).astype(np.int64), np.rint(v).astype(np.int64)
    inside = (column >= 0) & (column < fine[1]) & (row >= 0) & (row < fine[0])
    return inside, np.where(inside, row, 0), np.where(inside, column, 0)


def _steady(template: Template, place: Placement, usable: BoolArray, unknown: int) -> BoolArray:
    """Pixels that say what the kernel is, shape (ny, nx): without what changes, unless that is nearly all."""
    if template.changing is None:
        return usable
    inside, row, column = _nearest(place, usable.shape, template.changing.shape)
    steady = usable & ~(inside & template.changing[row, column])
    enough = max(_LEAST_STEADY * usable.sum(), _PIXELS_A_PARAMETER * unknown)
    return steady if steady.sum() >= enough else usable


def kernel_offsets(oversampling: int, half_width: float) -> FloatArray:
    """Offsets (u, v) of the pixels of a kernel, shape (n * n, 2), row by row."""
    half = int(np.floor(half_width * oversampling))
    steps = np.arange(-half, half + 1, dtype=np.float64)
    v, u = np.meshgrid(steps, steps, indexing="ij")
    return np.column_stack([u.ravel(), v.ravel()])


def _require(usable: BoolArray, unknown: int, name: str) -> None:
    count = int(usable.sum())
    if count < _PIXELS_A_PARAMETER * unknown:
        what = f"only {count} of its pixels lie on the template, too few for a kernel of {unknown - 1} pixels"
        raise Rejected(name, what, "Give a template of the same part of the sky", "no_overlap")


class _Fit:
    """The fit of one kernel: the state between its iterations."""

    def __init__(
        self,
        image: PixelImage,
        usable: tuple[BoolArray, BoolArray],
        around: Surroundings,
        offsets: FloatArray,
        options: MatchingOptions,
        workers: Workers,
    ) -> None:
        self.image, self.around, self.offsets = image, around, offsets
        self.usable, self.steady = usable
        self.options, self.workers = options, workers
        self.data = np.where(self.usable, image.data, 0).astype(np.float32)
        self.powers = np.array(
            [(i, j) for i in range(options.order + 1) for j in range(options.order + 1 - i)], dtype=np.float64
        )
        self.coefficient: FloatArray | None = None
        self.background = np.zeros_like(self.data)
        self.matched = np.zeros_like(self.data)
        self.variance = np.ones_like(self.data)
        self.weight = np.zeros_like(self.data)

    def weigh(self) -> None:
        """Weights from the model there is; at first all pixels weigh alike, as those without stars do."""
        if self.coefficient is None:
            level = np.full(self.data.shape, np.median(self.data[self.usable]))
            self.variance = self.image.noise.variance(level)
            light = np.abs(self.data - level) * self.image.noise.poisson
            self.variance = (self.variance + light).astype(np.float32)
            kept = self.steady & ~self._of_changed(self._template())
        else:
            self.variance = self.image.noise.variance(self.matched + self.background)
            residual = self.data - self.matched - self.background
            kept = self.steady & (residual**2 < self.options.clip**2 * self.variance)
            kept &= ~self._of_changed(self.matched)
        good = kept & (self.variance > 0)
        self.weight = np.where(good, 1 / np.where(good, self.variance, 1), 0).astype(np.float32)

    def _of_changed(self, predicted: Float32Array) -> BoolArray:
        """Pixels of stars that are far off what most have in common; none if they were most of the image.

        A kernel that is fitted to all would follow a bright star that varies, and all others would change.
        """
        deviation = float(np.sqrt(np.median(self.variance[self.usable])))
        number, count = divided(predicted - np.median(predicted[self.usable]), deviation)
        weight = np.where(self.usable, 1 / self.variance, 0).astype(np.float32)
        light = compared(number, count, self.data - self.background, weight, predicted)
        changed = light.of_changed(light.scale())
        return changed if changed[self.usable].mean() < _MOST_CHANGED else np.zeros_like(changed)

    def _template(self) -> Float32Array:
        """The template at the places of the pixels, as it is; shape (ny, nx)."""
        out = np.zeros_like(self.data)
        for rows, samples in self.around.bands(1):
            out[rows] = samples[:, :, len(self.offsets) // 2]
        return out

    def solve(self) -> None:
        """Fit the kernel with a constant, and then the background to what is left."""
        grid = Grid(self.data.shape, min(self.options.cell, -(-min(self.data.shape) // _LEAST_CELLS)))
        n, ny = self.around.count, len(self.data)
        matrix = np.zeros((grid.rows * grid.columns, n, n))
        right = np.zeros((len(matrix), n))
        value = (self.data - self.background).astype(np.float32)
        for rows, samples in self.around.bands(grid.size):
            cells = slice(rows.start // grid.size * grid.columns, -(-rows.stop // grid.size) * grid.columns)
            sums = matrix[cells], right[cells]
            images = value[rows], self.weight[rows]
            self.workers.run(cell_sums, len(sums[1]), (grid.size, grid.columns), images, samples, sums)
        self.coefficient = self._polynomials(grid, matrix, right)
        kernels = self.coefficient, self.powers
        for rows, samples in self.around.bands(grid.size):
            length, out = rows.stop - rows.start, self.matched[rows]
            self.workers.run(convolve, length, samples, kernels, (rows.start, ny), out)
        self.matched[~self.usable] = 0.0
        self._fit_background()

    def _polynomials(self, grid: Grid, matrix: FloatArray, right: FloatArray) -> FloatArray:
        """Coefficients of the kernel's polynomials from the sums of all cells, shape (n_term, n)."""
        ny, nx = self.data.shape
        x, y = grid.centres()
        u, v = 2 * np.minimum(x, nx - 1) / max(nx - 1, 1) - 1, 2 * np.minimum(y, ny - 1) / max(ny - 1, 1) - 1
        terms = u[:, None] ** self.powers[:, 0] * v[:, None] ** self.powers[:, 1]
        n, m = matrix.shape[-1], len(self.powers)
        system = np.einsum("ca,cb,cij->aibj", terms, terms, matrix).reshape(m * n, m * n)
        asked = np.einsum("ca,ci->ai", terms, right).ravel()
        scale = float(np.trace(matrix.sum(axis=0)[:-1, :-1])) / max(n - 1, 1)
        penalty = np.zeros((n, n))
        penalty[:-1, :-1] = _roughness(len(self.offsets)) + _FAINT * np.eye(n - 1)
        system += np.kron(np.eye(m), self.options.smoothness * scale * penalty)
        diagonal = np.sqrt(np.maximum(np.diag(system), np.finfo(float).tiny))
        factor = cho_factor(system / np.outer(diagonal, diagonal) + _RIDGE * np.eye(m * n))
        return np.asarray((cho_solve(factor, asked / diagonal) / diagonal).reshape(m, n))

    def _fit_background(self) -> None:
        if self.options.background_spacing is None:
            return
        surface = BackgroundSurface(self.data.shape, self.options.background_spacing)
        residual = (self.data - self.matched).astype(np.float32)
        surface.update(*block_means(residual, self.weight, np.zeros_like(residual), self.options.clip))
        self.background = surface.image()

    def difference(self, template: tuple[float, float], scale: Float32Array) -> Difference:
        """The result; of the template its variance, and the factor of it at each pixel."""
        assert self.coefficient is not None
        side = round(np.sqrt(len(self.offsets)))
        constant = int(np.flatnonzero((self.powers == 0).all(axis=1))[0])
        kernel = self.coefficient[constant, :-1].reshape(side, side)
        model = self.matched + self.background
        own = self.image.noise.variance(model)
        # The template's noise is nearly independent from fine pixel to fine pixel.
        passed = float((kernel**2).sum())
        light = np.maximum(self.matched, 0)
        of_template = passed * scale * (template[0] + template[1] * light)
        variance = np.where(self.usable, own + of_template, np.inf).astype(np.float32)
        data = np.where(self.usable, self.data - model, 0).astype(np.float32)
        kept = self.weight > 0
        empty = float(np.median(own[self.usable]))
        share = passed * template[0] * float(np.median(scale[self.usable]))
        return Difference(
            data=data,
            variance=variance,
            usable=self.usable,
            model=model.astype(np.float32),
            kernel=kernel,
            kernel_sum=float(kernel.sum()),
            template_share=share / (share + empty),
            reduced_chi2=float(np.mean(data[kept] ** 2 / variance[kept])),
        )


_MOST_CHANGED = 0.5
"""Share of an image that stars which have changed may cover, for the rest to say how it is matched."""

_PIXELS_A_PARAMETER = 20
"""Pixels for each unknown of a kernel, at least."""

_LEAST_STEADY = 0.5
"""Share of the usable pixels that must be steady for the others to be left out."""

_LEAST_CELLS = 4
"""Cells along an axis, at least."""

_RIDGE = 1e-12
"""Relative weight that keeps the system solvable where the template is empty."""

_FAINT = 1e-3
"""Weight of the kernel's squares relative to that of its squared differences."""


def _roughness(count: int) -> FloatArray:
    """Sum of squared differences of neighbouring pixels of a square kernel, as a matrix."""
    side = round(np.sqrt(count))
    step = np.diff(np.eye(side), axis=0)
    along = step.T @ step
    return np.asarray(np.kron(along, np.eye(side)) + np.kron(np.eye(side), along))
