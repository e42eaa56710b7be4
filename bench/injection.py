"""Artificial sources put into a full detector: stars and galaxies a second.

The image is a full detector of our own with the noise of a 66 s exposure. Measured is all of the injection:
places from the sky, drawing, photon noise, errors and flags; and, apart, the same from file to file. The peer
draws a part of the same sources with GalSim, one `drawImage` each with the same PSF on a stamp that holds it;
it adds no noise, and so does less.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import galsim
import numpy as np
import numpy.typing as npt

from bench.record import Figure
from loaders.injection.inject import Measurement, inject
from loaders.injection.layout import Population, random_sources
from loaders.injection.level2 import Job, inject_level2
from loaders.injection.light import PreparedPsf, View
from loaders.injection.pixels import Pixels
from loaders.injection.sources import ArtificialSources
from loaders.photometry.parallel import available_threads
from loaders.psf.load import wide_psf
from loaders.psf.model import EffectivePsf
from loaders.simulation.parameters import MultiAccumTable, default_parameters, parameters_from_mapping
from loaders.simulation.scene import make_scene
from loaders.simulation.season import plan_exposures
from loaders.simulation.simulate import prepare_simulation, simulate_to_file
from loaders.wfi.level2 import read_level2
from loaders.wfi.projection import SkyProjection
from loaders.wfi.projection_fit import fit_projection

FloatArray = npt.NDArray[np.float64]

AREA = "reference"
SIDE = 4088
STARS, FEW_STARS, GALAXIES = 10_000, 1_000, 500
PEER_STARS, PEER_GALAXIES = 100, 25
MAGNITUDES = (18.0, 26.0)
PIXEL, NJY_PER_UNIT = 0.11, 1.2
SKY, PER_RATE, READ = 3.0, 1 / (1.8 * 63), 0.0025
REPEATS = 3


def figures() -> Iterator[Figure]:
    """All figures of this subject."""
    psf = wide_psf("WFI07", "F146")
    view = View(plane(), PreparedPsf.of(psf), NJY_PER_UNIT)
    unit = f"sources/s on {available_threads()} cores"
    peer = "GalSim drawImage, {} of the {}"
    stars = _sources(view, STARS, 0.0)
    galaxies = _sources(view, GALAXIES, 1.0)
    few = _sources(view, FEW_STARS, 0.0)
    star_rate = PEER_STARS / _seconds(lambda: galsim_sources(view, psf, stars, PEER_STARS), 1)
    galaxy_rate = PEER_GALAXIES / _seconds(lambda: galsim_sources(view, psf, galaxies, PEER_GALAXIES), 1)
    for name, sources, least, kind, rate in (
        (f"injection of {STARS:,} stars into a detector", stars, 1000.0, PEER_STARS, star_rate),
        (f"injection of {FEW_STARS:,} stars into a detector", few, None, PEER_STARS, star_rate),
        (f"injection of {GALAXIES:,} galaxies into a detector", galaxies, 100.0, PEER_GALAXIES, galaxy_rate),
    ):
        said = peer.format(kind, "galaxies" if sources.is_galaxy.any() else "stars")
        yield Figure(AREA, name, injection_rate(view, sources), unit, least, "max", said, rate)
    yield Figure(AREA, f"injection of {STARS:,} stars, from file to file", file_rate(psf), unit)


def plane() -> SkyProjection:
    """A full detector on the tangent plane at the middle of a bulge field."""
    ra, dec = np.radians(268.0), np.radians(-29.2)

    def sky(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Right ascension and declination, degrees, of pixels: the gnomonic projection turned around."""
        east, north = (np.radians((value - (SIDE - 1) / 2) * PIXEL / 3600) for value in (-x + SIDE - 1, y))
        along = np.cos(dec) - north * np.sin(dec)
        longitude = ra + np.arctan2(east, along)
        return np.degrees(longitude), np.degrees(
            np.arctan2(np.sin(dec) + north * np.cos(dec), np.hypot(east, along))
        )

    return fit_projection(sky, (SIDE, SIDE))


def _sources(view: View, number: int, galaxies: float) -> ArtificialSources:
    rng = np.random.default_rng(20270301)
    return random_sources(view.projection, number, Population(MAGNITUDES, galaxies), rng)


def dark_sky() -> Pixels:
    """A sky with the noise of an exposure, in the types of a Level-2 file."""
    rng = np.random.default_rng(1)
    photons = rng.poisson(SKY / PER_RATE, (SIDE, SIDE)) * PER_RATE
    data = photons + rng.normal(0, np.sqrt(READ), photons.shape)
    err, poisson = np.sqrt(photons * PER_RATE + READ), photons * PER_RATE
    read = np.full(photons.shape, READ, np.float16)
    flags = np.zeros(photons.shape, np.uint32)
    return Pixels(data.astype(np.float32), err.astype(np.float16), poisson.astype(np.float16), read, flags)


def injection_rate(view: View, sources: ArtificialSources) -> float:
    """Sources a second through all of the injection, files apart."""
    measurement = Measurement(reads(), 1)
    inject(dark_sky(), view, sources.take(np.arange(10)), measurement)
    times = []
    for _ in range(REPEATS):
        image = dark_sky()
        times.append(_seconds(lambda image=image: inject(image, view, sources, measurement), 1))
    return len(sources) / min(times)


def reads() -> MultiAccumTable:
    """The reads of a 66 s exposure."""
    return default_parameters().survey.ma_table("SIM_66_6")


def galsim_sources(view: View, psf: EffectivePsf, sources: ArtificialSources, number: int) -> FloatArray:
    """Draw some of the sources with GalSim, each on a stamp as wide as the PSF; without noise."""
    some = sources.take(np.arange(number))
    x, y = view.pixels(some)
    jacobian = view.projection.jacobian(x, y)
    grid = galsim.Image(np.ascontiguousarray(psf.stamps[0, 0]), scale=1 / psf.oversampling)
    light = float(psf.stamps.sum()) / psf.oversampling**2
    point = galsim.InterpolatedImage(grid, flux=light, normalization="sb")
    image = np.zeros(view.projection.shape)
    half = int(psf.half_width)
    for k in range(number):
        drawn, centre = _galsim_profile(point, some, k, jacobian[k]), (round(x[k]), round(y[k]))
        stamp = (drawn * (some.flux[k] / NJY_PER_UNIT)).drawImage(
            nx=2 * half + 1, ny=2 * half + 1, scale=1.0, method="no_pixel",
            offset=(x[k] - centre[0], y[k] - centre[1]), dtype=float,
        )  # fmt: skip
        _add(image, stamp.array, centre[0] - half, centre[1] - half)
    return image


def _galsim_profile(
    point: galsim.GSObject, sources: ArtificialSources, row: int, jacobian: FloatArray
) -> galsim.GSObject:
    """A source of unit flux seen through the PSF, in pixels."""
    if not sources.is_galaxy[row]:
        return point
    radius = float(sources.half_light_radius[row])
    sersic = galsim.Sersic(float(sources.sersic_n[row]), half_light_radius=radius, trunc=5 * radius)
    angle = (90.0 - float(sources.position_angle[row])) * galsim.degrees
    on_sky = sersic.shear(q=float(sources.axis_ratio[row]), beta=angle)
    return galsim.Convolve(on_sky.transform(*np.linalg.inv(jacobian).ravel()).withFlux(1.0), point)


def _add(image: FloatArray, stamp: FloatArray, left: int, low: int) -> None:
    """Add what of a stamp lies on the image."""
    ny, nx = image.shape
    i0, i1, j0, j1 = max(left, 0), min(left + stamp.shape[1], nx), max(low, 0), min(low + stamp.shape[0], ny)
    image[j0:j1, i0:i1] += stamp[j0 - low : j1 - low, i0 - left : i1 - left]


def file_rate(psf: EffectivePsf) -> float:
    """Stars a second from a Level-2 file of a full detector to another, validated both times."""
    with tempfile.TemporaryDirectory() as folder:
        path = _exposure(psf, Path(folder))
        sources = random_sources(
            read_level2(path).projection, STARS, Population(MAGNITUDES), np.random.default_rng(1)
        )
        job = Job(path, Path(folder) / "injected.asdf", sources, None, 1, "bench")
        prepared = PreparedPsf.of(psf)
        return STARS / _seconds(lambda: inject_level2(job, prepared), 1)


def _exposure(psf: EffectivePsf, folder: Path) -> Path:
    """A full detector of few stars."""
    scene = {"stars": {"density_per_arcmin2": 1.0}, "variables": [], "events": []}
    scene |= {"galaxies": {"density_per_arcmin2": 0}}
    survey = {"duration_days": 0.005, "window": {"x": 0, "y": 0, "width": SIDE, "height": SIDE}}
    parameters = parameters_from_mapping({"scene": scene, "survey": survey})
    made = make_scene(parameters)
    elements = {one.optical_element for one in parameters.survey.cadences}
    simulation = prepare_simulation(made, dict.fromkeys(elements, psf))
    planned = next(one for one in plan_exposures(parameters.survey) if one.optical_element == "F146")
    return simulate_to_file(simulation, planned, folder)


def _seconds(run: Callable[[], object], repeats: int) -> float:
    """Shortest of several runs."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)
