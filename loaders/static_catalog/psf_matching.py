"""Convolution of a band so that its PSF becomes that of another band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected
from loaders.static_catalog.background import Band
from loaders.static_catalog.correlation import AreaInflation, FloatArray, inflation, kernel_correlation
from loaders.static_catalog.detection import convolve, pixel_stamp
from loaders.static_catalog.image import SkyImage

_REGULARISATION = 1e-5
_FWHM_OF_SIGMA = 2.3548200450309493
_BROADER = 1.002
"""Factor in width up to which two PSFs count as equally broad."""


def matching_kernel(
    source: FloatArray, target: FloatArray, regularisation: float = _REGULARISATION
) -> FloatArray:
    """Compute the kernel that turns one PSF into another.

    It minimises ``|source * K - target|**2 + regularisation |L * K|**2``, where ``*`` is convolution and L
    the Laplacian, which keeps down the frequencies that the source does not hold: in Fourier space ``K =
    conj(S) T / (|S|**2 + regularisation |L|**2)`` (Boucaud et al. 2016, A&A 596, A63).

    Parameters
    ----------
    source, target
        Shape (n, n), n odd, centred: shares of a star's light in pixels.
    regularisation
        Weight of the roughness of the kernel.

    Returns
    -------
    ndarray
        Shape (n, n), centred; its sum is that of the target over that of the source.

    Raises
    ------
    ValueError
        If the shapes are not equal, square and odd.
    """
    size = source.shape[0]
    if source.shape != target.shape or source.shape != (size, size) or size % 2 == 0:
        raise ValueError(
            f"PSFs must be square, odd and equal in shape, got {source.shape} and {target.shape}"
        )
    laplacian = np.zeros_like(source)
    middle = size // 2
    laplacian[middle - 1 : middle + 2, middle - 1 : middle + 2] = [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
    s, t, rough = (np.fft.fft2(np.fft.ifftshift(a)) for a in (source, target, laplacian))
    spectrum = s.conj() * t / (np.abs(s) ** 2 + regularisation * np.abs(rough) ** 2)
    return np.asarray(np.fft.fftshift(np.fft.ifft2(spectrum).real))


def psf_width(psf: EffectivePsf) -> float:
    """Dispersion in pixels of the PSF within a Gaussian window of its own size, as adaptive moments have it.

    Weighting twice the moment in a window of equal dispersion makes it that of a Gaussian; wings, whose
    second moment depends on the size of the stamp, do not count.
    """
    stamp = psf.stamps[psf.y_node.size // 2, psf.x_node.size // 2]
    offset = (np.arange(psf.size) - psf.size // 2) / psf.oversampling
    square = offset[:, None] ** 2 + offset**2
    variance = 1.0
    for _ in range(50):
        weight = stamp * np.exp(-square / (2 * variance))
        variance = float((weight * square).sum() / weight.sum())
    return float(np.sqrt(variance))


def psf_fwhm(image: SkyImage, psf: EffectivePsf) -> float:
    """Full width at half maximum, arcsec, of a Gaussian that fits the PSF in the middle of an image best."""
    return psf_width(psf) * _FWHM_OF_SIGMA * image.pixel_scale


def broadest(bands: Sequence[Band]) -> Band:
    """The band with the broadest PSF: the reference of PSF-matched photometry."""
    if not bands:
        raise Rejected("static catalog", "no band is given", "Give at least one image", "no_band")
    return max(bands, key=lambda band: psf_width(band.psf))


def matched_band(band: Band, reference: Band) -> Band:
    """A band convolved to the PSF of the reference, with the noise that it then has.

    Parameters
    ----------
    band
        The band; returned as it is if its PSF is as broad as the reference's.
    reference
        Band with the broader PSF, on the same pixels.
    """
    if psf_width(band.psf) * _BROADER >= psf_width(reference.psf):
        return band
    kernel = _kernel_between(band.psf, reference.psf)
    correlation = kernel_correlation(kernel, band.correlation)
    factor = np.float32(inflation(kernel, band.correlation))
    variance = np.maximum(convolve(band.variance, kernel**2), 0) * factor
    sky = np.where(band.good, band.sky_variance, np.float32(0))
    sky = np.where(band.good, np.maximum(convolve(sky, kernel**2), 0) * factor, np.float32(np.inf))
    return replace(
        band,
        data=np.where(band.good, convolve(band.data, kernel), np.float32(0)),
        variance=np.where(band.good, variance, np.float32(0)),
        sky_variance=sky.astype(np.float32),
        psf=reference.psf,
        correlation=correlation,
        inflation=AreaInflation.of(correlation),
    )


def _kernel_between(source: EffectivePsf, target: EffectivePsf) -> FloatArray:
    """Kernel in pixels, as large as the common stamp; its sum is the ratio of the light within that."""
    stamps = [pixel_stamp(psf) for psf in (source, target)]
    size = min(stamp.shape[0] for stamp in stamps)
    cuts = [(stamp.shape[0] - size) // 2 for stamp in stamps]
    inner = [stamp[c : c + size, c : c + size] for stamp, c in zip(stamps, cuts, strict=True)]
    return matching_kernel(inner[0], inner[1])
