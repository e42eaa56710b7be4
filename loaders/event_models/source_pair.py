"""How much less two sources are to be believed the more unlike they are in brightness and colour."""

from __future__ import annotations

import numpy as np

from loaders.stored_curve.band import FloatArray

_USUAL = 0.1
"""Ratio of fluxes above which a companion is as good as any other."""

_LEAST = 1e-4
"""Least ratio that is told from none."""

_LIKE = 0.2 * np.log(10)
"""Scatter of the ratio between elements, as a share of it: 0.2 dex, half a magnitude of colour."""

_MOST_COLOUR = 9.0
"""Most that colours count: a star behind the other is no companion."""


def unlikeness(flux: FloatArray, error: FloatArray) -> float:
    """What the prior of a pair of sources adds to chi-square.

    A companion is seen if the lens passes it as near as it is faint: the chance goes with the ratio of
    the fluxes (Gaudi 1998, ApJ 506, 533); a pair that is born together has nearly one colour, whereas the
    light of a planet has the colour of the source.

    Parameters
    ----------
    flux
        Shape (n_element, 2): of the sources, nJy.
    error
        Shape (n_element, 2): standard errors; NaN where not known, and then colours do not count.

    Returns
    -------
    float
        0 for a companion of a tenth of the light or more, of the same colour.
    """
    certainty = np.sum(flux, axis=1) / np.sum(error, axis=1)
    main = int(np.argmax(np.where(np.isfinite(certainty), certainty, -np.inf)))
    bright, faint = (1, 0) if flux[main, 1] > flux[main, 0] else (0, 1)
    with np.errstate(all="ignore"):
        ratio, scatter = flux[:, faint] / flux[:, bright], error[:, faint] / flux[:, bright]
    usual = max(float(ratio[main]), _LEAST)
    off = (ratio - usual) ** 2 / (scatter**2 + scatter[main] ** 2 + (_LIKE * usual) ** 2)
    others = np.delete(off, main)
    colour = min(float(np.sum(others[np.isfinite(others)])), _MOST_COLOUR)
    return colour - 2 * float(np.log(min(usual / _USUAL, 1.0)))
