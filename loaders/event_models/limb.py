"""How dark the limbs of sources are, by optical element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from loaders.stored_curve.band import FloatArray

#: Linear coefficients u of ``1 - u (1 - cos θ)``, from the tables of Claret & Bloemen (2011, A&A 529, A75): Z
#: for F087, the middle of H and K for F146, K for F213, as github.com/stelais/jasmine has them for Roman.
LIMB_DARKENING = {"F087": 0.45, "F146": 0.33, "F213": 0.25}

#: For elements that are not in it.
USUAL = 0.33

SIGMA = 0.3
"""By what share of that limbs are more or less dark, standard deviation: of stars of 3500 to 6500 K, as most
sources are."""


def coefficients(names: Sequence[str], limb: Mapping[str, float]) -> FloatArray:
    """Linear coefficients of elements, shape (n,)."""
    return np.array([limb.get(name, USUAL) for name in names], dtype=np.float64)
