"""The search of one image, whose PSF is known to be somewhat wrong."""

from __future__ import annotations

from dataclasses import replace

import structlog

from loaders.detection.known import Known
from loaders.detection.layer import Layer, SearchOptions
from loaders.detection.measure import Detections
from loaders.detection.parts import Told, search_in_parts
from loaders.detection.psf_error import measured_psf_error, mostly_split

log = structlog.get_logger()

#: Error of the PSF as a fraction of the light, of one that was measured and of that of the optics.
MEASURED_PSF, OPTICAL_PSF = 0.01, 0.03

#: Measured on the image, the error counts from so many times that on, and up to so much.
WORSE, WORST = 1.2, 0.2

#: How many times worse it is taken to be, to measure it, if most stars were taken for two.
DOUBTED = 5.0

#: The same of the brightest light around, as a fraction of that, and of the light in the wings of stars.
HALO_ERROR, WING_ERROR = 3e-5, 0.02


def options_for(*, psf_was_measured: bool, oversampling: int = 1) -> SearchOptions:
    """Options of a search with a PSF that was measured, or with that of the optics.

    Parameters
    ----------
    psf_was_measured
        Whether the PSF is one of the library.
    oversampling
        Pixels of the image per detector pixel, along an axis.
    """
    return SearchOptions(
        psf_error=MEASURED_PSF if psf_was_measured else OPTICAL_PSF,
        halo_error=HALO_ERROR,
        wing_error=WING_ERROR,
        oversampling=oversampling,
    )


def search_image(
    layer: Layer, options: SearchOptions, known: Known | None = None, told: Told | None = None
) -> tuple[Detections, float]:
    """Find all stars of an image; once more if its stars say that the PSF is worse than was assumed.

    Where most stars were taken for two, a search that doubts the PSF more says how wrong it is.

    Parameters as of `loaders.detection.parts.search_in_parts`.

    Returns
    -------
    Detections
        Sources above the threshold, in no order.
    float
        Error of the PSF as a fraction of the light, measured before the last search; 0 if too few stars tell.
    """
    found = search_in_parts(layer, options, known, told)
    error = measured_psf_error(found)
    if mostly_split(found):
        doubtful = replace(options, psf_error=min(DOUBTED * options.psf_error, WORST))
        log.info("most stars are two", image=layer.image.name, assumed=options.psf_error)
        error = measured_psf_error(search_in_parts(layer, doubtful, known, told))
    if error <= WORSE * options.psf_error:
        return found, error
    log.info("PSF is worse than assumed", image=layer.image.name, assumed=options.psf_error, measured=error)
    return search_in_parts(layer, replace(options, psf_error=min(error, WORST)), known, told), error
