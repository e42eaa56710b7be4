"""How common redshifts and classes are among sources of deep slitless surveys."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_LN_CLASS = {"GALAXY": 0.0, "QSO": -4.0, "STAR": -1.5}
"""Logarithms of how common classes are, against galaxies."""

_SCALE = {"GALAXY": 0.9, "QSO": 2.0}
"""z0 of their redshifts."""

_FLOOR = 0.02
"""Density that is added everywhere."""

_STELLAR_RANGE = 0.004
"""In ln(1 + z): stars are within ± 600 km/s."""


def penalty(class_name: str, z: FloatArray) -> FloatArray:
    """-2 ln of the prior density in ln(1 + z), shape of z, to be added to chi-square.

    Galaxies and QSOs follow z² exp(-(z / z0)^1.5) (Smail et al. 1994, MNRAS 270, 245), and one in fifty
    anything else; stars have any velocity alike.
    """
    if class_name not in _SCALE:
        return np.full_like(z, -2 * (_LN_CLASS[class_name] - np.log(_STELLAR_RANGE)))
    x = np.maximum(z, 0.0) / _SCALE[class_name]
    density = 1.5 / _SCALE[class_name] * x**2 * np.exp(-(x**1.5)) * (1 + z) + _FLOOR
    return np.asarray(-2 * (np.log(density) + _LN_CLASS[class_name]))
