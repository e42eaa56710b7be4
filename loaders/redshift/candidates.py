"""Templates as a spectrum sees them at many redshifts: the same for all spectra with the same pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.redshift.igm import LYMAN_ALPHA, transmission
from loaders.redshift.kernels import pixel_means, smoothed
from loaders.redshift.least_squares import Block
from loaders.redshift.line_kernels import LineList, PixelGrid, Segments, line_segments
from loaders.redshift.lines import SPEED_OF_LIGHT, Line
from loaders.redshift.templates import LN_START, LN_STEP, TemplateSet

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_NARROW_KMS = 100.0
"""Dispersion of the gas in galaxies."""

_STAR = "STAR"
_SCAN_BROADENING = 1.6
"""Width of sources in the scan, by that of a point: lines 1 to 2.5 times as wide lose 5 % of their signal."""


@dataclass(frozen=True)
class Pixels:
    """Pixels of a spectrum.

    Parameters
    ----------
    low, high
        Shape (n,), edges in Å, vacuum, ascending.
    sigma_ln
        Shape (n,), dispersion of the line-spread function in the logarithm of the wavelength.
    """

    low: FloatArray
    high: FloatArray
    sigma_ln: FloatArray

    @property
    def middle(self) -> FloatArray:
        """Wavelengths, shape (n,)."""
        return np.asarray(0.5 * (self.low + self.high))

    @property
    def key(self) -> bytes:
        """What tells whether two spectra have the same pixels."""
        return self.low.tobytes() + self.high.tobytes() + self.sigma_ln.tobytes()

    def with_dispersion(self, kms: float) -> PixelGrid:
        """The pixels with the dispersion of lines that are themselves so wide (km/s)."""
        return PixelGrid(self.low, self.high, np.hypot(self.sigma_ln, kms / SPEED_OF_LIGHT))

    def bins(self, width: float) -> IntArray:
        """Number of the bin of each pixel, shape (n,), bins being so wide in ln(wavelength) at most."""
        if width == 0.0:
            return np.arange(self.low.size)
        far = np.log(self.middle / self.middle[0]) // width
        return np.cumsum(np.diff(far, prepend=0.0) > 0)

    def joined(self, bins: IntArray) -> Pixels:
        """Bins as pixels."""
        begin = np.flatnonzero(np.diff(bins, prepend=-1))
        end = np.append(begin[1:], bins.size) - 1
        return Pixels(self.low[begin], self.high[end], self.sigma_ln[begin])

    def broadened(self, factor: float) -> Pixels:
        """As seen of a source so much larger than a point in the direction of dispersion."""
        return Pixels(self.low, self.high, self.sigma_ln * factor)


def pixels_of(wavelength: FloatArray, sigma_ln: FloatArray) -> Pixels:
    """Pixels about wavelengths (n,), Å, ascending; beside a gap they are as wide as their neighbours."""
    step = np.diff(wavelength)
    usual = np.interp(wavelength, wavelength, np.r_[step, step[-1]])
    usual = np.minimum(usual, 2 * np.median(step) * wavelength / np.median(wavelength))
    left, right = np.r_[step[0], step], np.r_[step, step[-1]]
    half = 2 * usual
    return Pixels(
        wavelength - 0.5 * np.minimum(left, half), wavelength + 0.5 * np.minimum(right, half), sigma_ln
    )


@dataclass(frozen=True)
class Candidates:
    """Templates of a class at each of m redshifts, on n pixels.

    Parameters
    ----------
    z, subclass
        Shape (m,): redshift, and the number of the continuum where one is fitted at a time (else -1).
    block
        What is fitted.
    """

    z: FloatArray
    subclass: IntArray
    block: Block

    def __len__(self) -> int:
        return int(self.z.size)

    def part(self, some: slice) -> Block:
        """Some of them, one after the other."""
        first, at, value = self.block.segments
        n_line = first.shape[1]
        mine = at[some.start * n_line : some.stop * n_line + 1]
        segments = Segments(first[some], mine - mine[0], value[mine[0] : mine[-1]])
        return self.block._replace(template=self.block.template[some], segments=segments)


def redshift_grid(templates: TemplateSet, pixels: Pixels) -> FloatArray:
    """Redshifts to try: in steps of the class, or of 0.9 of the dispersion of lines if that is smaller."""
    if templates.name == _STAR:
        step = min(templates.step, templates.z_max)
        return np.linspace(-templates.z_max, templates.z_max, 2 * int(np.ceil(templates.z_max / step)) + 1)
    step = templates.step
    if len(templates.groups) > 1:
        width = np.hypot(np.median(pixels.sigma_ln), _NARROW_KMS / SPEED_OF_LIGHT)
        step = float(np.clip(0.9 * width, 2e-4, templates.step))
    number = int(np.ceil(np.log1p(templates.z_max) / step))
    return np.asarray(np.expm1(step * np.arange(number + 1)))


def scan_candidates(templates: TemplateSet, pixels: Pixels) -> Candidates:
    """Candidates of the whole range of redshifts."""
    if len(templates.groups) > 1:
        pixels = pixels.broadened(_SCAN_BROADENING)
    z = redshift_grid(templates, pixels)
    if templates.name != _STAR:
        return candidates_at(templates, pixels, z, np.full(z.size, -1, np.int64))
    kinds = np.arange(len(templates.subclasses))
    return candidates_at(templates, pixels, np.tile(z, kinds.size), np.repeat(kinds, z.size))


def candidates_at(templates: TemplateSet, pixels: Pixels, z: FloatArray, subclass: IntArray) -> Candidates:
    """Candidates of some redshifts; shapes (m,)."""
    bins = pixels.bins(templates.sampling)
    wavelength, mixture = templates.lines
    segments = line_segments(pixels.with_dispersion(_NARROW_KMS), 1 + z, wavelength)
    template = continua(templates, pixels.joined(bins), z, subclass)
    return Candidates(z, subclass, Block(template, bins, segments, mixture))


def continua(templates: TemplateSet, pixels: Pixels, z: FloatArray, subclass: IntArray) -> FloatArray:
    """Continua on pixels at some redshifts; shape (m, k, n)."""
    if templates.name != _STAR:
        return _continuum(templates.cumulative, pixels, z)
    each = [_continuum(templates.cumulative[[s]], pixels, z[i : i + 1]) for i, s in enumerate(subclass)]
    return np.concatenate(each)


def _continuum(cumulative: FloatArray, pixels: Pixels, z: FloatArray) -> FloatArray:
    """Continua on pixels, shape (m, k, n), of their integrals over wavelength."""
    template = pixel_means(pixels.low, pixels.high, 1 + z, cumulative, LN_START, LN_STEP)
    if pixels.low[0] < LYMAN_ALPHA * (1 + z.max()):
        template *= transmission(pixels.middle, np.maximum(z, 0.0))[:, np.newaxis, :]
    sigma = pixels.sigma_ln * pixels.middle / (pixels.high - pixels.low)
    return np.asarray(smoothed(template, sigma))


def lines_of(groups: Sequence[tuple[Line, ...]]) -> LineList:
    """Lines of groups, each with the number of its group."""
    lines = [(line.wavelength, line.ratio, k) for k, group in enumerate(groups) for line in group]
    columns = np.array(lines, np.float64).reshape(-1, 3).T
    return LineList(columns[0].copy(), columns[1].copy(), columns[2].astype(np.int64))


def blocks(number: int, size: int) -> Iterator[slice]:
    """Ranges of at most so many, one after the other."""
    for first in range(0, number, size):
        yield slice(first, min(first + size, number))
