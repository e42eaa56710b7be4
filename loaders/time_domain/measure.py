"""Everything that is said of the sources in the difference of one exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.difference.exposure import ExposureDifference, SkyPlaces, pixels_at, places_on_sky
from loaders.difference.forced import ForcedFluxes, apertures_in_difference, forced_fluxes
from loaders.photometry.apertures import ApertureSums
from loaders.photometry.image import PixelImage
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.reference.frame import ReferenceFrame
from loaders.wfi.placement import Placement

IntArray = npt.NDArray[np.int64]

OF_OBJECTS, OF_DIFFERENCE = 0, 1
"""Input catalogs that positions come from: the object catalog, and the search of the difference itself."""


@dataclass(frozen=True)
class KnownObjects:
    """Objects on the frame, shape (m,) each: identifier, fine pixels (u, v), flux in nJy or NaN."""

    object_id: IntArray
    u: FloatArray
    v: FloatArray
    flux: FloatArray


@dataclass(frozen=True)
class InputPlaces:
    """Where the light of n sources is measured: at their object, or where they were found; shape (n,) each.

    Parameters
    ----------
    identifier
        ``object_id``, or the number of the source in the difference.
    catalog
        `OF_OBJECTS` or `OF_DIFFERENCE`.
    ra, dec
        Degrees ICRS.
    x, y
        Pixels of the exposure.
    flux
        Catalogued flux of the object, nJy; NaN where there is none.
    distance
        Of the source from its object, arcsec; NaN where there is none.
    """

    identifier: IntArray
    catalog: IntArray
    ra: FloatArray
    dec: FloatArray
    x: FloatArray
    y: FloatArray
    flux: FloatArray
    distance: FloatArray


@dataclass(frozen=True)
class MeasuredSources:
    """Sources of an exposure's difference and what was measured of them.

    Parameters
    ----------
    compared
        The difference and what was found in it.
    sky
        Where that is on the sky.
    places
        Where light was measured with the place held.
    forced, apertures
        What was measured there.
    side
        Shape (n,): side of a pixel, arcsec.
    """

    compared: ExposureDifference
    sky: SkyPlaces
    places: InputPlaces
    forced: ForcedFluxes
    apertures: ApertureSums
    side: FloatArray

    @property
    def count(self) -> int:
        """Number of sources."""
        return int(self.compared.sources.x.size)

    @property
    def object_id(self) -> IntArray:
        """Object of each source, -1 where there is none; shape (n,)."""
        return np.where(self.places.catalog == OF_OBJECTS, self.places.identifier, -1)


def measure_sources(
    compared: ExposureDifference,
    image: PixelImage,
    psf: EffectivePsf,
    where: tuple[ReferenceFrame, Placement],
    objects: KnownObjects,
) -> MeasuredSources:
    """Measure the sources of a difference where they are, and at the places of their objects.

    Parameters
    ----------
    compared
        The difference with its sources.
    image
        The exposure.
    psf
        Its PSF.
    where
        The frame, and the map from the pixels of the exposure to it.
    objects
        The objects that the sources were compared with, in the same order.
    """
    frame, place = where
    sources = compared.sources
    jacobian = place.jacobian(sources.x, sources.y)
    side = frame.pixel_scale * np.sqrt(np.abs(np.linalg.det(jacobian)))
    sky = places_on_sky(frame, place, sources)
    places = _input_places(compared, sky, where, objects, side)
    at = places.x, places.y
    poisson = image.noise.poisson * float(np.nanmedian(image.noise.scale))
    return MeasuredSources(
        compared,
        sky,
        places,
        forced_fluxes(compared.difference, psf, image.origin, at, poisson),
        apertures_in_difference(compared.difference, at, side),
        side,
    )


def _input_places(
    compared: ExposureDifference,
    sky: SkyPlaces,
    where: tuple[ReferenceFrame, Placement],
    objects: KnownObjects,
    side: FloatArray,
) -> InputPlaces:
    """The place of the object of each source, or its own where it has none."""
    sources = compared.sources
    known = sources.nearest >= 0
    row = sources.nearest[known]
    identifier = np.arange(known.size, dtype=np.int64)
    identifier[known] = objects.object_id[row]
    ra, dec, x, y = (column.copy() for column in (sky.ra, sky.dec, sources.x, sources.y))
    u, v = objects.u[row], objects.v[row]
    ra[known], dec[known] = where[0].projection.to_sky(u, v)
    x[known], y[known] = pixels_at(where[1], u, v)
    flux = np.full(known.size, np.nan)
    flux[known] = objects.flux[row]
    catalog = np.where(known, OF_OBJECTS, OF_DIFFERENCE).astype(np.int64)
    return InputPlaces(identifier, catalog, ra, dec, x, y, flux, sources.distance * side)
