"""The pixels of a mosaic on a tangent plane: its PSF, its expected image, its noise.

A mosaic is not made by resampling exposures: its expected image is drawn with the PSF that resampling would
give, its noise is that of all exposures together, without correlation between pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.time import Time

from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import DETECTOR_SCALE, at_position, mosaic_psf
from loaders.psf.render import SplinePsf
from loaders.simulation.astrometry import observed_position
from loaders.simulation.ephemeris import barycentric_mjd_tdb
from loaders.simulation.galaxies import draw_stamps, galaxy_stamp
from loaders.simulation.geometry import Camera
from loaders.simulation.instrument_tables import detector_noise, thermal_rate, zodiacal_rate
from loaders.simulation.ramp import ramp_noise
from loaders.simulation.render import prepare
from loaders.simulation.scene import Scene
from loaders.simulation.season import PlannedExposure
from loaders.simulation.throughput import ab_zero_rate
from loaders.simulation.wcs import tangent_wcs

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MosaicGrid:
    """The pixels of a mosaic about the scene's centre, north up: scale in arcsec, size in pixels."""

    pixel_scale: float
    width: int
    height: int

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (height, width)."""
        return self.height, self.width

    @property
    def pixel_area(self) -> float:
        """Solid angle of a pixel in sr."""
        return float(np.radians(self.pixel_scale / 3600) ** 2)


def expected_mosaic(
    scene: Scene, psf: EffectivePsf, exposures: tuple[PlannedExposure, ...], grid: MosaicGrid
) -> FloatArray:
    """Expected image in electrons/s and mosaic pixel, without sky.

    Stars stand where they are seen at the mean time of the exposures, their fluxes are averaged over them.
    """
    element, centre = exposures[0].optical_element, scene.parameters.scene
    times = Time(np.array([e.mid_time.mjd for e in exposures]), format="mjd", scale="utc")
    position = observed_position(scene.stars.astrometry, Time(times.mjd.mean(), format="mjd", scale="utc"))
    factor = scene.flux_factor(barycentric_mjd_tdb(times, centre.ra, centre.dec)).mean(axis=0)
    zero = ab_zero_rate(scene.parameters.survey.detector, element)
    wcs = tangent_wcs(centre.ra, centre.dec, grid.pixel_scale, grid.shape)
    spread = _psf_of_scene(scene, psf, grid)
    x, y = (np.asarray(v) for v in wcs.invert(*position, with_bounding_box=False))
    rate = zero * 10 ** (-0.4 * scene.star_magnitude[element]) * factor
    image = prepare(spread, (0, 0), (0.0, 0.0)).stars(grid.shape, x, y, rate)
    sky_axes = np.diag([-grid.pixel_scale, grid.pixel_scale])
    stamps = {
        k: SplinePsf.of(galaxy_stamp(scene.galaxies, k, spread, sky_axes))
        for k in range(scene.galaxies.ra.size)
    }
    x, y = (np.asarray(v) for v in wcs.invert(scene.galaxies.ra, scene.galaxies.dec, with_bounding_box=False))
    draw_stamps(image, stamps, (x, y), zero * 10 ** (-0.4 * scene.galaxy_magnitude[element]))
    return np.clip(image, 0.0, None)


def _psf_of_scene(scene: Scene, psf: EffectivePsf, grid: MosaicGrid) -> EffectivePsf:
    """The mosaic's PSF at the centre of the scene's window."""
    camera = Camera.of(scene.parameters)
    jacobian = camera.jacobian(camera.attitude((0.0, 0.0)))
    return mosaic_psf(at_position(psf, *camera.centre), jacobian, grid.pixel_scale)


def observe_mosaic(
    scene: Scene, expected: FloatArray, exposures: tuple[PlannedExposure, ...], grid: MosaicGrid
) -> dict[str, npt.NDArray[Any]]:
    """Add the photon and read noise of all exposures together; the arrays of the product, in MJy/sr."""
    survey, parameters = scene.parameters.survey, scene.parameters.detector
    element, number = exposures[0].optical_element, len(exposures)
    noise, ramps = detector_noise(survey.detector), ramp_noise(exposures[0].ma_table)
    area = (grid.pixel_scale / DETECTOR_SCALE) ** 2
    sky = zodiacal_rate(element) * parameters.zodiacal_factor + thermal_rate(element) + noise.dark_current
    unit = ramps.poisson[0, -1] / number
    rng = np.random.default_rng([survey.seed, exposures[0].index, number, 3])
    total = expected + sky * area
    photons = rng.poisson(total / unit) * unit
    read = ramps.read[0, -1] * noise.read_noise**2 * area / number
    rate = photons + rng.standard_normal(expected.shape) * np.sqrt(read) - sky * area
    scale = 3631e-6 / ab_zero_rate(survey.detector, element) / grid.pixel_area
    poisson = photons * unit * scale**2
    readout = np.full(expected.shape, read * scale**2)
    return {
        "data": (rate * scale).astype(np.float32),
        "context": np.ones((1, *grid.shape), dtype=np.uint32),
        "err": np.sqrt(poisson + readout).astype(np.float32),
        "weight": np.full(grid.shape, number * exposures[0].ma_table.exposure_time, dtype=np.float32),
        "var_poisson": poisson.astype(np.float32),
        "var_rnoise": readout.astype(np.float32),
    }
