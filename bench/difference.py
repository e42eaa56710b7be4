"""Differences: how much is left of an image once the template is taken off, beside a peer on the same pixels.

A pixel counts as left over if it is off by more than 5 standard deviations, a false peak is a maximum of the
modulus beyond 6; the standard deviation is that of the pixels of image and template, the same for all.
Peaks are counted for a field of 1024 x 1024 pixels.

*Matched templates.* Sixty dithered exposures of a crowded field make a reference; another exposure, whose PSF
is broader and varies over the field, whose sky slopes and whose light is 3 % fainter, is compared with it. Of
all stars, some changed: they are looked for by both. The peer, SFFT (Hu et al. 2022), fits a kernel on the
pixels of the exposure; it is given the template at their very places, as our super-sampled one has it.

*PSF models.* Stars are photometered in two of romanisim's files and subtracted from the third with these
fluxes: once at their places in the catalog, where all are known down to 25 mag, one on every tenth pixel, and
once at those where they were found in the two files. Left out are stars that romanisim varied, and 40 pixels
along the edges: wings of stars outside of the files are in no list.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.spatial import cKDTree

from bench.detection import between
from bench.dithered_field import (
    POISSON,
    REACH,
    READ,
    SKY,
    FieldOfStars,
    field_of_stars,
    middle_of,
    noisy,
    projection,
)
from bench.record import Figure
from bench.romanisim_psf import romanisim_psf
from bench.sample import Sample, read_sample, sample_directory
from loaders.detection.layer import Layer
from loaders.detection.search import search
from loaders.difference.kernels import sample_template
from loaders.difference.matching import Difference, MatchingOptions, Template, match_template
from loaders.difference.sources import DifferenceOptions, SourceClass, find_difference_sources
from loaders.photometry.background import BackgroundSurface, block_means
from loaders.photometry.fit import photometer
from loaders.photometry.image import PixelImage
from loaders.photometry.parallel import available_threads
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import optical_psf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.reference.build import ExposureImage, Reference, build_reference
from loaders.reference.frame import choose_frame
from loaders.reference.kernels import Geometry
from loaders.reference.members import first_state
from loaders.wfi.level2 import read_level2
from loaders.wfi.placement import Placement, fit_placement

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SIDE, COUNT = 1024, 60
EDGE, FILE_EDGE, FAR, PEAK = 12, 40, 5.0, 6.0
CHANGED, CHANGE_SNR = 200, 10.0
SHARPNESS = 12.0
"""Pixels whose noise a star alone has, about."""

AREA, OVERSAMPLING = "reference", 2


def figures() -> Iterator[Figure]:
    """All figures of this file."""
    yield from matched_figures()
    yield from modelled_figures()


@dataclass(frozen=True)
class Scene:
    """An exposure, the reference that it is compared with, and which stars changed by what."""

    exposure: PixelImage
    place: Placement
    reference: Reference
    psf: EffectivePsf
    x: FloatArray
    y: FloatArray
    change: FloatArray

    @property
    def quiet(self) -> BoolArray:
        """Pixels that no change reaches, and that are not at the edge."""
        out = np.zeros((SIDE, SIDE), dtype=bool)
        out[EDGE:-EDGE, EDGE:-EDGE] = True
        moved = np.flatnonzero(self.change)
        column, row = (np.rint(p[moved]).astype(int) for p in (self.x, self.y))
        for i, j in zip(column, row, strict=True):
            out[max(j - REACH, 0) : j + REACH + 1, max(i - REACH, 0) : i + REACH + 1] = False
        return out


def scene() -> Scene:
    """The simulated field; the PSF of the exposure is broader by up to 0.25 pixels in quadrature."""
    psf = middle_of(optical_psf("WFI07", "F146"))
    field = field_of_stars(psf, SIDE, COUNT)
    frame = choose_frame([one.projection for one in field.exposures], OVERSAMPLING)
    reference = build_reference(field.exposures.__getitem__, COUNT, frame)
    rng = np.random.default_rng(20280101)
    dither = (1.37, -2.41)
    later = broadened(psf)
    x, y = field.x - dither[0], field.y - dither[1]
    change = changes(field, x, y, rng)
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    light = field.light(later, dither, SIDE, 0.97 * (field.flux + change)) + SKY + 0.2 * columns - 0.1 * rows
    image = noisy(light, rng)
    place = first_state(ExposureImage(image, projection(*dither, SIDE)), frame).place
    assert place is not None
    return Scene(image, place, reference, later, x, y, change)


def broadened(psf: EffectivePsf) -> EffectivePsf:
    """The PSF convolved with Gaussians whose widths grow from 0.1 to 0.25 pixels over the field."""
    stamps = [
        [gaussian_filter(psf.stamps[0, 0], width * psf.oversampling) for width in row]
        for row in ((0.10, 0.15), (0.20, 0.25))
    ]
    nodes = np.array([0.0, SIDE - 1.0])
    return EffectivePsf(np.array(stamps), psf.oversampling, nodes, nodes)


def changes(field: FieldOfStars, x: FloatArray, y: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Change of the flux of each star: 10 standard deviations of a single one, up or down, of some."""
    inside = (x > 2 * EDGE) & (x < SIDE - 2 * EDGE) & (y > 2 * EDGE) & (y < SIDE - 2 * EDGE)
    chosen = rng.choice(np.flatnonzero(inside & (field.magnitude < 23)), CHANGED, replace=False)
    error = np.sqrt((READ + POISSON * SKY) * SHARPNESS + POISSON * field.flux[chosen])
    out = np.zeros(field.flux.size)
    out[chosen] = rng.choice([-1, 1], CHANGED) * np.minimum(CHANGE_SNR * error, 0.8 * field.flux[chosen])
    return out


def matched_figures() -> Iterator[Figure]:
    """Kernel matching beside SFFT, on the same exposure and template."""
    given = scene()
    template = Template(given.reference.coefficient, OVERSAMPLING, _template_noise(given.reference))
    options = MatchingOptions(order=2)
    match_template(given.exposure, given.place, template, options)  # compiles
    begin = time.perf_counter()
    own = match_template(given.exposure, given.place, template, options)
    seconds = time.perf_counter() - begin
    deviation = np.sqrt(own.variance)
    peer, theirs = None, (None, None, None)
    other = sfft_difference(given.exposure, sampled(given, template))
    if other is not None:
        peer = "SFFT"
        theirs = (*leftovers(other[0] / deviation, given.quiet & own.usable), SIDE**2 / other[1] / 1e6)
    beyond, peaks = leftovers(own.data / deviation, given.quiet & own.usable)
    name = f"difference, template of {COUNT} exposures"
    yield Figure(AREA, f"{name}: pixels beyond 5 sigma", beyond, "", 0.001, "min", peer, theirs[0])
    yield Figure(AREA, f"{name}: false peaks beyond 6 sigma", peaks, "", 10, "min", peer, theirs[1])
    speed = SIDE**2 / seconds / 1e6
    yield Figure(AREA, f"{name}: speed", speed, "Mpixel/s", None, "max", peer, theirs[2])
    yield from _found(name, given, own)


def _template_noise(reference: Reference) -> tuple[float, float]:
    """Variance of a template without stars, and its growth with the rate."""
    noise = reference.image.noise
    scale = float(np.nanmedian(noise.scale)) * OVERSAMPLING**4
    return noise.read * scale, noise.poisson * scale / OVERSAMPLING**2


def leftovers(significance: FloatArray, counted: BoolArray) -> tuple[float, float]:
    """Share of the counted pixels beyond 5 sigma, and maxima beyond 6 for a field of 1024 x 1024."""
    far = np.where(counted, np.abs(significance), 0)
    peak = (far > PEAK) & (far == maximum_filter(far, size=3))
    return float((far > FAR).sum() / counted.sum()), float(peak.sum() / counted.sum() * 1024**2)


def _found(name: str, given: Scene, own: Difference) -> Iterator[Figure]:
    """Stars that changed and are found, and sources taken for stars that are none of these."""
    sources = find_difference_sources(own, given.psf, (0.0, 0.0), (given.x, given.y), DifferenceOptions())
    changed = given.change != 0
    real = np.isin(sources.kind, [SourceClass.NEW.value, SourceClass.VARIABLE.value])
    places = np.column_stack([sources.x, sources.y])[real]
    truth = np.column_stack([given.x, given.y])[changed]
    near, row = cKDTree(places).query(truth)
    alike = (near < 0.5) & (
        np.sign(sources.flux[real][np.minimum(row, real.sum() - 1)]) == np.sign(given.change[changed])
    )
    far, _ = cKDTree(truth).query(places)
    yield Figure(AREA, f"{name}: stars found that changed by 10 sigma", float(alike.mean()), "", None, "max")
    yield Figure(AREA, f"{name}: false sources", float((far > 1.0).sum()), "", 10, "min")


def sampled(given: Scene, template: Template) -> FloatArray:
    """The super-sampled template at the places of the exposure's pixels."""
    out = np.empty((SIDE, SIDE, 1), dtype=np.float32)
    geometry = Geometry(given.place.centre, given.place.half, np.ascontiguousarray(given.place.forward))
    sample_template(0, SIDE, template.coefficient, geometry, 0, out)
    return np.nan_to_num(out[..., 0].astype(np.float64))


def sfft_difference(exposure: PixelImage, template: FloatArray) -> tuple[FloatArray, float] | None:
    """The exposure less the template by SFFT, and the seconds it took; None where it is not installed."""
    try:
        packet = importlib.import_module("sfft.CustomizedPacket").Customized_Packet
    except ImportError:
        print("difference: sfft is not installed; its figures are left out")
        return None
    data = exposure.data.astype(np.float64)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        names = {name: str(Path(folder) / f"{name}.fits") for name in ("reference", "science", "difference")}
        fits.writeto(names["reference"], template)
        fits.writeto(names["science"], data)
        seconds = np.inf
        for _ in range(2):  # the first one compiles
            begin = time.perf_counter()
            packet.CP(
                FITS_REF=names["reference"], FITS_SCI=names["science"], FITS_mREF=names["reference"],
                FITS_mSCI=names["science"], FITS_DIFF=names["difference"], ForceConv="REF", GKerHW=3,
                KerPolyOrder=2, BGPolyOrder=2, ConstPhotRatio=False, BACKEND_4SUBTRACT="Numpy",
                NUM_CPU_THREADS_4SUBTRACT=available_threads(), VERBOSE_LEVEL=0,
            )  # fmt: skip
            seconds = min(seconds, time.perf_counter() - begin)
        return np.asarray(fits.getdata(names["difference"]), dtype=np.float64), seconds


def modelled_figures() -> Iterator[Figure]:
    """A romanisim file less the stars that two others show."""
    directory = sample_directory()
    if directory is None:
        print("difference: not measured on romanisim files, for want of them (see --data)")
        return
    samples = [read_sample(directory, exposure) for exposure in range(3)]
    projections = [read_level2(path).projection for path in sorted(directory.glob("*_cal.asdf"))]
    psf = romanisim_psf("WFI07", "F146", half_width=60)
    shape = samples[0].image.data.shape
    reach = ((0, 0), (shape[1] - 1, shape[0] - 1))
    places = [fit_placement(between(projections[0], one), *reach) for one in projections]
    layers = [Layer(sample.image, psf, place) for sample, place in zip(samples, places, strict=True)]
    found = search(layers[:2], shape)
    blind = places[2](found.x, found.y), (found.flux, found.flux_err)
    known = (samples[2].stars.x, samples[2].stars.y), mean_fluxes(samples[:2], psf)
    for label, (place, flux) in (("in the catalog", known), ("found", blind)):
        significance, counted = modelled(samples[2], psf, place, flux)
        counted &= unchanged(samples)
        beyond, peaks = leftovers(significance, counted)
        name = f"difference of romanisim files, stars {label}"
        yield Figure(AREA, f"{name}: pixels beyond 5 sigma", beyond, "", 0.001, "min")
        yield Figure(AREA, f"{name}: false peaks beyond 6 sigma", peaks, "", 10, "min")


def mean_fluxes(samples: list[Sample], psf: EffectivePsf) -> tuple[FloatArray, FloatArray]:
    """Fluxes of the catalogued stars in some files together, and their errors."""
    found = [photometer(sample.image, sample.stars, psf) for sample in samples]
    weight = np.array([np.where(one.flux_err > 0, one.flux_err, np.inf) ** -2.0 for one in found])
    flux = np.array([np.nan_to_num(one.flux) for one in found])
    total = np.maximum(weight.sum(axis=0), np.finfo(float).tiny)
    known = weight.sum(axis=0) > 0
    mean = (weight * flux).sum(axis=0) / total
    return np.where(known, mean, 0.0), np.where(known, total**-0.5, 0.0)


def windowed(psf: EffectivePsf, origin: tuple[float, float], side: int) -> EffectivePsf:
    """The PSF in pixels of a window of the detector."""
    ends = np.array([0.0, side - 1.0])
    stamps = np.array([[psf.at(origin[0] + x, origin[1] + y) for x in ends] for y in ends])
    return EffectivePsf(stamps, psf.oversampling, ends, ends)


def modelled(
    sample: Sample,
    psf: EffectivePsf,
    place: tuple[FloatArray, FloatArray],
    flux: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, BoolArray]:
    """An image less stars of known fluxes and a smooth sky, over its standard deviation; pixels that count.

    The variance is that of the image, and of the fluxes as if they were independent.
    """
    image = sample.image
    side = image.data.shape[0]
    near = windowed(psf, image.origin, side)
    squared = EffectivePsf(near.stamps**2, near.oversampling, near.x_node, near.y_node)
    light, doubt = np.zeros((side, side)), np.zeros((side, side))
    reach = np.full(place[0].size, int(near.half_width) - 1)
    draw(light, SplinePsf.of(near), Stars(*place, flux[0], reach))
    draw(doubt, SplinePsf.of(squared), Stars(*place, flux[1] ** 2, np.minimum(reach, REACH)))
    good = image.good_pixels()
    left = np.where(good, image.data - light, 0).astype(np.float32)
    sky = np.zeros_like(left)
    surface = BackgroundSurface(left.shape, 128.0)
    for _ in range(3):
        variance = image.noise.variance(light + sky) + doubt
        weight = np.where(good, 1 / np.where(good, variance, 1), 0).astype(np.float32)
        surface.update(*block_means(left - sky, weight, np.zeros_like(left), FAR))
        sky = surface.image()
    inside = np.zeros_like(good)
    middle = np.s_[FILE_EDGE:-FILE_EDGE, FILE_EDGE:-FILE_EDGE]
    inside[middle] = good[middle]
    return np.where(good, (left - sky) / np.sqrt(np.where(good, variance, 1)), 0), inside


def unchanged(samples: list[Sample]) -> BoolArray:
    """Pixels of the third file that no star reaches which romanisim made brighter or fainter."""
    side = samples[2].image.data.shape[0]
    before = (samples[0].flux + samples[1].flux) / 2
    changed = np.flatnonzero(np.abs(samples[2].flux / before - 1) > 0.005)
    out = np.ones((side, side), dtype=bool)
    for k in changed:
        i, j = round(samples[2].stars.x[k]), round(samples[2].stars.y[k])
        out[max(j - 4, 0) : j + 5, max(i - 4, 0) : i + 5] = False
    return out
