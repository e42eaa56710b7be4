"""Speed and accuracy of the joint PSF photometry.

Speed is measured on a field of our own with 0.1 stars a pixel; its peer, photutils' PSFPhotometry, measures a
part of the same stars (it is too slow for all of them). Accuracy is measured on files of romanisim, with the
PSF that romanisim used, against the joint Cramér-Rao bound.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import roman_datamodels
import scipy.sparse
from astropy.table import QTable
from photutils.psf import ImagePSF, PSFPhotometry

from bench.record import Figure
from bench.romanisim_psf import romanisim_psf
from loaders.photometry.fit import PixelImage, StarList, StarPhotometry, photometer
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.noise import NoiseModel
from loaders.photometry.options import FitOptions
from loaders.photometry.parallel import Workers, available_threads
from loaders.photometry.psf_table import PsfTable
from loaders.photometry.scene import Canvas, Drawn, draw_stars
from loaders.psf.detector import build_detector_psf
from loaders.psf.field import StarField
from loaders.psf.load import wide_psf
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

WINDOW_ORIGIN = (1750.0, 1750.0)
"""Detector coordinates of the first pixel of the romanisim cut-outs."""

NANOJANSKY_AB = 3631e9
BINS = ((18.0, 19.0), (19.0, 20.0), (20.0, 21.0), (21.0, 22.0), (22.0, 23.0))
CRB_TILE, CRB_MARGIN, CRB_RADIUS = 50, 10, 12


def figures() -> list[Figure]:
    """All figures of this area."""
    measured = speed()
    directory = sample_directory()
    if directory is None:
        print(
            "photometry: no romanisim files; set ROMAN_DB_SAMPLE_DATA to their directory to measure accuracy"
        )
        return measured
    return measured + accuracy(directory)


def sample_directory() -> Path | None:
    """Where the romanisim files are, None if there are none."""
    root = Path(__file__).resolve().parents[2] / "shared" / "data"
    directory = Path(os.environ.get("ROMAN_DB_SAMPLE_DATA", root)) / "romanisim_l2"
    return directory if (directory / "truth.parquet").exists() else None


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


@dataclass(frozen=True)
class Sample:
    """One romanisim file with its truth, in DN/s."""

    image: PixelImage
    stars: StarList
    flux: FloatArray
    magnitude: FloatArray
    lens: npt.NDArray[np.bool_]


def accuracy(directory: Path) -> list[Figure]:
    """Scatter against the bound, bias, pulls and the brightening star in the three romanisim files.

    Once with the PSF that romanisim used, once with one built from the files themselves.
    """
    psf = romanisim_psf("WFI07", "F146", half_width=PSF_HALF_WIDTH)
    samples = [read_sample(directory, exposure) for exposure in range(3)]
    bounds = [cramer_rao(sample, psf) for sample in samples]
    results = [photometer(sample.image, sample.stars, psf) for sample in samples]
    figures = [figure for bin_ in BINS for figure in _bin_figures(bin_, samples, results, bounds)]
    return figures + _lens_figures(samples, results) + _built_psf_figures(samples, bounds)


def _built_psf_figures(samples: list[Sample], bounds: list[FloatArray]) -> list[Figure]:
    """How near a PSF built from the exposures comes to the true one, and photometry made with it.

    Fluxes are compared after the common zero point is taken out, which is a figure of its own: how much light
    the far wings hold cannot be seen in a crowded field.
    """
    begin = time.perf_counter()
    core, wings = build_from(samples)
    seconds = time.perf_counter() - begin
    x, y = (
        origin + sample_side / 2
        for origin, sample_side in zip(WINDOW_ORIGIN, samples[0].image.data.shape, strict=True)
    )
    truth, found = romanisim_psf("WFI07", "F146").at(x, y), core.at(x, y)
    ratio = found.sum() / truth.sum()
    error = np.sqrt(((found / ratio - truth) ** 2).sum() / (truth**2).sum())
    psf = with_wings(core, wings)
    results = [photometer(sample.image, sample.stars, psf) for sample in samples]
    zero_point = np.median([_zero_point(*pair) for pair in zip(samples, results, strict=True)])
    corrected = [replace(sample, flux=sample.flux * zero_point) for sample in samples]
    drift = float(2500 * np.log10(zero_point))
    return [
        Figure(AREA, "PSF built from 3 exposures: L2 error of its shape", error, "", 0.005, "min"),
        Figure(
            AREA, "PSF built from 3 exposures: pixel-phase error", phase_error(found, truth), "", 1e-3, "min"
        ),
        Figure(AREA, "PSF built from 3 exposures: time", seconds, "s", None, "min"),
        Figure(AREA, "PSF built from 3 exposures: |zero point|", abs(drift), "mmag", None, "min"),
        *(
            replace(figure, name=f"with the built PSF, {figure.name}")
            for bin_ in BINS
            for figure in _bin_figures(bin_, corrected, results, bounds)
        ),
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
    built = build_detector_psf(fields, start, wide)
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


def _zero_point(sample: Sample, result: StarPhotometry) -> float:
    """Measured over true flux of the bright stars."""
    bright = (sample.magnitude < 20) & (result.flags == 0) & np.isfinite(result.flux)
    return float(np.median(result.flux[bright] / sample.flux[bright]))


def read_sample(directory: Path, exposure: int) -> Sample:
    """Read one of the three files and the truth that belongs to it."""
    path = sorted(directory.glob("*_cal.asdf"))[exposure]
    truth = pq.read_table(directory / "truth.parquet")
    column = {name: truth[name].to_numpy() for name in truth.column_names}
    with roman_datamodels.open(path) as model:
        data, err, var_poisson = (np.array(model[name]) for name in ("data", "err", "var_poisson"))
        scale = abs(model.meta.photometry.conversion_megajanskys * model.meta.photometry.pixel_area) * 1e15
    image = PixelImage.from_calibrated(data, err, var_poisson, var_poisson > 0, origin=WINDOW_ORIGIN)
    catalogued = NANOJANSKY_AB * 10 ** (-0.4 * column["F146_mag"]) / scale
    stars = StarList(column[f"x{exposure}_true"], column[f"y{exposure}_true"], catalogued)
    flux = catalogued * column[f"amp{exposure}"]
    return Sample(image, stars, flux, column["F146_mag"], column["is_ulens"])


def cramer_rao(sample: Sample, psf: EffectivePsf) -> FloatArray:
    """Smallest errors that fluxes can have, all fluxes and the local sky being unknown; NaN off the image.

    The Fisher matrix is inverted densely in windows with a margin, light beyond 12 pixels left out.
    """
    local = replace(psf, x_node=psf.x_node - WINDOW_ORIGIN[0], y_node=psf.y_node - WINDOW_ORIGIN[1])
    model = np.zeros(sample.image.data.shape)
    reach = np.where(sample.flux > 100, PSF_HALF_WIDTH, 20).astype(np.int64)
    draw(model, SplinePsf.of(local), Stars(sample.stars.x, sample.stars.y, sample.flux, reach))
    good = sample.image.good_pixels()
    weight = np.where(good, 1 / sample.image.noise.variance(model + SKY), 0.0)
    bound = np.full(sample.flux.size, np.nan)
    for top in range(0, model.shape[0], CRB_TILE):
        for left in range(0, model.shape[1], CRB_TILE):
            _window_bounds(sample, local, weight, (top, left), bound)
    return bound


def _window_bounds(
    sample: Sample, psf: EffectivePsf, weight: FloatArray, corner: tuple[int, int], bound: FloatArray
) -> None:
    top, left = corner
    rows = slice(max(top - CRB_MARGIN, 0), top + CRB_TILE + CRB_MARGIN)
    columns = slice(max(left - CRB_MARGIN, 0), left + CRB_TILE + CRB_MARGIN)
    part = weight[rows, columns]
    x, y = sample.stars.x - columns.start, sample.stars.y - rows.start
    member = np.flatnonzero((x > -1) & (x < part.shape[1]) & (y > -1) & (y < part.shape[0]))
    here = psf.at(left + CRB_TILE / 2, top + CRB_TILE / 2)
    design = _design(here, psf.oversampling, (x[member], y[member]), part.shape)
    fisher = (design.T @ scipy.sparse.diags_array(part.ravel()) @ design).toarray()
    seen = np.diag(fisher) > 1e-6 * np.median(np.diag(fisher))
    error = np.full(member.size + 1, np.nan)
    error[seen] = np.sqrt(np.diag(np.linalg.inv(fisher[np.ix_(seen, seen)])))
    xs, ys = sample.stars.x[member] + 0.5, sample.stars.y[member] + 0.5
    own = (xs >= left) & (xs < left + CRB_TILE) & (ys >= top) & (ys < top + CRB_TILE)
    bound[member[own]] = error[:-1][own]


def _design(
    grid: FloatArray, oversampling: int, position: tuple[FloatArray, FloatArray], shape: tuple[int, int]
) -> scipy.sparse.csc_array:
    """Light of each star of unit flux in every pixel, and a constant sky as the last column.

    All stars are drawn at once, side by side on a strip.
    """
    psf = SplinePsf.of(EffectivePsf(grid[None, None], oversampling, np.zeros(1), np.zeros(1)))
    x, y = position
    count, side = x.size, 2 * CRB_RADIUS + 3
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    strip = np.zeros((side, side * count))
    middle = CRB_RADIUS + 1 + side * np.arange(count)
    stars = Stars(x - column + middle, y - row + CRB_RADIUS + 1, np.ones(count), np.full(count, CRB_RADIUS))
    draw(strip, psf, stars)
    offset = np.arange(side) - CRB_RADIUS - 1
    at_row = row[:, None, None] + offset[None, :, None] + np.zeros_like(offset)
    at_column = column[:, None, None] + offset[None, None, :] + np.zeros_like(offset)[:, None]
    light = strip.reshape(side, count, side).transpose(1, 0, 2)
    star = np.broadcast_to(np.arange(count)[:, None, None], light.shape)
    inside = (at_row >= 0) & (at_row < shape[0]) & (at_column >= 0) & (at_column < shape[1]) & (light != 0)
    pixel = at_row[inside] * shape[1] + at_column[inside]
    matrix = scipy.sparse.coo_array((light[inside], (pixel, star[inside])), (shape[0] * shape[1], count))
    return scipy.sparse.csc_array(scipy.sparse.hstack([matrix, np.ones((matrix.shape[0], 1))]))


def _bin_figures(
    limits: tuple[float, float],
    samples: list[Sample],
    results: list[StarPhotometry],
    bounds: list[FloatArray],
) -> list[Figure]:
    low, high = limits
    residual, error, bound, flux = [], [], [], []
    for sample, result, limit in zip(samples, results, bounds, strict=True):
        spoilt = PhotometryFlag.BLENDED | PhotometryFlag.EDGE | PhotometryFlag.MASKED
        good = np.isfinite(result.flux) & np.isfinite(limit) & ((result.flags & spoilt) == 0)
        good &= (sample.magnitude >= low) & (sample.magnitude < high)
        residual.append((result.flux - sample.flux)[good])
        error.append(result.flux_err[good])
        bound.append(limit[good])
        flux.append(sample.flux[good])
    r, e, b, f = (np.concatenate(part) for part in (residual, error, bound, flux))
    name = f"F146 {low:.0f} to {high:.0f}"
    bias = 1e3 * 2.5 / np.log(10) * np.sum(r * f / e**2) / np.sum(f**2 / e**2)
    pull = 0.5 * np.subtract(*np.percentile(r / e, [84.134, 15.866]))
    ratio = float(np.sqrt(np.mean((r / b) ** 2)))
    limit_bias = 1.0 if high <= 21 else 3.0
    return [
        Figure(AREA, f"{name}: rms / Cramér-Rao bound", ratio, "", 1.15, "min", "the bound", 1.0),
        Figure(AREA, f"{name}: |bias|", abs(float(bias)), "mmag", limit_bias, "min"),
        Figure(AREA, f"{name}: |robust width of pulls - 1|", abs(float(pull) - 1), "", 0.05, "min"),
    ]


def _lens_figures(samples: list[Sample], results: list[StarPhotometry]) -> list[Figure]:
    figures = []
    for sample, result in zip(samples, results, strict=True):
        star = int(np.flatnonzero(sample.lens)[0])
        pull = (result.flux[star] - sample.flux[star]) / result.flux_err[star]
        factor = sample.flux[star] / sample.stars.guess[star]
        figures.append(
            Figure(
                AREA,
                f"brightening star x{factor:.1f}: distance from truth",
                abs(float(pull)),
                "sigma",
                1.5,
                "min",
            )
        )
    return figures


def _seconds(run: Callable[[], object], repeats: int) -> float:
    """Shortest of several runs: the one least disturbed by others on the machine."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)
