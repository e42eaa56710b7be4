"""Magnification of a source over time, of every class of event."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.lens import binary_lens, parallax
from loaders.light_curve_simulation.lenses import Parameters
from loaders.simulation.lensing import uniform_disc_magnification

FloatArray = npt.NDArray[np.float64]

_ORDINARY = 30.0
"""Einstein times away from t_0 beyond which a binary lens is taken as a single one."""


def magnification(event: Parameters, bjd: FloatArray, ra: float, dec: float) -> FloatArray:
    """Magnification of the (first) source, a uniform disc.

    Parameters
    ----------
    event
        Parameters as `loaders.light_curve_simulation.lenses.draw_event` gives them.
    bjd
        Shape (n,): BJD (TDB).
    ra, dec
        Degrees ICRS.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    shift = _shift(event, bjd, ra, dec)
    x, y = binary_lens.trajectory(
        bjd, event["t_0"], event["u_0"], event["t_E"], event.get("alpha", 0.0), shift
    )
    u, rho = np.hypot(x, y), event["rho"]
    if "q" not in event:
        return uniform_disc_magnification(u, rho)
    near = u < _ORDINARY
    out = np.asarray(uniform_disc_magnification(u, rho))
    out[near] = binary_lens.magnification(x[near], y[near], event["s"], event["q"], rho)
    return out


def second_magnification(event: Parameters, bjd: FloatArray, ra: float, dec: float) -> FloatArray:
    """Magnification of the second source of a binary source, a point, shape (n,)."""
    shift = _shift(event, bjd, ra, dec)
    path = binary_lens.trajectory(bjd, event["t_0_2"], event["u_0_2"], event["t_E"], 0.0, shift)
    return uniform_disc_magnification(np.hypot(*path), 0.0)


def _shift(event: Parameters, bjd: FloatArray, ra: float, dec: float) -> tuple[FloatArray, FloatArray] | None:
    """What parallax adds to the path; None without parallax."""
    if not (event["pi_E_N"] or event["pi_E_E"]):
        return None
    seen = parallax.offsets(bjd, ra, dec, event["t_0_par"], "observer")
    return parallax.shifts(seen, event["pi_E_N"], event["pi_E_E"])
