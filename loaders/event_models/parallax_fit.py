"""A single lens whose light curve the motion of the telescope bends: annual parallax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loaders.event_models.curve import Band, FloatArray
from loaders.event_models.lens_fit import LensFit, Parameters, Points, fit_lens
from loaders.event_models.point_lens import PointLensFit, magnification
from loaders.lens.parallax import offsets, shifts

NAMES = ("t_0", "u_0", "ln t_E", "pi_E_N", "pi_E_E")

_PARAMETERS = Parameters(
    NAMES,
    np.array([1e-3, 1e-4, 1e-4, 1e-3, 1e-3]),
    np.array([-np.inf, -5.0, np.log(1e-2), -5.0, -5.0]),
    np.array([np.inf, 5.0, np.log(3e3), 5.0, 5.0]),
    np.array([5.0, 0.3, 0.5, 0.3, 0.3]),
)


@dataclass(frozen=True)
class ParallaxFit:
    """A fit with parallax.

    Parameters
    ----------
    fit
        Parameters in the order of `NAMES`; fluxes of source and blend.
    t_0_par
        Reference time, BJD (TDB): the frame moves as the Earth does then, as MulensModel has it.
    """

    fit: LensFit
    t_0_par: float


def fit_parallax(bands: Sequence[Band], ra: float, dec: float, start: PointLensFit) -> ParallaxFit:
    """Fit a single lens with parallax, beginning on both sides of the lens.

    Parameters
    ----------
    bands
        The light curves.
    ra, dec
        Degrees ICRS.
    start
        The fit without parallax.
    """
    points = Points.of(bands)
    moved = offsets(points.time, ra, dec, start.t_0)

    def model(parameter: FloatArray, time: FloatArray) -> FloatArray:
        t_0, u_0, ln_t_e, north, east = parameter
        tau, beta = shifts(moved, north, east)
        u = np.hypot((time - t_0) / np.exp(ln_t_e) + tau, u_0 + beta)
        return magnification(np.maximum(u, 1e-6))[None]

    begins = [
        np.array([start.t_0, side * start.u_0, np.log(start.t_E), north, 0.0])
        for side in (1, -1)
        for north in (-0.1, 0.1)
    ]
    fits = [fit_lens(points, model, _PARAMETERS, begin, 60) for begin in begins]
    return ParallaxFit(min(fits, key=lambda fit: fit.chi2), start.t_0)
