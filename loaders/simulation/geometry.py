"""Pixels of a window and positions on the sky, for the pointings of a survey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.simulation.attitude import Attitude, Pointing, ideal_to_v
from loaders.simulation.distortion import Distortion, distortion
from loaders.simulation.parameters import SimulationParameters, Window

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A window of a detector and where its centre is pointed (position angle: of V3)."""

    distortion: Distortion
    window: Window
    pointing: Pointing

    @classmethod
    def of(cls, parameters: SimulationParameters) -> Camera:
        """The camera of a survey, pointed at the centre of the scene."""
        scene, survey = parameters.scene, parameters.survey
        pointing = Pointing(scene.ra, scene.dec, survey.roll_v3)
        return cls(distortion(survey.detector), survey.window, pointing)

    @property
    def centre(self) -> tuple[float, float]:
        """Detector pixel at the centre of the window."""
        window = self.window
        return window.x + (window.width - 1) / 2, window.y + (window.height - 1) / 2

    def attitude(self, offset: tuple[float, float], error_mas: tuple[float, float] = (0.0, 0.0)) -> Attitude:
        """The attitude of one exposure.

        Parameters
        ----------
        offset
            How far the telescope is moved, (x, y) in arcsec of the ideal frame: stars move the other way.
        error_mas
            A further displacement in right ascension (on the sky) and declination, mas.
        """
        v2, v3 = (float(v) for v in self.distortion.to_v(*(np.array(c) for c in self.centre)))
        shift_v2, shift_v3 = ideal_to_v(*offset)
        ra = self.pointing.ra + error_mas[0] / 3.6e6 / np.cos(np.radians(self.pointing.dec))
        pointing = Pointing(ra, self.pointing.dec + error_mas[1] / 3.6e6, self.pointing.roll)
        return Attitude.pointed(pointing, v2 - shift_v2, v3 - shift_v3)

    def to_window(self, attitude: Attitude, ra: FloatArray, dec: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels of the window (0-based, any value: also outside of it) of positions in deg ICRS."""
        x, y = self.distortion.to_pixel(*attitude.to_v(ra, dec))
        return x - self.window.x, y - self.window.y

    def jacobian(self, attitude: Attitude) -> FloatArray:
        """Arcsec east (first row) and north (second row) per pixel in x and y, at the window's centre."""
        x, y = self.centre
        step = np.array([[0.5, -0.5, 0.0, 0.0], [0.0, 0.0, 0.5, -0.5]])
        ra, dec = attitude.to_sky(*self.distortion.to_v(x + step[0], y + step[1]))
        east = (ra - ra[0] + 180.0) % 360.0 - 180.0
        sky = np.stack([east * np.cos(np.radians(dec)), dec]) * 3600
        return np.stack([sky[:, 0] - sky[:, 1], sky[:, 2] - sky[:, 3]], axis=1)
