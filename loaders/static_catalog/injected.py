"""Artificial sources put into a mosaic, and a catalog of what went in beside what came out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from loaders.psf.model import EffectivePsf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.simulation.galaxies import Galaxies, draw_stamps, galaxy_stamp
from loaders.simulation.render import stamp_radius
from loaders.static_catalog.catalog import StaticCatalog
from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.mosaic import Mosaic

_MATCH_RADIUS = 0.15
"""Arcsec within which a source is taken for the one that was injected."""


@dataclass(frozen=True)
class Artificial:
    """Artificial sources, shape (n,) each.

    Parameters
    ----------
    x, y
        0-based pixels of the mosaic.
    flux
        nJy.
    half_light_radius
        Arcsec, circularised; 0 for a point source.
    sersic_n, axis_ratio, position_angle
        Of a galaxy: Sersic index, minor over major axis, deg from north through east.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    half_light_radius: FloatArray
    sersic_n: FloatArray
    axis_ratio: FloatArray
    position_angle: FloatArray


def inject(
    mosaic: Mosaic, psf: EffectivePsf, sources: Artificial, photon_variance: float, rng: np.random.Generator
) -> Mosaic:
    """Add artificial sources, with the noise of their photons, to a mosaic whose y axis is north.

    Parameters
    ----------
    mosaic
        The mosaic; it is not changed.
    psf
        Effective PSF in pixels of the mosaic.
    sources
        The sources.
    photon_variance
        Variance, nJy**2, of a nJy in a pixel (``noise_model(band).poisson`` of the mosaic's band).
    rng
        For the noise.
    """
    light = np.zeros(mosaic.data.shape)
    point = sources.half_light_radius == 0
    spline = SplinePsf.of(psf)
    reach = np.full(int(point.sum()), stamp_radius(spline))
    draw(light, spline, Stars(sources.x[point], sources.y[point], sources.flux[point], reach))
    axes = np.diag([-mosaic.pixel_scale, mosaic.pixel_scale])
    shapes = _as_galaxies(sources)
    stamps = {int(k): SplinePsf.of(galaxy_stamp(shapes, int(k), psf, axes)) for k in np.flatnonzero(~point)}
    draw_stamps(light, stamps, (sources.x, sources.y), sources.flux)
    more = (photon_variance * np.maximum(light, 0)).astype(np.float32)
    noise = rng.standard_normal(light.shape) * np.sqrt(more)
    return replace(
        mosaic, data=(mosaic.data + light + noise).astype(np.float32), variance=mosaic.variance + more
    )


def _as_galaxies(sources: Artificial) -> Galaxies:
    """The shapes as the simulator takes them; places and colours do not matter there."""
    unknown = np.full(sources.x.size, np.nan)
    return Galaxies(
        ra=unknown,
        dec=unknown,
        magnitude=unknown,
        temperature=unknown,
        sersic_n=sources.sersic_n,
        half_light_radius=sources.half_light_radius,
        axis_ratio=sources.axis_ratio,
        position_angle=sources.position_angle,
    )


@dataclass(frozen=True)
class Recovered:
    """What became of artificial sources, shape (n,) each.

    Parameters
    ----------
    label
        Label in the catalog; 0 where nothing was found, or only what was there before.
    output
        Columns of the catalog at the source; NaN where nothing was found.
    """

    label: npt.NDArray[np.int32]
    output: dict[str, FloatArray]


def recover(
    sources: Artificial,
    catalog: StaticCatalog,
    before: StaticCatalog | None = None,
    radius: float = _MATCH_RADIUS,
) -> Recovered:
    """Find artificial sources in the catalog of the mosaic that they were put into.

    Parameters
    ----------
    sources
        The sources.
    catalog
        Catalog of the mosaic with them.
    before
        Catalog of the mosaic without them: a source found at a place where there was one already, and nearer
        to the artificial source than the match radius, does not count as recovered.
    radius
        Match radius, arcsec.
    """
    pixels = radius / catalog.mosaics[0].pixel_scale
    label = _nearest(sources, catalog, pixels)
    if before is not None:
        label[_nearest(sources, before, pixels) > 0] = 0
    found = label > 0
    output = {}
    for name, values in catalog.columns.items():
        column = np.full(label.size, np.nan)
        column[found] = values[label[found] - 1]
        output[name] = column
    return Recovered(label, output)


def _nearest(sources: Artificial, catalog: StaticCatalog, pixels: float) -> npt.NDArray[np.int32]:
    """Label of the nearest source of a catalog within a radius, 0 for none."""
    label = np.zeros(sources.x.size, dtype=np.int32)
    places = np.stack([catalog.sources.x, catalog.sources.y], axis=1)
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    if known.size:
        wanted = np.stack([sources.x, sources.y], axis=1)
        distance, row = (np.asarray(part) for part in KDTree(places[known]).query(wanted))
        near = distance < pixels
        label[near] = known[row[near]] + 1
    return label
