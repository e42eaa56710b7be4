"""How the fluxes of crowded stars and the background trade with one another.

A pixel's light may be that of any star nearby or of the background. In a crowded field the normal matrix of
fluxes and levels is therefore far from diagonal, and an iteration that does not know it crawls. Near its
diagonal, with stars cut to their cores, the matrix is sparse and can be factored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array, eye_array, hstack
from scipy.sparse.linalg import SuperLU, splu

from loaders.psf.model import FloatArray
from loaders.psf.render import SplinePsf, Stars, columns

_CORE = 7
"""Half the width, in pixels, of the square that stars are cut to."""


@dataclass(frozen=True)
class SharedLight:
    """The factored normal matrix of the fluxes and levels of a field."""

    factors: SuperLU

    @classmethod
    def of(
        cls, root_weight: FloatArray, psf: SplinePsf, stars: Stars, levels: csc_array, prior: float
    ) -> SharedLight:
        """Factor the matrix.

        Parameters
        ----------
        root_weight
            Shape (ny, nx): one over the standard deviation of a pixel, zero where it is not used.
        psf
            The PSF.
        stars
            The n stars; their fluxes are the scale of the unknowns.
        levels
            Shape (ny nx, k): weighted images of the levels of the background.
        prior
            Weight that keeps unknowns which no pixel constrains.
        """
        cut = replace(stars, radius=np.minimum(stars.radius, _CORE))
        design = csc_array(hstack([columns(root_weight, psf, cut), levels], format="csc"))
        normal = (design.T @ design + prior**2 * eye_array(design.shape[1])).tocsc()
        options = {"SymmetricMode": True, "DiagPivotThresh": 0.0}
        return cls(splu(normal, permc_spec="MMD_AT_PLUS_A", options=options))

    def solve(self, right: FloatArray) -> FloatArray:
        """Fluxes and levels, shape (n + k,), whose light projects to ``right``."""
        return np.asarray(self.factors.solve(right))
