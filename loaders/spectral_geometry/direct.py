"""Direct positions: pixels of a detector without grism or prism, and the field angles that they see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.simulation.attitude import V3_Y_ANGLE, WFI_CEN_V2, WFI_CEN_V3
from loaders.simulation.distortion import CENTRE, Distortion, distortion
from loaders.spectral_geometry.polynomial import FloatArray

_COS, _SIN = np.cos(np.radians(V3_Y_ANGLE)), np.sin(np.radians(V3_Y_ANGLE))
_LATITUDE = np.radians(WFI_CEN_V3 / 3600)


@dataclass(frozen=True)
class DirectMap:
    """Direct pixels of a detector (0-based) and field angles: degrees in the plane tangent at WFI_CEN.

    The angles u, v grow with x and y of the focal plane, in which detector WFI01 lies at -22, +12 mm.
    """

    distortion: Distortion

    @classmethod
    def of_detector(cls, detector: str) -> DirectMap:
        """The design of a detector, such as ``WFI07``.

        Raises
        ------
        ValueError
            If there is no such detector.
        """
        return cls(distortion(detector))

    @property
    def turned(self) -> bool:
        """Whether the pixels of the detector run against the axes of the focal plane (turned by 180 deg)."""
        u, _ = self.to_angle(CENTRE + np.array([-1.0, 1.0]), np.full(2, CENTRE))
        return bool(u[1] < u[0])

    def to_angle(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Field angles in deg of pixels, any shape."""
        v2, v3 = self.distortion.to_v(x, y)
        longitude, latitude = np.radians((v2 - WFI_CEN_V2) / 3600), np.radians(v3 / 3600)
        toward = np.sin(_LATITUDE) * np.sin(latitude)
        toward = toward + np.cos(_LATITUDE) * np.cos(latitude) * np.cos(longitude)
        east = np.degrees(np.cos(latitude) * np.sin(longitude) / toward)
        north = np.cos(_LATITUDE) * np.sin(latitude)
        north = north - np.sin(_LATITUDE) * np.cos(latitude) * np.cos(longitude)
        north = np.degrees(north / toward)
        return east * _COS - north * _SIN, east * _SIN + north * _COS

    def to_pixel(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels of field angles in deg, any shape; the inverse of `to_angle`."""
        east, north = np.radians(u * _COS + v * _SIN), np.radians(v * _COS - u * _SIN)
        up = np.cos(_LATITUDE) - north * np.sin(_LATITUDE)
        longitude = np.arctan2(east, up)
        latitude = np.arctan2(np.sin(_LATITUDE) + north * np.cos(_LATITUDE), np.hypot(east, up))
        v2 = np.degrees(longitude) * 3600 + WFI_CEN_V2
        return self.distortion.to_pixel(v2, np.degrees(latitude) * 3600)
