"""A single lens whose light curve the motion of the telescope bends: annual parallax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loaders.event_models.descent import fit_lens
from loaders.event_models.kinds import POINT, View, curves_of, displacement_of, parameters_of, slopes_of
from loaders.event_models.lens_fit import LensFit, Points
from loaders.event_models.point_lens import PointLensFit
from loaders.event_models.sides import solutions
from loaders.stored_curve.band import Band, FloatArray

NAMES = POINT.names(True)


@dataclass(frozen=True)
class ParallaxFit:
    """A fit with parallax.

    Parameters
    ----------
    fit
        Parameters in the order of `NAMES`; fluxes of source and blend.
    twins
        Other fits that are nearly as good, such as that of the other side of the lens.
    t_0_par
        Reference time, BJD (TDB): the frame moves as the Earth does then, as MulensModel has it.
    """

    fit: LensFit
    twins: tuple[LensFit, ...]
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
    moved = displacement_of(points, ra, dec, start.t_0)
    view = View(points, moved, np.zeros(len(points.names)), 0.0)
    begins = [
        np.array([start.t_0, side * start.u_0, np.log(start.t_E), north, 0.0])
        for side in (1, -1)
        for north in (-0.1, 0.1)
    ]
    best, *twins = solutions(_fit(view, begin) for begin in begins)
    return ParallaxFit(best, tuple(twins), start.t_0)


def _fit(view: View, begin: FloatArray) -> LensFit:
    """A fit from one place."""
    parameters = parameters_of(POINT, begin)
    slopes = slopes_of(POINT, view, parameters.step)
    return fit_lens(view.points, curves_of(POINT, view), parameters, begin, 60, slopes)
