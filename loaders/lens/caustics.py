"""Caustics and critical curves of two lenses, in the frame of `loaders.lens.binary_lens`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_ANGLES = 800
"""Phases at which critical curves are solved."""


def caustics(s: float, q: float, n_angle: int = _ANGLES) -> tuple[FloatArray, FloatArray]:
    """Points of the caustics of two lenses.

    Images are magnified without limit where ``m1 / (z - z1)² + m2 / (z - z2)² = exp(i φ)`` for some φ (Witt
    1990, A&A 236, 311): four roots a phase. The lens equation maps them onto the caustics.

    Parameters
    ----------
    s
        Separation of the lenses, Einstein radii.
    q
        Mass of the second lens over that of the first.
    n_angle
        Phases.

    Returns
    -------
    x, y
        Shape (4 n_angle,), Einstein radii from the centre of mass, in no order.

    Raises
    ------
    ValueError
        If s or q is not above zero.
    """
    if not (0 < s < np.inf and 0 < q < np.inf):
        raise ValueError(f"need s > 0 and q > 0, got s={s}, q={q}")
    m1, m2 = 1 / (1 + q), q / (1 + q)
    z1, z2 = -s * q / (1 + q), s / (1 + q)
    first, second = np.poly([z1, z1]), np.poly([z2, z2])
    lenses = np.polyadd(m1 * second, m2 * first)
    phases = np.exp(2j * np.pi * np.arange(n_angle) / n_angle)
    z = np.concatenate([np.roots(np.polysub(one * np.polymul(first, second), lenses)) for one in phases])
    zeta = z - m1 / np.conj(z - z1) - m2 / np.conj(z - z2)
    return zeta.real, zeta.imag
