"""Speed and accuracy of static catalogs.

A field of stars and galaxies with known fluxes, on the pixels of a sky cell, is detected, deblended and
measured. The peer is SEP, SExtractor as a library, on the same pixels with the same threshold; it
is measured where it is installed and left out where it is not. It does less: no PSF fits, no shapes corrected
for the PSF.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from bench.record import Figure
from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import DETECTOR_SCALE, mosaic_psf
from loaders.psf.optics import optical_psf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.simulation.wcs import tangent_wcs
from loaders.static_catalog.background import prepare_band
from loaders.static_catalog.catalog import StaticCatalog, image_catalog
from loaders.static_catalog.correlation import WHITE
from loaders.static_catalog.deblend import deblend
from loaders.static_catalog.detection import connected, convolve, detection_kernel
from loaders.static_catalog.extended import broadened
from loaders.static_catalog.image import SkyImage
from loaders.static_catalog.options import CatalogOptions

FloatArray = npt.NDArray[np.float64]

AREA = "reference"
SIDE, SCALE, ELEMENT = 5000, 0.055, "F158"
STARS, GALAXIES = 1500, 4500
NOISE, PHOTON = 2.0, 0.02
"""nJy a pixel, and nJy**2 a nJy."""
MARGIN = 40


def figures() -> Iterator[Figure]:
    """All figures of this file."""
    mosaic, psf, truth = field()
    image_catalog(_cut(mosaic, 600), psf)  # compiles
    begin = time.perf_counter()
    catalog = image_catalog(mosaic, psf)
    seconds = time.perf_counter() - begin
    sep = _sep()
    peer = None if sep is None else f"SEP {sep.__version__}"
    sep_seconds = None if sep is None else _seconds(lambda: sep_catalog(sep, mosaic, psf), 1)
    name = f"static catalog of a sky cell, {SIDE} x {SIDE} pixels"
    yield Figure(AREA, f"{name}: all of it", seconds, "s", 300.0, "min", peer, sep_seconds)
    own, other = division_seconds(sep, mosaic, psf)
    label = f"{name}: pixels to deblended sources on a filtered image"
    yield Figure(AREA, label, own, "s", None, "min", peer, other)
    yield from _accuracy(catalog, truth)


def field(
    side: int = SIDE, stars: int = STARS, galaxies: int = GALAXIES
) -> tuple[SkyImage, EffectivePsf, FloatArray]:
    """A mosaic with noise, its PSF, and the truth: rows x, y, flux (nJy) and whether it is a galaxy."""
    rng = np.random.default_rng(20270501)
    share = (side / SIDE) ** 2
    number = round(stars * share), round(galaxies * share)
    psf = mosaic_psf(optical_psf("WFI07", ELEMENT), np.diag([DETECTOR_SCALE, DETECTOR_SCALE]), SCALE)
    x, y = rng.uniform(0, side, (2, sum(number)))
    magnitude = np.maximum(26.5 - rng.exponential(1.6, x.size), 18.0)
    truth = np.stack([x, y, 3631e9 * 10 ** (-0.4 * magnitude), np.arange(x.size) >= number[0]], axis=1)
    image = np.zeros((side, side))
    sizes = np.geomspace(1.5, 6.0, 8)
    which = np.where(truth[:, 3] > 0, rng.integers(0, sizes.size, x.size), -1)
    for k in range(-1, sizes.size):
        rows = which == k
        shape = psf if k < 0 else broadened(psf, float(sizes[k]))
        reach = np.full(rows.sum(), int(psf.half_width) - 1)
        draw(image, SplinePsf.of(shape), Stars(x[rows], y[rows], truth[rows, 2], reach))
    return _observed(image, rng), psf, truth


def _observed(image: FloatArray, rng: np.random.Generator) -> SkyImage:
    """Noise of the sky and of the photons of sources."""
    read = np.full(image.shape, NOISE**2, dtype=np.float32)
    variance = (read + PHOTON * np.maximum(image, 0)).astype(np.float32)
    data = (image + rng.standard_normal(image.shape) * np.sqrt(variance)).astype(np.float32)
    meta = SimpleNamespace(wcsinfo=SimpleNamespace(skycell_name=None))
    good = np.ones(image.shape, dtype=bool)
    shape = (image.shape[0], image.shape[1])
    wcs = tangent_wcs(150.0, 2.2, SCALE, shape)
    return SkyImage("field", ELEMENT, data, variance, read, good, wcs, SCALE, WHITE, meta)


def _cut(mosaic: SkyImage, side: int) -> SkyImage:
    """A corner of a mosaic."""
    part = [
        plane[:side, :side] for plane in (mosaic.data, mosaic.variance, mosaic.read_variance, mosaic.good)
    ]
    return SkyImage("corner", ELEMENT, *part, mosaic.wcs, SCALE, WHITE, mosaic.meta)


def _sep() -> ModuleType | None:
    """The peer; None where it is not installed."""
    try:
        sep = importlib.import_module("sep")
    except ImportError:
        print("static_catalog: SEP is not installed; its figures are left out")
        return None
    sep.set_extract_pixstack(10_000_000)
    sep.set_sub_object_limit(100_000)
    return sep


def sep_catalog(sep: ModuleType, mosaic: SkyImage, psf: EffectivePsf) -> Any:
    """Background, extraction, Kron, five circles, half-light radii and windowed centroids by SEP."""
    data = np.ascontiguousarray(mosaic.data)
    clean = data - sep.Background(data, bw=128, bh=128)
    kernel = np.ascontiguousarray(detection_kernel(psf))
    found = sep.extract(
        clean, 4.5, err=np.sqrt(mosaic.variance), minarea=5, filter_kernel=kernel, filter_type="matched",
        deblend_nthresh=32, deblend_cont=0.005, clean=False,
    )  # fmt: skip
    x, y, err = found["x"], found["y"], np.sqrt(mosaic.variance)
    shape = found["a"], found["b"], found["theta"]
    radius, _ = sep.kron_radius(clean, x, y, *shape, 6.0)
    flux, _, _ = sep.sum_ellipse(clean, x, y, *shape, 2.5 * np.maximum(radius, 1.4), err=err, subpix=5)
    for r in CatalogOptions().aperture_radii:
        sep.sum_circle(clean, x, y, r / SCALE, err=err, subpix=5)
    half, _ = sep.flux_radius(clean, x, y, 6.0 * shape[0], 0.5, normflux=flux, subpix=5)
    return sep.winpos(clean, x, y, np.clip(2 * half / 2.3548, 0.5, 20.0))


def division_seconds(
    sep: ModuleType | None, mosaic: SkyImage, psf: EffectivePsf
) -> tuple[float, float | None]:
    """Seconds from one image of signal-to-noise ratios to deblended sources, ours and the peer's.

    The peer's include its moments of the sources, ours do not.
    """
    options = CatalogOptions()
    band = prepare_band(mosaic, psf, options)
    kernel = detection_kernel(psf)
    snr = convolve(band.data, kernel) / np.float32(NOISE * np.sqrt((kernel**2).sum()))
    noise = np.ones(snr.shape, dtype=np.float32)
    threshold = options.threshold

    def own() -> None:
        deblend(connected(snr > threshold, options.min_pixels), snr, noise, options)

    def other() -> None:
        assert sep is not None
        sep.extract(
            snr, threshold, minarea=options.min_pixels, filter_kernel=None, deblend_nthresh=32,
            deblend_cont=options.contrast, clean=False,
        )  # fmt: skip

    return _seconds(own, 3), None if sep is None else _seconds(other, 3)


def _accuracy(catalog: StaticCatalog, truth: FloatArray) -> Iterator[Figure]:
    """Bias and pull of fluxes and positions of sources apart from others, completeness, reliability."""
    sources, columns = catalog.sources, catalog.columns
    tree, places = KDTree(np.stack([sources.x, sources.y], axis=1)), KDTree(truth[:, :2])
    distance, row = tree.query(truth[:, :2])
    apart = places.query(truth[:, :2], k=2)[0][:, 1] > MARGIN
    inside = (truth[:, :2] > MARGIN).all(axis=1) & (truth[:, :2] < catalog.labels.shape[0] - MARGIN).all(
        axis=1
    )
    bright = inside & (truth[:, 2] > 1000)
    label = "static catalog"
    yield Figure(AREA, f"{label}: completeness to 23.9 mag", float((distance[bright] < 2).mean()), "", 0.95)
    spurious = places.query(np.stack([sources.x, sources.y], axis=1))[0] > 5
    yield Figure(AREA, f"{label}: share of spurious detections", float(spurious.mean()), "", 0.05, "min")
    star = bright & apart & (distance < 2) & (truth[:, 3] == 0)
    galaxy = bright & apart & (distance < 2) & (truth[:, 3] == 1)
    flux, error = (columns[name][row[star]] for name in ("psf_flux", "psf_flux_err"))
    pull = (flux - truth[star, 2]) / error
    bias = float(np.median(flux / truth[star, 2]) - 1)
    yield Figure(AREA, f"{label}: |bias| of PSF fluxes of stars", abs(bias), "", 0.01, "min")
    yield Figure(AREA, f"{label}: scatter of the pulls of PSF fluxes", _scatter(pull), "", 1.2, "min")
    offset = (columns["x_centroid_win"][row[galaxy]] - truth[galaxy, 0]) / columns["x_centroid_win_err"][
        row[galaxy]
    ]
    yield Figure(
        AREA, f"{label}: scatter of the pulls of galaxies' centroids", _scatter(offset), "", 1.2, "min"
    )
    extended = columns["is_extended"]
    yield Figure(AREA, f"{label}: stars called extended", float(extended[row[star]].mean()), "", 0.01, "min")
    yield Figure(AREA, f"{label}: galaxies called extended", float(extended[row[galaxy]].mean()), "", 0.95)


def _scatter(values: FloatArray) -> float:
    """Standard deviation, from the median of absolute deviations."""
    known = values[np.isfinite(values)]
    return float(1.4826 * np.median(np.abs(known - np.median(known))))


def _seconds(run: Callable[[], object], repeats: int) -> float:
    """Shortest of several runs: the one least disturbed by others on the machine."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)
