"""How the PSF may be off in all exposures alike: patterns that are fitted as one common term.

The light of a star in a pixel is off by a share of it that depends on where the pixel lies from the star, is
the same for all stars and exposures, and changes over about a pixel: PSFs are no sharper. The share is
written as a sum of bilinear tents, a pixel apart, each of unknown height.
"""

from __future__ import annotations

import numpy as np

from loaders.psf.model import FloatArray

_REACH = 3.5
"""Pixels from a star within which its PSF may be off; beyond there is little light."""

_GRID = np.arange(-int(_REACH), int(_REACH) + 1)
_INSIDE = np.hypot(_GRID[:, None], _GRID[None, :]) <= _REACH

#: Number of patterns.
N_PATTERN = int(_INSIDE.sum())


def psf_patterns(light: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """What each pattern adds to pixels if the PSF is off by all of its light, shape (N_PATTERN, p).

    Parameters
    ----------
    light
        Shape (k, p): light of k stars in p pixels.
    x, y
        Shape (k, p): places of the pixels from the stars, pixels.
    """
    every = np.einsum("kp,kpj,kpi->jip", light, _tents(y), _tents(x))
    return np.ascontiguousarray(every[_INSIDE])


def _tents(at: FloatArray) -> FloatArray:
    """Tents along an axis, shape (k, p, n): squares sum to one, so that the variance is alike everywhere."""
    height = np.maximum(1 - np.abs(at[..., None] - _GRID), 0.0)
    below = at - np.floor(at)
    return np.asarray(height / np.sqrt(below**2 + (1 - below) ** 2)[..., None])
