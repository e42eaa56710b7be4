"""How lenses turn about each other, and how a source moves that has a companion: in the terms of MulensModel.

Orbits of lenses take years, of which an event sees a part: their separation and direction change evenly
(Albrow et al. 2000, ApJ 534, 894; Skowron et al. 2011, ApJ 738, 87). A source that a dark companion moves
leaves its straight path on a circle that is seen from the side (Griest & Hu 1992, ApJ 397, 362; xallarap).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

YEAR = 365.25
"""Days."""

LEAST_SEPARATION = 0.02
"""Einstein radii below which the separation of lenses does not fall, long before or after the event."""


def turning_lenses(
    time: FloatArray, t_0_kep: float, lens: tuple[float, float], rate: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Separation and direction of two lenses over time.

    Parameters
    ----------
    time
        Shape (n,): BJD (TDB), days.
    t_0_kep
        Time of reference, BJD (TDB).
    lens
        s (Einstein radii) and alpha (radians) then.
    rate
        ds_dt (Einstein radii a year) and dalpha_dt (radians a year).

    Returns
    -------
    s, alpha
        Shape (n,); s at least `LEAST_SEPARATION`.
    """
    years = (time - t_0_kep) / YEAR
    return np.maximum(lens[0] + rate[0] * years, LEAST_SEPARATION), lens[1] + rate[1] * years


@dataclass(frozen=True)
class Circle:
    """A circular orbit of a source: elements by the names of MulensModel without their ``xi_``, in radians.

    Parameters
    ----------
    period
        Days.
    semimajor_axis
        Of the source about the centre of mass, Einstein radii.
    Omega_node, inclination
        Direction of the ascending node, from the motion of the source towards u_0, and inclination.
    argument_of_latitude
        Angle from the node to the source at the time of reference.
    """

    period: float
    semimajor_axis: float
    Omega_node: float
    inclination: float
    argument_of_latitude: float

    def shifts(self, time: FloatArray, t_0_xi: float) -> tuple[FloatArray, FloatArray]:
        """What is added to τ and β, shape (n,) each, at times of shape (n,); nothing at ``t_0_xi``."""
        angle = self.argument_of_latitude + 2 * np.pi * (time - t_0_xi) / self.period
        first = self.argument_of_latitude
        x = self.semimajor_axis * (np.cos(angle) - np.cos(first))
        y = self.semimajor_axis * np.cos(self.inclination) * (np.sin(angle) - np.sin(first))
        cosine, sine = np.cos(self.Omega_node), np.sin(self.Omega_node)
        return x * cosine - y * sine, x * sine + y * cosine


def circle_of(period: float, cosine: tuple[float, float], sine: tuple[float, float]) -> Circle:
    """The orbit on which a source is shifted by ``cosine · cos φ + sine · sin φ``, φ growing from t_0_xi.

    The four numbers are the constants of Thiele and Innes (Thiele 1883, AN 104, 245).

    Parameters
    ----------
    period
        Days.
    cosine, sine
        τ and β of either, Einstein radii.
    """
    # Shift = Re[(cosine - i sine) e^iφ] is a sum of two circles, one for each sense.
    c, s = complex(*cosine), complex(*sine)
    ahead, behind = (c - 1j * s) / 2, (c + 1j * s) / 2
    axis = abs(ahead) + abs(behind)
    if axis == 0:
        return Circle(period, 0.0, 0.0, 0.0, 0.0)
    lean = (abs(ahead) - abs(behind)) / axis
    one, two = np.angle(ahead), np.angle(behind)
    node, first = float(one + two) / 2, float(one - two) / 2
    return Circle(period, axis, node % (2 * np.pi), float(np.arccos(lean)), first % (2 * np.pi))
