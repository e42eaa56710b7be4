"""Magnification of a source over time, of every class of event."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.event_models.limb import LIMB_DARKENING, coefficients
from loaders.lens import binary_lens, disc, parallax
from loaders.light_curve_simulation.lenses import Parameters
from loaders.light_curve_simulation.orbits import lenses_at, source_shifts
from loaders.simulation.lensing import uniform_disc_magnification

FloatArray = npt.NDArray[np.float64]

_ORDINARY = 30.0
"""Einstein times away from t_0 beyond which a binary lens is taken as a single one."""


def magnification(
    event: Parameters, bjd: FloatArray, ra: float, dec: float, element: str | None = None
) -> FloatArray:
    """Magnification of the (first) source, a disc.

    Parameters
    ----------
    event
        Parameters as `loaders.light_curve_simulation.lenses.draw_event` gives them.
    bjd
        Shape (n,): BJD (TDB).
    ra, dec
        Degrees ICRS.
    element
        Optical element, in which its limb is as dark as the event says; None: the disc is uniform.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    shift = _shift(event, bjd, ra, dec)
    turns = "orbit_period" in event
    alpha: float | FloatArray = event.get("alpha", 0.0)
    if turns:
        s, alpha = lenses_at(event, bjd)
    x, y = binary_lens.trajectory(bjd, event["t_0"], event["u_0"], event["t_E"], alpha, shift)
    u, rho, limb = np.hypot(x, y), event["rho"], _limb(event, element)
    out = np.asarray(disc.magnification(u, rho, limb) if limb else uniform_disc_magnification(u, rho))
    if "q" not in event:
        return out
    near = u < _ORDINARY
    apart = s[near] if turns else event["s"]
    out[near] = binary_lens.magnification(x[near], y[near], apart, event["q"], rho, limb)
    return out


def _limb(event: Parameters, element: str | None) -> float:
    """Linear limb darkening of the source in an optical element."""
    usual = 0.0 if element is None else float(coefficients([element], LIMB_DARKENING)[0])
    return usual * event.get("limb_darkness", 0.0)


def second_magnification(event: Parameters, bjd: FloatArray, ra: float, dec: float) -> FloatArray:
    """Magnification of the second source of a binary source, a point, shape (n,)."""
    shift = _shift(event, bjd, ra, dec)
    path = binary_lens.trajectory(bjd, event["t_0_2"], event["u_0_2"], event["t_E"], 0.0, shift)
    return uniform_disc_magnification(np.hypot(*path), 0.0)


def _shift(event: Parameters, bjd: FloatArray, ra: float, dec: float) -> tuple[FloatArray, FloatArray] | None:
    """What parallax and a companion of the source add to the path; None without."""
    shift = None
    if event["pi_E_N"] or event["pi_E_E"]:
        seen = parallax.offsets(bjd, ra, dec, event["t_0_par"], "observer")
        shift = parallax.shifts(seen, event["pi_E_N"], event["pi_E_E"])
    if "xi_period" not in event:
        return shift
    along, across = source_shifts(event, bjd)
    return (along, across) if shift is None else (shift[0] + along, shift[1] + across)
