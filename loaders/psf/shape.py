"""What is stored of the shape of a PSF at a place: sizes, ellipticity and moments, and what of it failed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from loaders.psf.model import EffectivePsf
from loaders.psf.moments import psf_moments
from loaders.psf.profile import fwhm, noise_equivalent_area

MOMENTS_FAILED = 1
"""The adaptive moments did not converge: ``sigma``, ``e1``, ``e2`` and all higher moments are unknown."""

SIZE_FAILED = 2
"""The PSF is nowhere positive, or half of its maximum is not passed on the stamp: ``fwhm`` is unknown."""

_NAN = float("nan")


@dataclass(frozen=True)
class PsfShape:
    """Shape of a PSF at a place, the pixel included; NaN where it could not be measured.

    Parameters
    ----------
    fwhm
        Full width at half maximum, pixels; see `loaders.psf.profile.fwhm`.
    sigma
        Fourth root of the determinant of the adaptive second moments, pixels.
    e1, e2
        Ellipticity along the axes and along the diagonals.
    m30, m21, m12, m03, m40, m31, m22, m13, m04
        Standardised third and fourth moments; see `loaders.psf.moments.Moments`.
    noise_equivalent_area
        Square pixels.
    psf_flags
        Sum of `MOMENTS_FAILED` and `SIZE_FAILED`; 0 where all was measured.
    """

    fwhm: float = _NAN
    sigma: float = _NAN
    e1: float = _NAN
    e2: float = _NAN
    m30: float = _NAN
    m21: float = _NAN
    m12: float = _NAN
    m03: float = _NAN
    m40: float = _NAN
    m31: float = _NAN
    m22: float = _NAN
    m13: float = _NAN
    m04: float = _NAN
    noise_equivalent_area: float = _NAN
    psf_flags: int = 0

    @property
    def third(self) -> float:
        """Root of the summed squares of the third moments: coma and trefoil."""
        return float((self.m30**2 + self.m21**2 + self.m12**2 + self.m03**2) ** 0.5)

    @property
    def fourth(self) -> float:
        """Mean of the fourth moments along the axes: focus and wings; 3/4 of a Gaussian."""
        return (self.m40 + self.m04) / 2

    @property
    def ellipticity(self) -> float:
        """Modulus of the ellipticity."""
        return float((self.e1**2 + self.e2**2) ** 0.5)


def psf_shape(psf: EffectivePsf, x: float, y: float) -> PsfShape:
    """Measure a PSF at a place; what fails is NaN and flagged.

    Parameters
    ----------
    psf
        The effective PSF.
    x, y
        Place in the pixels of its nodes.
    """
    width, flags = fwhm(psf, x, y), 0
    try:
        moments = asdict(psf_moments(psf, x, y))
    except ValueError:
        moments, flags = {}, MOMENTS_FAILED
    moments = {name: value for name, value in moments.items() if name not in ("x", "y")}
    if width != width:
        flags |= SIZE_FAILED
    area = noise_equivalent_area(psf, x, y)
    return PsfShape(fwhm=width, noise_equivalent_area=area, psf_flags=flags, **moments)
