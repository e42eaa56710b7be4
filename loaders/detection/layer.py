"""What sources are looked for in: one image, or several that show the same sky."""

from __future__ import annotations

from dataclasses import dataclass, field

from loaders.photometry.image import PixelImage
from loaders.psf.model import EffectivePsf
from loaders.wfi.placement import Placement, same_place


@dataclass(frozen=True)
class Layer:
    """One image of the sky that is searched.

    Parameters
    ----------
    image
        Pixels and their noise.
    psf
        Its effective PSF, in detector coordinates.
    place
        Map from the pixels of the frame in which sources are listed to the pixels of this image; the identity
        where the frame is this image.
    """

    image: PixelImage
    psf: EffectivePsf
    place: Placement = field(default_factory=same_place)


@dataclass(frozen=True)
class SearchOptions:
    """Options of the search.

    Parameters
    ----------
    threshold
        Signal-to-noise ratio from which a source is listed.
    max_rounds
        Rounds of search and fit.
    psf_error
        Error of the modelled light as a fraction of it: in quadrature with the noise it decides what is
        significant.
    halo_error, halo
        The same error as a fraction of the light of the brightest star within that many detector pixels.
    wing_error
        Error of the light of the wings of stars, eight pixels of the image and more from them, as a fraction
        of it: stars say what their PSF is near their middle only, and speckles farther out are those of the
        design.
    separation
        Distance in detector pixels below which two sources are one; the fainter is dropped.
    blend_radius
        Distance in detector pixels below which sources are flagged as hardly separated.
    shape_snr
        Signal-to-noise ratio from which size and ellipticity are measured: pairs that could not be separated
        and galaxies show in them.
    prior
        Standard deviation in detector pixels about the place of detection, so that a faint source does not
        wander to a neighbour.
    background_spacing
        Distance of the knots of the background surface in detector pixels.
    oversampling
        Pixels of the frame and of the images per detector pixel, along an axis.
    threads
        Threads to use; None for all processors.
    """

    threshold: float = 5.0
    max_rounds: int = 10
    psf_error: float = 0.003
    halo_error: float = 1e-5
    halo: float = 8.0
    wing_error: float = 0.0
    separation: float = 0.3
    blend_radius: float = 1.0
    shape_snr: float = 30.0
    prior: float = 0.3
    background_spacing: float = 128.0
    oversampling: int = 1
    threads: int | None = None

    def __post_init__(self) -> None:
        if not (self.threshold > 0 and self.max_rounds >= 1 and self.prior > 0 and self.oversampling >= 1):
            raise ValueError(
                "need threshold > 0, max_rounds >= 1, prior > 0 and oversampling >= 1, got "
                f"{self.threshold}, {self.max_rounds}, {self.prior} and {self.oversampling}"
            )

    @property
    def nodes(self) -> int:
        """Places a pixel of the frame, along either axis, at which a star is tried: 2 a detector pixel."""
        return max(1, -(-2 // self.oversampling))
