"""Stars found in the crowded files of romanisim: recall and false detections beside peers on the same pixels.

A detected source and a true star belong together if they are less than half a pixel and one magnitude apart;
each has at most one partner, the nearest first. Recall is the share of the true stars of some magnitudes that
have a partner, false the share of sources measured at some magnitudes that have none. Both count what lies
more than 6 pixels within the image. There is a true star on every tenth pixel, most of them far below the
noise: some partners are chance, and some false sources are two stars that are one between them.

All list what stands out by 5 sigma, and have the same PSF. The peers are photutils' iterative PSF photometry
and crowdsource (Schlafly et al. 2018), on a part of the image because of their time, and SEP, which has no
PSF fit (deblending, circles of 2 pixels with an aperture correction). crowdsource samples the PSF once a
pixel and shifts that, which suits images with broader PSFs than these. Peers that are not installed are left
out: see ``bench/requirements.txt``.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
from photutils.detection import DAOStarFinder
from photutils.psf import ImagePSF, IterativePSFPhotometry, SourceGrouper
from scipy.spatial import cKDTree

from bench.record import Figure
from bench.romanisim_psf import romanisim_psf
from bench.sample import NANOJANSKY_AB, WINDOW_ORIGIN, Sample, read_sample, sample_directory
from loaders.detection.layer import Layer
from loaders.detection.search import search
from loaders.psf.model import EffectivePsf
from loaders.wfi.level2 import read_level2
from loaders.wfi.placement import fit_placement
from loaders.wfi.projection import SkyProjection

FloatArray = npt.NDArray[np.float64]

AREA = "reference"
BINS = ((20.0, 21.0), (21.0, 22.0), (22.0, 23.0))
RECALL = {20.0: 0.97, 22.0: 0.90}
FALSE = 0.05
MARGIN, RADIUS, MAGNITUDES = 6.0, 0.5, 1.0
PART, PSF_HALF_WIDTH = 128, 60


@dataclass(frozen=True)
class Found:
    """Sources in pixels of the first exposure, with fluxes in its unit, and the seconds it took."""

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    seconds: float = np.nan


def figures() -> Iterator[Figure]:
    """All figures of this file."""
    directory = sample_directory()
    if directory is None:
        print("detection: not measured, for want of the romanisim files (see --data)")
        return
    samples = [read_sample(directory, exposure) for exposure in range(3)]
    psf = romanisim_psf("WFI07", "F146", half_width=PSF_HALF_WIDTH)
    one = samples[0]
    search([Layer(one.image, psf)], one.image.data.shape)  # compiles
    single = ours(samples[:1], directory, psf)
    for peer, run, side in (
        ("photutils IterativePSFPhotometry", photutils_sources, PART),
        ("SEP", sep_sources, np.inf),
        ("crowdsource", crowdsource_sources, PART),
    ):
        other = run(one, psf)
        if other is not None:
            part = f", {side:.0f} x {side:.0f} pixels" if np.isfinite(side) else ""
            yield from compared(f"one exposure{part}", one, single, (peer, other), side)
    yield from compared("three exposures together", one, ours(samples, directory, psf), None, np.inf)


def ours(samples: list[Sample], directory: Path, psf: EffectivePsf) -> Found:
    """Sources by `loaders.detection`, exposures placed by the WCS of their files."""
    paths = sorted(directory.glob("*_cal.asdf"))[: len(samples)]
    projections = [read_level2(path).projection for path in paths]
    shape = samples[0].image.data.shape
    layers = []
    for sample, projection in zip(samples, projections, strict=True):
        place = fit_placement(between(projections[0], projection), (0, 0), (shape[1] - 1, shape[0] - 1))
        layers.append(Layer(sample.image, psf, place))
    begin = time.perf_counter()
    found = search(layers, shape)
    return Found(found.x, found.y, found.flux, time.perf_counter() - begin)


def between(
    first: SkyProjection, other: SkyProjection
) -> Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Pixels of one exposure to those of another."""
    return lambda x, y: other.to_pixel(*first.to_sky(x, y))


def compared(
    label: str, sample: Sample, found: Found, peer: tuple[str, Found] | None, side: float
) -> Iterator[Figure]:
    """Recall and false detections by magnitude, ours beside a peer's, in a corner of the image."""
    said = None if peer is None else peer[0]
    mine = counted(sample, found, side)
    theirs = None if peer is None else counted(sample, peer[1], side)
    for limits, own, other in zip(BINS, mine, theirs or [None] * len(BINS), strict=True):
        name = f"stars found in {label}, F146 {limits[0]:.0f} to {limits[1]:.0f}"
        recall, false = (None, None) if other is None else other
        yield Figure(AREA, f"{name}: recall", own[0], "", RECALL.get(limits[0]), "max", said, recall)
        yield Figure(AREA, f"{name}: share of false ones", own[1], "", FALSE, "min", said, false)
    shape = sample.image.data.shape
    rates = [shape[0] * shape[1] / found.seconds / 1e6, None]
    if peer is not None:
        pixels = min(side, shape[0]) * min(side, shape[1])
        rates[1] = pixels / peer[1].seconds / 1e6
    yield Figure(AREA, f"stars found in {label}: speed", rates[0], "Mpixel/s", None, "max", said, rates[1])


def counted(sample: Sample, found: Found, side: float) -> list[tuple[float, float]]:
    """Recall and share of false sources in each bin of magnitude."""
    shape = sample.image.data.shape
    truth = Found(sample.stars.x, sample.stars.y, sample.flux)
    # Partners may lie in the margin.
    partner = matched(sample, truth, found)
    lone = np.ones(found.x.size, dtype=bool)
    lone[partner[partner >= 0]] = False
    stars, sources = (_in_corner(one, side, shape) for one in (truth, found))
    true_magnitude, magnitude = _magnitude(sample, truth.flux), _magnitude(sample, found.flux)
    out = []
    for low, high in BINS:
        real = stars & (true_magnitude >= low) & (true_magnitude < high)
        seen = sources & (magnitude >= low) & (magnitude < high)
        out.append((float(np.mean(partner[real] >= 0)), float(np.mean(lone[seen])) if seen.any() else 0.0))
    return out


def _in_corner(one: Found, side: float, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which lie well within a corner of the image."""
    top, right = min(shape[0], side) - 1 - MARGIN, min(shape[1], side) - 1 - MARGIN
    return (one.x > MARGIN) & (one.x < right) & (one.y > MARGIN) & (one.y < top)


def matched(sample: Sample, truth: Found, found: Found) -> npt.NDArray[np.int64]:
    """Row of the source that is the partner of each true star, -1 where there is none."""
    tree = cKDTree(np.column_stack([found.x, found.y]))
    near = tree.query_ball_point(np.column_stack([truth.x, truth.y]), RADIUS)
    star = np.repeat(np.arange(truth.x.size), [len(rows) for rows in near])
    source = np.concatenate([np.asarray(rows, dtype=np.int64) for rows in near])
    alike = np.abs(_magnitude(sample, truth.flux)[star] - _magnitude(sample, found.flux)[source]) < MAGNITUDES
    star, source = star[alike], source[alike]
    distance = np.hypot(truth.x[star] - found.x[source], truth.y[star] - found.y[source])
    out, taken = np.full(truth.x.size, -1), np.zeros(found.x.size, dtype=bool)
    for k in np.argsort(distance, kind="stable"):
        if out[star[k]] < 0 and not taken[source[k]]:
            out[star[k]], taken[source[k]] = source[k], True
    return out


def _magnitude(sample: Sample, flux: FloatArray) -> FloatArray:
    """AB magnitudes; faint for what has no light."""
    return -2.5 * np.log10(np.maximum(flux, 1e-6) * sample.njy_per_unit / NANOJANSKY_AB)


def planes(sample: Sample) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Data, errors, and pixels that may be used; values that peers can bear where not."""
    good = sample.image.good_pixels()
    data = np.where(good, sample.image.data, np.median(sample.image.data[good])).astype(float)
    variance = np.where(good, sample.image.noise.variance(data), 1.0)
    return data, np.sqrt(variance), good


def middle_psf(psf: EffectivePsf, side: float, half_width: int) -> FloatArray:
    """The PSF in the middle of a corner of the window, cut out."""
    grid = psf.at(WINDOW_ORIGIN[0] + side / 2, WINDOW_ORIGIN[1] + side / 2)
    cut = (int(psf.half_width) - half_width) * psf.oversampling
    return grid[cut:-cut, cut:-cut]


def photutils_sources(sample: Sample, psf: EffectivePsf) -> Found | None:
    """Sources of a corner by photutils: DAOStarFinder, groups, fits, and again on the residual."""
    part = np.s_[:PART, :PART]
    data, error, good = (plane[part] for plane in planes(sample))
    sky = float(np.percentile(data, 20))
    model = ImagePSF(middle_psf(psf, PART, 8), oversampling=psf.oversampling)
    finder = DAOStarFinder(threshold=5 * float(np.median(error)), fwhm=1.6)
    photometry = IterativePSFPhotometry(
        model, (5, 5), finder, grouper=SourceGrouper(1.5), aperture_radius=2.0, maxiters=3, mode="all"
    )
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = photometry(data - sky, error=error, mask=~good)
    seconds = time.perf_counter() - begin
    x, y, flux = (np.asarray(table[name], dtype=float) for name in ("x_fit", "y_fit", "flux_fit"))
    good = np.isfinite(x) & np.isfinite(y) & (flux > 0)
    return Found(x[good], y[good], flux[good], seconds)


def _module(name: str) -> ModuleType | None:
    """A peer, None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"detection: {name} is not installed; its figures are left out")
        return None


def sep_sources(sample: Sample, psf: EffectivePsf) -> Found | None:
    """Sources by SEP; without a filter it finds more here than with one. The PSF makes circles whole."""
    sep = _module("sep")
    if sep is None:
        return None
    sep.set_extract_pixstack(10_000_000)
    sep.set_sub_object_limit(1_000_000)
    data, err, good = planes(sample)
    step = psf.oversampling
    grid = middle_psf(psf, data.shape[0], 8)
    offset = np.arange(grid.shape[0]) - grid.shape[0] // 2
    distance = np.hypot(*np.meshgrid(offset, offset)) / step
    share = float(grid[distance < 2.0].sum() / psf.at(*WINDOW_ORIGIN).sum())
    begin = time.perf_counter()
    clean = data - sep.Background(data, mask=~good, bw=16, bh=16)
    found = sep.extract(
        clean, 5.0, err=err, mask=~good, minarea=3, filter_kernel=None, deblend_nthresh=64,
        deblend_cont=1e-4, clean=False,
    )  # fmt: skip
    flux, flux_err, _ = sep.sum_circle(clean, found["x"], found["y"], 2.0, err=err)
    seconds = time.perf_counter() - begin
    kept = flux > 5 * flux_err
    return Found(found["x"][kept], found["y"][kept], flux[kept] / share, seconds)


def crowdsource_sources(sample: Sample, psf: EffectivePsf) -> Found | None:
    """Sources of a corner by crowdsource, the PSF held as it is."""
    if _module("crowdsource") is None:
        return None
    base = importlib.import_module("crowdsource.crowdsource_base")
    models = importlib.import_module("crowdsource.psf")
    data, err, good = (plane[:PART, :PART] for plane in planes(sample))
    weight = np.where(good, 1 / err, 0.0)
    stamp = middle_psf(psf, PART, 29)[:: psf.oversampling, :: psf.oversampling]
    model = models.SimplePSF(np.ascontiguousarray(stamp), normalize=-1)
    begin = time.perf_counter()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        result = base.fit_im(data, model, weight=weight, maxiter=10, refit_psf=False, verbose=False)
    seconds = time.perf_counter() - begin
    table = result[0]
    kept = (table["flux"] > 5 * table["dflux"]) & np.isfinite(table["flux"])
    # Its x runs along rows.
    x, y, flux = (np.asarray(table[name][kept], dtype=float) for name in ("y", "x", "flux"))
    return Found(x, y, flux, seconds)
