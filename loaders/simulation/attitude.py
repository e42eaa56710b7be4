"""Where the telescope points: the rotation from the observatory's V frame to the sky.

V1 is the boresight, V3 stands perpendicular to the sun shield, V2 completes the frame; V2 and V3 are used as
angles (longitude and latitude about V1) in arcsec. At roll 0 V3 is north and V2 is east.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

WFI_CEN_V2 = 1546.3846181707652
WFI_CEN_V3 = -892.7916365721071
"""Centre of the Wide Field Instrument in arcsec (Roman science instrument aperture file)."""
V3_Y_ANGLE = -60.0
"""Angle from the V3 axis to the ideal y axis in deg, of every WFI aperture."""
V_PARITY = -1
"""Sense of the ideal x axis relative to V2."""


@dataclass(frozen=True)
class Pointing:
    """A direction: right ascension, declination and position angle of V3 there, all in deg (ICRS)."""

    ra: float
    dec: float
    roll: float


@dataclass(frozen=True)
class Attitude:
    """Rotation of the observatory.

    Parameters
    ----------
    matrix
        Shape (3, 3): takes a unit vector of the V frame to the ICRS.
    """

    matrix: FloatArray

    @classmethod
    def pointed(cls, pointing: Pointing, v2: float, v3: float) -> Attitude:
        """The attitude in which the V2, V3 (arcsec) sees a pointing's position at its roll."""
        to_axis = _rotation_y(np.radians(v3 / 3600)) @ _rotation_z(-np.radians(v2 / 3600))
        to_sky = _rotation_z(np.radians(pointing.ra)) @ _rotation_y(-np.radians(pointing.dec))
        return cls(to_sky @ _rotation_x(-np.radians(pointing.roll)) @ to_axis)

    def at(self, v2: float, v3: float) -> Pointing:
        """Where V2, V3 (arcsec) looks, and the position angle of V3 there."""
        ra, dec = self.to_sky(np.array([v2]), np.array([v3]))
        lon, lat = np.radians(v2 / 3600), np.radians(v3 / 3600)
        along_v3 = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
        up = self.matrix @ along_v3
        alpha, delta = np.radians(ra[0]), np.radians(dec[0])
        east = np.array([-np.sin(alpha), np.cos(alpha), 0.0])
        north = np.array([-np.sin(delta) * np.cos(alpha), -np.sin(delta) * np.sin(alpha), np.cos(delta)])
        roll = np.degrees(np.arctan2(up @ east, up @ north)) % 360.0
        return Pointing(float(ra[0]), float(dec[0]), float(roll))

    def to_sky(self, v2: FloatArray, v3: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Right ascension (0-360) and declination in deg of V2, V3 in arcsec, any shape."""
        lon, lat = _angles(_unit_vector(np.radians(v2 / 3600), np.radians(v3 / 3600)) @ self.matrix.T)
        return np.degrees(lon) % 360.0, np.degrees(lat)

    def to_v(self, ra: FloatArray, dec: FloatArray) -> tuple[FloatArray, FloatArray]:
        """V2 (-648000 to 648000) and V3 in arcsec of a position in deg ICRS, any shape."""
        lon, lat = _angles(_unit_vector(np.radians(ra), np.radians(dec)) @ self.matrix)
        return np.degrees(lon) * 3600, np.degrees(lat) * 3600


def ideal_to_v(x: float, y: float) -> tuple[float, float]:
    """Offset (V2, V3) of an offset (x, y) in the ideal frame, both in arcsec (SIAF convention)."""
    angle = np.radians(V3_Y_ANGLE)
    v2 = V_PARITY * x * np.cos(angle) + y * np.sin(angle)
    v3 = -V_PARITY * x * np.sin(angle) + y * np.cos(angle)
    return float(v2), float(v3)


def _unit_vector(lon: FloatArray, lat: FloatArray) -> FloatArray:
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _angles(vector: FloatArray) -> tuple[FloatArray, FloatArray]:
    x, y, z = np.moveaxis(vector, -1, 0)
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))


def _rotation_x(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _rotation_y(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _rotation_z(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
