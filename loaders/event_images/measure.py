"""Stars measured in an exposure without events and with them: their light is added in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.astrometry.stars import CatalogStars, catalog_pixels
from loaders.event_images.light import rounds_of
from loaders.injection.inject import Measurement, inject
from loaders.injection.level2 import reads_of
from loaders.injection.light import PreparedPsf, View
from loaders.injection.pixels import Pixels
from loaders.injection.sources import ArtificialSources
from loaders.photometry.measure import ExposureMeasurement, measure_image
from loaders.photometry.options import FitOptions
from loaders.psf.model import EffectivePsf
from loaders.wfi.level2 import Level2Image, read_level2

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LEAST_LIGHT = 1e-3
"""Light, in errors of its star, from which it is added: below it what was measured without serves."""

WITHOUT, WITH = 0, 1
"""Rows of what is measured: without the events, and with them."""


@dataclass(frozen=True)
class Scene:
    """What all exposures of an element and day share.

    Parameters
    ----------
    stars
        Catalogued stars.
    psf
        PSF that measures them, and that the light of events has.
    options
        Of the fit.
    star
        Shape (n,): row of the star of each event in the catalog; -1 where it is not there.
    ra, dec
        Shape (n,) each: places of the events, deg ICRS.
    seed
        Of the photons; with the number of the exposure and of the round it makes them.
    """

    stars: CatalogStars
    psf: EffectivePsf
    options: FitOptions
    star: IntArray
    ra: FloatArray
    dec: FloatArray
    seed: int

    @cached_property
    def prepared(self) -> PreparedPsf:
        """The PSF laid out for drawing."""
        return PreparedPsf.of(self.psf)


@dataclass(frozen=True)
class EventMeasurement:
    """What was measured in an exposure.

    Parameters
    ----------
    exposure_id
        The exposure.
    flux, flux_err
        Shape (2, n): without events and with them, nJy; NaN where not measured.
    flags
        Shape (2, n): `loaders.photometry.flags.PhotometryFlag`; 0 off the detector, as in light curves.
    light
        Shape (n,): light that was added, nJy; 0 where none was.
    """

    exposure_id: int
    flux: FloatArray
    flux_err: FloatArray
    flags: npt.NDArray[np.uint16]
    light: FloatArray


def unmeasured(exposure_id: int, count: int) -> EventMeasurement:
    """What is known of ``count`` events in an exposure that had to be refused."""
    nothing = np.full((2, count), np.nan)
    return EventMeasurement(
        exposure_id, nothing, nothing.copy(), np.zeros((2, count), np.uint16), np.zeros(count)
    )


def measure_events(path: Path, exposure_id: int, light: FloatArray, scene: Scene) -> EventMeasurement:
    """Measure the stars of events in an exposure, which is read once, by the photometry of every day.

    Parameters
    ----------
    path
        Level-2 file, which is left as it is.
    exposure_id
        The exposure.
    light
        Shape (n,): light of each event, nJy, 0 or more.
    scene
        Stars and PSF. Events that are close to each other are measured in rounds
        (`loaders.event_images.light.rounds_of`), those that bring light there and then.

    Raises
    ------
    Rejected
        If the file can't be used, or no noise of added light is known
        (`loaders.injection.pixels.noise_per_rate`).
    """
    image = read_level2(path)
    before = measure_image(image, exposure_id, scene.stars, scene.psf, scene.options)
    out = unmeasured(exposure_id, light.size)
    everything = np.arange(light.size)
    for row in (WITHOUT, WITH):
        _take(out, row, before, scene.star, everything)
    added = np.where(np.isfinite(out.flux[WITHOUT]), light, 0.0)
    bright = np.flatnonzero(added > LEAST_LIGHT * np.nan_to_num(out.flux_err[WITHOUT], nan=np.inf))
    round_of = rounds_of(scene.ra[bright], scene.dec[bright])
    for number in range(round_of.max(initial=-1) + 1):
        mine = bright[round_of == number]
        seed = [scene.seed, exposure_id, number]
        lit = with_light(image, star_pixels(image, scene, mine, before.shift), added[mine], scene, seed)
        after = measure_image(lit, exposure_id, scene.stars, scene.psf, scene.options)
        _take(out, WITH, after, scene.star, mine)
        out.light[mine] = added[mine]
    return out


def star_pixels(
    image: Level2Image, scene: Scene, events: IntArray, shift: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Pixels at which an exposure shows the stars of some events: as catalogued, and shifted as all are.

    Parameters
    ----------
    image
        The exposure.
    scene
        Stars.
    events
        Shape (k,): events, of stars that are in the catalog.
    shift
        Common shift of all stars, mas, east and north (`ExposureMeasurement`); NaN where it is not known.
    """
    x, y = catalog_pixels(image, scene.stars.astrometry)
    rows = scene.star[events]
    if not np.isfinite(shift).all():
        return x[rows], y[rows]
    middle = image.projection.jacobian(np.array([image.shape[1] / 2]), np.array([image.shape[0] / 2]))[0]
    dx, dy = np.linalg.solve(middle * 1000.0, np.array(shift))
    return x[rows] + dx, y[rows] + dy


def with_light(
    image: Level2Image,
    place: tuple[FloatArray, FloatArray],
    flux: FloatArray,
    scene: Scene,
    seed: list[int],
) -> Level2Image:
    """An exposure with more light and the noise of its photons; the one given stays as it is.

    Parameters
    ----------
    image
        The exposure.
    place
        Pixels x and y, shape (k,) each.
    flux
        Shape (k,), nJy.
    scene
        PSF of the light.
    seed
        Of the photons.
    """
    rest = np.square(image.err) - image.var_poisson
    reads = np.where(rest > 0, rest, np.float32(0))
    planes = [plane.copy() for plane in (image.data, image.err, image.var_poisson)]
    pixels = Pixels.of([*planes, reads], image.dq.copy(), image.metadata.filename or "image")
    sources = ArtificialSources.stars(*image.projection.to_sky(*place), flux)
    view = View(image.projection, scene.prepared, image.njy_per_unit)
    photons = int(np.random.SeedSequence(seed).generate_state(1)[0])
    inject(pixels, view, sources, Measurement(reads_of(image.metadata), photons, scene.options.thread_count))
    assert pixels.dq is not None
    return replace(
        image,
        data=pixels.data.astype(np.float32, copy=False),
        err=pixels.err.astype(np.float32, copy=False),
        var_poisson=pixels.var_poisson.astype(np.float32, copy=False),
        dq=pixels.dq,
    )


def _take(
    out: EventMeasurement, row: int, measured: ExposureMeasurement, star: IntArray, events: IntArray
) -> None:
    """Take what was measured of the stars of some events."""
    if not measured.star.size:
        return
    at = np.minimum(np.searchsorted(measured.star, star[events]), measured.star.size - 1)
    known = measured.star[at] == star[events]
    to, of = events[known], at[known]
    out.flux[row, to], out.flux_err[row, to] = measured.flux[of], measured.flux_err[of]
    out.flags[row, to] = measured.flags[of]
