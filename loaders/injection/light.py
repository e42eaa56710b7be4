"""The light of artificial sources in an image, before it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.injection.galaxies import Blur, draw_galaxies, is_compact, reach
from loaders.injection.sources import ArtificialSources
from loaders.photometry.parallel import Workers
from loaders.photometry.psf_table import PsfTable
from loaders.photometry.scene import Canvas, Drawn, draw_stars
from loaders.psf.model import EffectivePsf
from loaders.wfi.projection import SkyProjection

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PreparedPsf:
    """An effective PSF laid out for drawing: for points, for what goes on top of galaxies, for galaxies."""

    points: PsfTable
    wings: PsfTable | None
    blur: Blur

    @classmethod
    def of(cls, psf: EffectivePsf) -> PreparedPsf:
        """Lay out a PSF; once for all images that it serves."""
        blur = Blur.of(psf)
        wings = PsfTable.of(blur.wings) if blur.wings.stamps.any() else None
        return cls(PsfTable.of(psf), wings, blur)


@dataclass(frozen=True)
class View:
    """How an image sees the sky.

    Parameters
    ----------
    projection
        Pixels to sky and back.
    psf
        PSF in pixels of the image.
    njy_per_unit
        Flux density (nJy) of a source that makes one unit of the image in all pixels together.
    """

    projection: SkyProjection
    psf: PreparedPsf
    njy_per_unit: float

    def pixels(self, sources: ArtificialSources) -> tuple[FloatArray, FloatArray]:
        """Pixels at which sources are, shape (n,) each; NaN far off the image."""
        return self.projection.to_pixel(sources.ra, sources.dec)

    def inside(self, sources: ArtificialSources) -> BoolArray:
        """Sources whose centres are on pixels of the image, shape (n,)."""
        return self.projection.inside(*self.pixels(sources))


def expected_light(
    view: View, sources: ArtificialSources, error: float, workers: Workers, factor: FloatArray | None = None
) -> Float32Array:
    """Draw sources without noise.

    Parameters
    ----------
    view
        How the image sees the sky.
    sources
        Sources anywhere: those up to `loaders.wfi.projection.MARGIN` pixels off the image shine in.
    error
        Departure from the PSF that a pixel may have, in the unit of the image.
    workers
        Threads.
    factor
        Shape (n,): the fluxes in this image over those of the sources, of variable sources; 1 for None.

    Returns
    -------
    ndarray
        Shape (ny, nx), unit of the image; not below 0.
    """
    x, y = view.pixels(sources)
    rate = sources.flux * (1.0 if factor is None else factor) / view.njy_per_unit
    image = np.zeros(view.projection.shape, dtype=np.float32)
    near = np.isfinite(x) & (rate != 0)
    stars, galaxies = np.flatnonzero(near & ~sources.is_galaxy), np.flatnonzero(near & sources.is_galaxy)
    _draw_points(image, view.psf.points, (x[stars], y[stars], rate[stars]), error, workers)
    if galaxies.size:
        _draw_profiles(image, view, sources.take(galaxies), (x[galaxies], y[galaxies], rate[galaxies]))
        if view.psf.wings is not None:
            jacobian = view.projection.jacobian(x[galaxies], y[galaxies])
            compact = galaxies[is_compact(reach(sources.take(galaxies), jacobian))]
            _draw_points(image, view.psf.wings, (x[compact], y[compact], rate[compact]), error, workers)
    return np.maximum(image, np.float32(0), out=image)


def _draw_points(
    image: Float32Array,
    table: PsfTable,
    points: tuple[FloatArray, FloatArray, FloatArray],
    error: float,
    workers: Workers,
) -> None:
    """Draw point sources out to where the PSF ends."""
    x, y, rate = points
    radius = np.full(x.size, table.half_width)
    stars = Drawn(x, y, rate, radius, table.cubic_radius(rate, error))
    draw_stars(Canvas(image, 0, (0.0, 0.0)), table, stars, workers)


def _draw_profiles(
    image: Float32Array,
    view: View,
    galaxies: ArtificialSources,
    points: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    """Draw galaxies."""
    x, y, rate = points
    jacobian = view.projection.jacobian(x, y)
    draw_galaxies(image, view.psf.blur, galaxies, (x, y, jacobian), rate)
