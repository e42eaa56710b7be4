"""Magnitudes of K and M dwarfs at the angular diameter of 1 mas, from their mean sequence."""

from __future__ import annotations

import numpy as np
from astropy import constants, units

from loaders.lens_physics.model import FloatArray

_DIAMETER = 2 * float((constants.R_sun / (10 * units.pc)).to_value(units.one) * units.rad.to(units.mas))
"""Diameter of the Sun at 10 pc, mas."""

_SEQUENCE = np.array(
    [
        [1.953, 0.853, 0.387, 0.091, 3.827, 0.813],
        [2.06, 0.879, 0.404, 0.094, 3.889, 0.797],
        [2.13, 0.920, 0.427, 0.098, 3.938, 0.783],
        [2.40, 1.013, 0.487, 0.109, 4.100, 0.755],
        [2.70, 1.182, 0.539, 0.123, 4.247, 0.713],
        [2.88, 1.272, 0.568, 0.132, 4.397, 0.701],
        [3.08, 1.420, 0.601, 0.148, 4.56, 0.669],
        [3.35, 1.519, 0.619, 0.164, 4.81, 0.630],
        [3.48, 1.632, 0.626, 0.171, 4.95, 0.615],
        [3.65, 1.766, 0.627, 0.190, 5.15, 0.588],
        [3.84, 1.886, 0.620, 0.208, 5.36, 0.544],
        [4.00, 2.005, 0.614, 0.222, 5.64, 0.501],
        [4.10, 2.089, 0.608, 0.227, 5.75, 0.482],
        [4.23, 2.173, 0.600, 0.234, 5.98, 0.446],
        [4.43, 2.306, 0.589, 0.244, 6.18, 0.421],
        [4.60, 2.420, 0.579, 0.252, 6.55, 0.361],
        [5.00, 2.680, 0.558, 0.269, 7.10, 0.300],
        [5.25, 2.831, 0.557, 0.280, 7.36, 0.274],
        [5.65, 3.073, 0.564, 0.301, 7.93, 0.217],
        [5.95, 3.278, 0.580, 0.312, 8.20, 0.196],
        [6.50, 3.664, 0.588, 0.329, 8.80, 0.156],
        [7.10, 4.10, 0.605, 0.352, 9.22, 0.137],
    ]
)
"""V-K, V-I, J-H, H-K, M_K and radius (of the Sun's) of K0 to M6 dwarfs: Pecaut & Mamajek (2013, ApJS 208, 9),
as their table was in 2022, without K9, whose F087 - F146 is that of K8."""


def dwarfs_of_one_mas() -> dict[str, FloatArray]:
    """Magnitudes V, I, J, H and K (Vega) of dwarfs that are 1 mas wide, shape (n,), from K0 to M6."""
    v_k, v_i, j_h, h_k, m_k, radius = _SEQUENCE.T
    k = m_k + 5 * np.log10(_DIAMETER * radius)
    return {"V": k + v_k, "I": k + v_k - v_i, "J": k + h_k + j_h, "H": k + h_k, "K": k}
