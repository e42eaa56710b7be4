"""Galaxies in an image: Sersic profiles convolved with the effective PSF, in Fourier space.

The spectrum of profile times PSF is known to the highest frequency of the PSF's grid; sampling it in pixels
adds up the frequencies that differ by whole cycles per pixel. So the transform back has only as many points
as there are pixels, and a galaxy stands at its place within a pixel by a phase.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import fft

from loaders.injection.sersic import STEP, TRUNCATION, radial_table, stretch
from loaders.injection.sources import ArtificialSources
from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import cropped
from loaders.simulation.render import taper
from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
ComplexArray = npt.NDArray[np.complex128]

_TAPER = (12.0, 16.0)
"""Radii in pixels between which the wings take over from the core."""

_DARK = 1e-7
"""Part of the light below which frequencies of the PSF are left out: beyond the cut-off of the optics."""

_COMPACT = 48.0
"""Pixels from the centre to the end of a profile up to which it gets the wings of the PSF as a point does."""


@dataclass(frozen=True)
class Blur:
    """A PSF cut for galaxies.

    Compact ones are convolved with ``core``, and ``wings`` go on top as those of a point; large galaxies are
    convolved with ``whole``.
    """

    core: EffectivePsf
    wings: EffectivePsf
    whole: EffectivePsf

    @classmethod
    def of(cls, psf: EffectivePsf) -> Blur:
        """Cut a PSF; one that is narrow is all core."""
        if psf.half_width <= _TAPER[1]:
            return cls(psf, replace(psf, stamps=np.zeros_like(psf.stamps)), psf)
        weight = taper(psf, _TAPER)
        core = cropped(replace(psf, stamps=psf.stamps * weight), int(np.ceil(_TAPER[1])))
        return cls(core, replace(psf, stamps=psf.stamps * (1 - weight)), psf)


def reach(sources: ArtificialSources, jacobian: FloatArray) -> FloatArray:
    """Pixels from the centres to the ends of profiles, shape (n,); NaN for stars.

    ``jacobian`` of shape (n, 2, 2): arcsec east and north per pixel in x and y.
    """
    major = TRUNCATION * sources.half_light_radius / np.sqrt(sources.axis_ratio)
    # The smallest singular value: the direction in which a pixel is smallest on the sky.
    return np.asarray(major / np.linalg.svd(jacobian, compute_uv=False)[:, -1])


def is_compact(extent: FloatArray) -> npt.NDArray[np.bool_]:
    """Profiles that get the wings of the PSF as a point does; ``extent`` as `reach` gives it."""
    return np.asarray(extent <= _COMPACT)


def draw_galaxies(
    image: Float32Array,
    blur: Blur,
    galaxies: ArtificialSources,
    place: tuple[FloatArray, FloatArray, FloatArray],
    flux: FloatArray,
) -> None:
    """Add galaxies to an image; of compact ones the wings of the PSF are left out.

    Parameters
    ----------
    image
        Shape (ny, nx), changed in place.
    blur
        The PSF, in pixels of the image.
    galaxies
        The profiles; none is a star.
    place
        Pixels x and y, shape (n,), and the Jacobian there, shape (n, 2, 2), as `reach` takes it.
    flux
        Shape (n,): in the unit of the image.
    """
    x, y, jacobian = place
    extent = reach(galaxies, jacobian)
    compact = is_compact(extent)
    spectra = _Spectra(blur)
    for k in range(len(galaxies)):
        psf = blur.core if compact[k] else blur.whole
        half = int(np.ceil(extent[k] + psf.half_width)) + 1
        # The stamp holds all of the light: what left it would come in again on the other side.
        size = 2 * int(fft.next_fast_len(half, real=True))
        matrix = stretch(
            jacobian[k], galaxies.half_light_radius[k], galaxies.axis_ratio[k], galaxies.position_angle[k]
        )
        spectrum = spectra.at(bool(compact[k]), size, (x[k], y[k]))
        profile = (float(galaxies.sersic_n[k]), matrix)
        _place(image, _stamp(spectrum, profile, (x[k], y[k]), size), (x[k], y[k]), flux[k])


class _Spectra:
    """Spectra of a PSF by size of the stamp; of a PSF of one node each is computed once."""

    def __init__(self, blur: Blur) -> None:
        self._blur = blur
        self._known: dict[tuple[bool, int], ComplexArray] = {}

    def at(self, compact: bool, size: int, place: tuple[float, float]) -> ComplexArray:
        """Spectrum on the grid of the PSF, for stamps of some pixels, at a place of the image."""
        psf = self._blur.core if compact else self._blur.whole
        if psf.stamps.shape[:2] != (1, 1):
            return _spectrum(psf, size, place)
        if (compact, size) not in self._known:
            self._known[compact, size] = _spectrum(psf, size, place)
        return self._known[compact, size]


def _spectrum(psf: EffectivePsf, size: int, place: tuple[float, float]) -> ComplexArray:
    """Spectrum of a PSF, shape (oversampling times size, half of that and 1)."""
    side = size * psf.oversampling
    grid = np.zeros((side, side))
    grid[: psf.size, : psf.size] = psf.at(*place)
    grid = np.roll(grid, (-(psf.size // 2), -(psf.size // 2)), (0, 1))
    return np.asarray(fft.rfft2(grid) / psf.oversampling**2, dtype=np.complex128)


def _stamp(
    spectrum: ComplexArray, profile: tuple[float, FloatArray], place: tuple[float, float], size: int
) -> FloatArray:
    """Image of a galaxy of unit flux, shape (size, size), its centre in the pixel (size / 2, size / 2)."""
    sersic_n, matrix = profile
    oversampling = spectrum.shape[0] // size
    cycle = np.arange(size)[:, None] / size + np.arange(oversampling) - oversampling // 2
    shift = [float(value - np.rint(value)) + size // 2 for value in place]
    phases = [np.exp(-2j * np.pi * cycle * value) for value in shift]
    folded = np.empty((size, size // 2 + 1), dtype=np.complex128)
    _fold(spectrum, (radial_table().at(sersic_n), sersic_n, matrix), (cycle, phases[0], phases[1]), folded)
    return np.asarray(fft.irfft2(folded, s=(size, size)))


@compiled()
def _fold(
    spectrum: ComplexArray,
    profile: tuple[FloatArray, float, FloatArray],
    grid: tuple[FloatArray, ComplexArray, ComplexArray],
    out: ComplexArray,
) -> None:
    """Multiply the spectra of PSF and profile, shift, and add up what pixels cannot tell apart."""
    radial, sersic_n, matrix = profile
    cycle, phase_x, phase_y = grid
    size, aliases = cycle.shape
    dark = _DARK * abs(spectrum[0, 0])
    for my in range(size):
        for mx in range(size // 2 + 1):
            total = 0j
            for ay in range(aliases):
                row = my + (ay - aliases // 2) * size
                for ax in range(aliases):
                    column = mx + (ax - aliases // 2) * size
                    # Of a real image half of the columns are kept: the others are their conjugates.
                    light = spectrum[row, column] if column >= 0 else np.conj(spectrum[-row, -column])
                    if abs(light.real) + abs(light.imag) < dark:
                        continue
                    fx, fy = cycle[mx, ax], cycle[my, ay]
                    u = matrix[0, 0] * fx + matrix[0, 1] * fy
                    v = matrix[1, 0] * fx + matrix[1, 1] * fy
                    value = _interpolate(radial, np.sqrt(u * u + v * v) / STEP, sersic_n)
                    total += value * light * (phase_x[mx, ax] * phase_y[my, ay])
            out[my, mx] = total


@compiled(fastmath=True)
def _interpolate(radial: FloatArray, at: float, sersic_n: float) -> float:
    """Value of the table by cubic (Catmull-Rom) interpolation; beyond its end the power law of the cusp."""
    last = radial.size - 3
    if at >= last:
        return float(radial[last] * (last / at) ** (2 + 1 / sersic_n))
    i = int(at)
    t = at - i
    # The transform is even.
    a, b, c, d = radial[abs(i - 1)], radial[i], radial[i + 1], radial[i + 2]
    return float(b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))


def _place(image: Float32Array, stamp: FloatArray, place: tuple[float, float], flux: float) -> None:
    """Add the part of a stamp that lies on the image."""
    size = stamp.shape[0]
    left, low = (round(float(np.rint(value))) - size // 2 for value in place)
    ny, nx = image.shape
    i0, i1, j0, j1 = max(left, 0), min(left + size, nx), max(low, 0), min(low + size, ny)
    if i0 < i1 and j0 < j1:
        image[j0:j1, i0:i1] += np.float32(flux) * stamp[j0 - low : j1 - low, i0 - left : i1 - left].astype(
            np.float32
        )
