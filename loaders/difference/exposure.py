"""An exposure less what all others say of the same sky, and the sources in what is left.

The template is an image on the fine grid that does not contain the exposure: the most recent reference before
it, or its own reference without it (`loaders.reference.others`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.difference.matching import Difference, MatchingOptions, Template, match_template
from loaders.difference.sources import DifferenceOptions, DifferenceSources, find_difference_sources
from loaders.photometry.image import PixelImage
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.reference.frame import ReferenceFrame
from loaders.reference.others import FineImage
from loaders.wfi.placement import Placement

_NEWTON = 4
"""Steps that invert a placement: it is nearly linear, so that each leaves the square of the error before."""


@dataclass(frozen=True)
class ExposureDifference:
    """An exposure compared.

    Parameters
    ----------
    difference
        The exposure less the matched template.
    sources
        What changed, in pixels of the exposure.
    """

    difference: Difference
    sources: DifferenceSources


@dataclass(frozen=True)
class SkyPlaces:
    """Places on the sky, shape (n,) each.

    ``ra`` and ``dec`` are degrees ICRS, the errors mas, ``ra_err`` times cos(dec).
    """

    ra: FloatArray
    dec: FloatArray
    ra_err: FloatArray
    dec_err: FloatArray


def template_of(image: FineImage) -> Template:
    """A super-sampled image as the template of exposures: in flux a detector pixel, and the noise of that."""
    fine, noise = image.oversampling**2, image.noise
    scale = np.asarray(noise.scale, dtype=np.float32)
    # Of what is in a fine pixel, flux and noise model are a detector pixel's over the number of fine ones.
    variance = (noise.read * fine**2, noise.poisson * fine)
    return Template(image.coefficient, image.oversampling, variance, scale, image.changing)


def compare_exposure(
    image: PixelImage,
    place: Placement,
    psf: EffectivePsf,
    template: Template,
    catalog: tuple[FloatArray, FloatArray],
    options: tuple[MatchingOptions, DifferenceOptions] | None = None,
) -> ExposureDifference:
    """Subtract a template from an exposure and find what changed.

    Parameters
    ----------
    image
        The exposure; its noise includes the sky.
    place
        Map from its pixels to the fine pixels of the template, as the stars have it.
    psf
        Its PSF, in detector coordinates.
    template
        Super-sampled image without this exposure.
    catalog
        Fine pixels (u, v) of catalogued objects, shape (m,) each.
    options
        Of the matching and of the search; the defaults if None.

    Returns
    -------
    ExposureDifference

    Raises
    ------
    Rejected
        Code ``no_overlap`` if too few pixels of the exposure lie on the template.
    """
    matching, searching = options or (MatchingOptions(), DifferenceOptions())
    difference = match_template(image, place, template, matching)
    objects = pixels_at(place, *catalog)
    sources = find_difference_sources(difference, psf, image.origin, objects, searching)
    return ExposureDifference(difference, sources)


def pixels_at(place: Placement, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Pixels of an image that lie at given places of another: the inverse of a placement.

    Parameters
    ----------
    place
        Map from the pixels that are asked for.
    u, v
        Shape (n,): places in the other image, on or near this one.

    Returns
    -------
    x, y : ndarray
        Shape (n,).
    """
    x, y = np.full(u.shape, place.centre[0]), np.full(v.shape, place.centre[1])
    for _ in range(_NEWTON):
        at = place(x, y)
        step = np.linalg.solve(place.jacobian(x, y), np.stack([u - at[0], v - at[1]], axis=-1)[..., None])
        x, y = x + step[..., 0, 0], y + step[..., 1, 0]
    return x, y


def places_on_sky(frame: ReferenceFrame, place: Placement, sources: DifferenceSources) -> SkyPlaces:
    """Where sources of an exposure are on the sky, through the place that its stars gave it in the frame."""
    ra, dec = frame.projection.to_sky(*place(sources.x, sources.y))
    # Arcsec east and north per pixel of the exposure, for each source.
    matrix = 1000.0 * frame.matrix @ place.jacobian(sources.x, sources.y)
    variance = np.stack([sources.x_err, sources.y_err], axis=1) ** 2
    error = np.sqrt(np.einsum("nij,nj->in", matrix**2, variance))
    return SkyPlaces(ra, dec, error[0], error[1])
