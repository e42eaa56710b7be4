"""Pixels of a difference far beyond its noise, without those that stars which change explain."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import numpy.typing as npt

from loaders.difference.matching import BoolArray, Difference
from loaders.difference.sources import SourceClass, significance_image
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.reference.kernels import Float32Array

#: Standard deviations beyond which a pixel is far.
FAR = 5.0

_LIT = 0.5
"""Standard deviations from which the light of a change counts: errors of its flux and shape do not make ten
times of it."""

_MAD_TO_SIGMA = 1.4826

_CHANGES = (SourceClass.NEW.value, SourceClass.VARIABLE.value)


def of_changes(
    difference: Difference,
    psf: EffectivePsf,
    sources: tuple[FloatArray, FloatArray, FloatArray],
    kind: npt.NDArray[np.str_] | npt.NDArray[np.object_],
    varies: BoolArray,
) -> BoolArray:
    """Mark the pixels that light which came or went explains, shape (ny, nx).

    Parameters
    ----------
    difference
        The difference of two images; pixel (0, 0) is the origin of the PSF.
    psf
        PSF of the image that the other was subtracted from.
    sources
        Places (x, y) in pixels and changes of flux of what was found in the difference, shape (n,) each.
    kind
        Shape (n,): `SourceClass` of each. What is `new` or `variable` came or went; the others are faults of
        the match or of the pixels, which a count of pixels is to show.
    varies
        Shape (n,): sources at objects that are known to vary, which count whatever their kind.
    """
    chosen = np.isin(kind, _CHANGES) | varies
    x, y, flux = (values[chosen].astype(np.float64) for values in sources)
    light = np.zeros(difference.data.shape)
    radius = np.full(x.size, int(psf.half_width), dtype=np.int64)
    if x.size:
        draw(light, SplinePsf.of(psf), Stars(x, y, np.abs(flux), radius))
    return np.asarray(difference.usable & (light > _LIT * np.sqrt(difference.variance)))


def far_pixels(difference: Difference, oversampling: int) -> BoolArray:
    """Mark the pixels beyond five standard deviations, shape (ny, nx).

    The noise of a super-sampled image is stated for stars. Where exposures lie at few places within their
    pixels, single fine pixels scatter by less or by more, according to where in a detector pixel they lie:
    those that scatter by more than others are held against as much more. What all scatter by is not asked:
    if it is more than the noise that is stated, pixels are far.

    Parameters
    ----------
    difference
        The difference.
    oversampling
        Fine pixels per detector pixel along an axis; 1 for exposures.
    """
    significance = significance_image(difference)
    phases = list(_phases(oversampling))
    scatter = np.array([_scatter(significance[part], difference.usable[part]) for part in phases])
    common = float(np.sqrt(np.mean(scatter**2)))
    limit = FAR * np.maximum(1, scatter / common if common > 0 else 1)
    far = np.zeros(significance.shape, dtype=bool)
    for part, most in zip(phases, limit * np.ones(len(phases)), strict=True):
        far[part] = np.abs(significance[part]) > most
    return far & difference.usable


def fraction_beyond(difference: Difference, oversampling: int, changed: BoolArray | None = None) -> float:
    """Share of the pixels that are far, of those that count and have not changed; 0 if there are none."""
    rest = difference.usable if changed is None else difference.usable & ~changed
    return float(far_pixels(difference, oversampling)[rest].mean()) if rest.any() else 0.0


def _phases(oversampling: int) -> Iterator[tuple[slice, slice]]:
    """Fine pixels that lie at one place of a detector pixel."""
    for row, column in product(range(oversampling), repeat=2):
        yield slice(row, None, oversampling), slice(column, None, oversampling)


def _scatter(significance: Float32Array, usable: BoolArray) -> float:
    """Standard deviation of the middle of the pixels; 0 if there are none."""
    pull = np.abs(significance[usable])
    return _MAD_TO_SIGMA * float(np.median(pull)) if pull.size else 0.0
