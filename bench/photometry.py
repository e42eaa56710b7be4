"""Speed and accuracy of the joint PSF photometry.

Speed is measured on a field of our own with 0.1 stars a pixel; its peer, photutils' PSFPhotometry, measures a
part of the same stars (it is too slow for all of them). Accuracy is measured on files of romanisim against
the joint Cramér-Rao bound: of the fit alone (`accuracy`), which is given true positions and fluxes and the
PSF of romanisim or one built from the files; and of all that a user runs, from files and catalog to light
curves (`bench.main_job`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from astropy.table import QTable
from photutils.psf import ImagePSF, PSFPhotometry

from bench import main_job
from bench.accuracy import (
    ZERO_POINT_LIMIT,
    Compared,
    bin_figures,
    flux_ratio,
    joined,
    lens_figures,
    usual,
    zero_point,
)
from bench.cramer_rao import cramer_rao
from bench.record import Figure
from bench.romanisim_psf import romanisim_psf
from bench.sample import WINDOW_ORIGIN, Sample, read_sample, sample_directory
from loaders.photometry.fit import PixelImage, StarList, StarPhotometry, photometer
from loaders.photometry.noise import NoiseModel
from loaders.photometry.options import FitOptions
from loaders.photometry.parallel import Workers, available_threads
from loaders.photometry.psf_table import PsfTable
from loaders.photometry.scene import Canvas, Drawn, draw_stars
from loaders.psf.detector import build_detector_psf
from loaders.psf.field import StarField
from loaders.psf.load import SETTINGS, wide_psf
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import optical_psf
from loaders.psf.render import SplinePsf, Stars, columns, draw
from loaders.psf.wings import with_wings

FloatArray = npt.NDArray[np.float64]

AREA = "photometry"
FIELD_SIDE, DENSITY, REPEATS = 1024, 0.1, 3
PEER_STARS, PEER_HALF_WIDTH = 400, 8
READ_VARIANCE, POISSON_VARIANCE, SKY = 0.0075, 0.008, 3.0
PSF_HALF_WIDTH = 60
"""Pixels; the wings of a star of magnitude 15 show that far."""


def figures() -> Iterator[Figure]:
    """All figures of this area."""
    yield from speed()
    directory = sample_directory()
    if directory is None:
        print("photometry: accuracy is not measured, for want of the romanisim files (see --data)")
        return
    yield from accuracy(directory)
    yield from main_job.figures(directory)


def speed() -> list[Figure]:
    """Stars a second: fluxes with marginal errors; the same with offsets and shapes of the bright stars."""
    psf = romanisim_psf("WFI07", "F146", half_width=PSF_HALF_WIDTH)
    image, stars = crowded_field(psf)
    count = int(np.sum((stars.x >= 0) & (stars.x < FIELD_SIDE) & (stars.y >= 0) & (stars.y < FIELD_SIDE)))
    peer = f"photutils PSFPhotometry, {PEER_STARS} of the stars"
    peer_rate = PEER_STARS / _seconds(lambda: photutils_fluxes(image, stars, psf), 1)
    rates = {}
    for name, options in (
        ("fluxes and marginal errors", FitOptions(position_snr=np.inf, shape_snr=np.inf)),
        ("fluxes, offsets and shapes", FitOptions()),
        ("fluxes and positions fitted together", FitOptions(fit_positions=True)),
    ):
        run = lambda options=options: photometer(image, stars, psf, options)  # noqa: E731
        run()
        rates[name] = count / _seconds(run, REPEATS)
    unit = f"stars/s on {available_threads()} cores"
    targets = {"fluxes and marginal errors": 60_000.0}
    return [
        Figure(AREA, name, rate, unit, targets.get(name), "max", peer, peer_rate)
        for name, rate in rates.items()
    ]


def crowded_field(psf: EffectivePsf) -> tuple[PixelImage, StarList]:
    """A noisy field whose stars follow the magnitudes of a bulge field, 15 to 25 AB, ten a hundred pixels."""
    rng = np.random.default_rng(20270301)
    count = int(DENSITY * (FIELD_SIDE + 40) ** 2)
    x, y = rng.uniform(-20, FIELD_SIDE + 20, (2, count))
    magnitude = np.maximum(25 - rng.exponential(1.5, count), 15)
    flux = 10 ** (-0.4 * (magnitude - 26.8218))
    model = np.zeros((FIELD_SIDE, FIELD_SIDE), dtype=np.float32)
    table = PsfTable.of(psf)
    with Workers(available_threads()) as workers:
        radius = table.radius(flux, 1e-3)
        stars = Drawn(x, y, flux, radius, radius)
        draw_stars(Canvas(model, 0, (0.0, 0.0)), table, stars, workers)
    noise = NoiseModel(READ_VARIANCE, POISSON_VARIANCE)
    rate = model + np.float32(SKY)
    data = rate + rng.normal(size=rate.shape).astype(np.float32) * np.sqrt(noise.variance(rate))
    return PixelImage(data, noise, np.ones(rate.shape, dtype=bool)), StarList(x, y, flux)


def photutils_fluxes(image: PixelImage, stars: StarList, psf: EffectivePsf) -> FloatArray:
    """Fluxes of some stars in the middle of the image by photutils, positions held, one star at a time."""
    middle = np.argsort(np.hypot(stars.x - FIELD_SIDE / 2, stars.y - FIELD_SIDE / 2))[:PEER_STARS]
    grid = psf.at(FIELD_SIDE / 2, FIELD_SIDE / 2)
    edge = (PSF_HALF_WIDTH - PEER_HALF_WIDTH) * psf.oversampling
    grid = grid[edge:-edge, edge:-edge]  # the model is copied for every star: a wide one would only slow it
    model = ImagePSF(grid, oversampling=psf.oversampling)
    model.x_0.fixed = model.y_0.fixed = True
    start = QTable({"x": stars.x[middle], "y": stars.y[middle], "flux": stars.guess[middle]})
    error = np.sqrt(image.noise.variance(image.data))
    photometry = PSFPhotometry(model, fit_shape=(5, 5), aperture_radius=2.0)
    return np.asarray(photometry(image.data - SKY, error=error, init_params=start)["flux_fit"])


def accuracy(directory: Path) -> Iterator[Figure]:
    """Accuracy of the fit at true positions, with the true PSF and with one built from the files."""
    psf = romanisim_psf("WFI07", "F146", half_width=PSF_HALF_WIDTH)
    samples = [read_sample(directory, exposure) for exposure in range(3)]
    bounds = [cramer_rao(sample, psf) for sample in samples]
    label = "true positions, true PSF"
    exposures = _photometered(samples, bounds, psf)
    yield from bin_figures(AREA, label, usual(joined(exposures)))
    yield from _lens_figures(label, samples, exposures)
    yield from _built_psf_figures(samples, bounds)


def _photometered(samples: list[Sample], bounds: list[FloatArray], psf: EffectivePsf) -> list[Compared]:
    """Fluxes of all stars of each exposure beside their truth."""
    return [
        _compared(sample, photometer(sample.image, sample.stars, psf), bound)
        for sample, bound in zip(samples, bounds, strict=True)
    ]


def _compared(sample: Sample, result: StarPhotometry, bound: FloatArray) -> Compared:
    return Compared(result.flux, result.flux_err, result.flags, sample.flux, sample.magnitude, bound)


def _built_psf_figures(samples: list[Sample], bounds: list[FloatArray]) -> list[Figure]:
    """How near a PSF built from the exposures comes to the true one, and photometry made with it.

    The common zero point is a figure of its own (how much light the far wings hold is hard to see in a
    crowded field) and is taken out of the others.
    """
    begin = time.perf_counter()
    core, wings = build_from(samples)
    seconds = time.perf_counter() - begin
    exposures = _photometered(samples, bounds, with_wings(core, wings))
    ratio = float(np.median([flux_ratio(exposure) for exposure in exposures]))
    drift = abs(zero_point(joined(exposures)))
    corrected = [replace(exposure, truth=exposure.truth * ratio) for exposure in exposures]
    built = "PSF built from 3 exposures at true positions"
    label = "true positions, built PSF, after its zero point is taken out"
    return [
        *_shape_figures(built, core, samples[0]),
        Figure(AREA, f"{built}: time", seconds, "s", None, "min"),
        Figure(AREA, f"{built}: |zero point|", drift, "mmag", ZERO_POINT_LIMIT, "min"),
        *bin_figures(AREA, label, usual(joined(corrected))),
        *_lens_figures(label, samples, corrected),
    ]


def _shape_figures(label: str, core: EffectivePsf, sample: Sample) -> list[Figure]:
    """How much the core of a PSF differs from the true one in the middle of the window."""
    sides = zip(WINDOW_ORIGIN, sample.image.data.shape, strict=True)
    x, y = (origin + side / 2 for origin, side in sides)
    truth, found = romanisim_psf("WFI07", "F146").at(x, y), core.at(x, y)
    ratio = found.sum() / truth.sum()
    error = float(np.sqrt(((found / ratio - truth) ** 2).sum() / (truth**2).sum()))
    phase = phase_error(found, truth)
    return [
        Figure(AREA, f"{label}: L2 error of its shape", error, "", 0.005, "min"),
        Figure(AREA, f"{label}: pixel-phase error", phase, "", 1e-3, "min"),
    ]


def build_from(samples: list[Sample]) -> tuple[EffectivePsf, EffectivePsf]:
    """Core and wings of a PSF built as the daily job does, in detector coordinates."""
    fields = []
    for sample in samples:
        good = sample.image.good_pixels()
        variance = np.where(good, sample.image.noise.variance(np.where(good, sample.image.data, 0)), np.inf)
        stars = sample.stars
        fields.append(
            StarField(sample.image.data.astype(float), variance, good, stars.x, stars.y, stars.guess)
        )
    x0, y0 = WINDOW_ORIGIN
    optics = [optical_psf("WFI07", "F146"), wide_psf("WFI07", "F146")]
    start, wide = (replace(one, x_node=one.x_node - x0, y_node=one.y_node - y0) for one in optics)
    built = build_detector_psf(fields, start, wide, SETTINGS)
    core = replace(built.psf, x_node=built.psf.x_node + x0, y_node=built.psf.y_node + y0)
    return core, built.wings


def phase_error(found: FloatArray, truth: FloatArray, oversampling: int = 4) -> float:
    """Largest departure from the mean of fluxes that a PSF fits to noiseless stars at all pixel phases."""
    phase = (np.arange(10) + 0.5) / 10
    v, u = (axis.ravel() for axis in np.meshgrid(phase, phase, indexing="ij"))
    x, y = 20 + 40 * np.arange(u.size) + u, 20 + v
    stars = Stars(x, y, np.ones(u.size), np.full(u.size, 4))
    psfs = [
        SplinePsf.of(EffectivePsf(grid[None, None], oversampling, np.zeros(1), np.zeros(1)))
        for grid in (found, truth)
    ]
    model, observed = (np.zeros((41, 40 * (u.size + 1))) for _ in psfs)
    draw(model, psfs[0], stars)
    draw(observed, psfs[1], stars)
    light = columns(np.ones(model.shape), psfs[0], stars)
    flux = (light.T @ observed.ravel()) / (light.T @ model.ravel())
    return float(np.abs(flux / flux.mean() - 1).max())


def _lens_figures(label: str, samples: list[Sample], exposures: list[Compared]) -> list[Figure]:
    """Points of the brightening star."""
    star = int(np.flatnonzero(samples[0].lens)[0])
    factors = [float(sample.flux[star] / sample.stars.guess[star]) for sample in samples]
    return list(lens_figures(AREA, label, [exposure.pull[star] for exposure in exposures], factors))


def _seconds(run: Callable[[], object], repeats: int) -> float:
    """Shortest of several runs: the one least disturbed by others on the machine."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)
