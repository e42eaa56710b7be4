"""Detection: a matched filter over all bands, a threshold in units of its noise, connected pixels.

The signal-to-noise ratio of a point source at a pixel, in one band or in several for a source with the same
flux density in each, is the data convolved with the PSF over the noise variance (Zackay & Ofek 2017, ApJ
836, 187).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import label
from scipy.signal import oaconvolve

from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected
from loaders.static_catalog.background import Band
from loaders.static_catalog.correlation import AreaInflation, FloatArray, inflation
from loaders.static_catalog.deblend import deblend
from loaders.static_catalog.image import BoolArray, Float32Array
from loaders.static_catalog.options import CatalogOptions

Int32Array = npt.NDArray[np.int32]

_KERNEL_LIGHT = 0.98
"""Share of the light of the PSF's stamp that the detection kernel holds."""
_MAX_REACH = 15


@dataclass(frozen=True)
class Detection:
    """Where sources are, and the image that their positions and shapes are measured in.

    Parameters
    ----------
    labels
        Shape (ny, nx): label of the source that each pixel belongs to, 1 to n; 0 for none.
    parent
        Shape (n,): number of the connected group of pixels that the source was a part of.
    peak_snr
        Shape (n,): highest signal-to-noise ratio of the matched filter in the source.
    data, variance, sky_variance
        Shape (ny, nx): mean of the bands, weighted by the inverse of the sky's variance, nJy a pixel, and its
        variances, nJy**2; as in `Band` where no band is good.
    good
        Shape (ny, nx): pixels that are good in any band.
    psf
        The PSF of ``data``.
    inflation
        What correlation does to variances of sums.
    """

    labels: Int32Array
    parent: Int32Array
    peak_snr: FloatArray
    data: Float32Array
    variance: Float32Array
    sky_variance: Float32Array
    good: BoolArray
    psf: EffectivePsf
    inflation: AreaInflation

    @property
    def count(self) -> int:
        """Number of sources."""
        return int(self.parent.size)


def detect(bands: Sequence[Band], options: CatalogOptions) -> Detection:
    """Find the sources of one band, or of several together.

    Parameters
    ----------
    bands
        Bands on the same pixels.
    options
        The options.

    Raises
    ------
    Rejected
        Codes ``no_band`` if there is none, ``grid_mismatch`` if their pixels differ.
    """
    _check_same_grid(bands)
    signal, noise = _matched_filter(bands)
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = np.where(noise > 0, signal / np.sqrt(noise), np.float32(0)).astype(np.float32)
        flux = np.where(noise > 0, signal / noise, np.float32(0)).astype(np.float32)
    data, variance, sky, good = _mean_image(bands)
    snr[~good] = 0
    groups = connected(snr > options.threshold, options.min_pixels)
    depth = _depth_scale(snr, flux, variance, sky)
    labels, parent = deblend(groups, flux, depth, options)
    peak = np.zeros(parent.size + 1, dtype=np.float64)
    inside = labels > 0
    np.maximum.at(peak, labels[inside], snr[inside])
    return Detection(
        labels, parent, peak[1:], data, variance, sky, good, _mean_psf(bands), _mean_inflation(bands)
    )


def _check_same_grid(bands: Sequence[Band]) -> None:
    """Reject bands that do not share their pixels."""
    if not bands:
        raise Rejected("static catalog", "no band is given", "Give at least one image", "no_band")
    first = bands[0].image
    corner = np.array([0.0, first.data.shape[1] - 1.0]), np.array([0.0, first.data.shape[0] - 1.0])
    place = np.array(first.wcs(*corner, with_bounding_box=False))
    for band in bands[1:]:
        here = np.array(band.image.wcs(*corner, with_bounding_box=False))
        same = band.data.shape == first.data.shape and np.allclose(here, place, rtol=0, atol=1e-7)
        if not same:
            what = f"its pixels are not those of {first.name}"
            remedy = "Resample the mosaics of a sky cell to one grid"
            raise Rejected(band.image.name, what, remedy, "grid_mismatch")


def detection_kernel(psf: EffectivePsf) -> FloatArray:
    """The PSF in pixels, centred on one, cut where it holds most of its light; its sum is one."""
    full = pixel_stamp(psf)
    middle = full.shape[0] // 2
    for reach in range(1, min(middle, _MAX_REACH) + 1):
        inner = full[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
        if inner.sum() >= _KERNEL_LIGHT * full.sum():
            break
    return np.asarray(inner / inner.sum())


def pixel_stamp(psf: EffectivePsf) -> FloatArray:
    """Shares of a star's light in the pixels around the one that it is in the middle of, odd sides."""
    stamp = psf.stamps[psf.y_node.size // 2, psf.x_node.size // 2]
    middle = psf.size // 2
    start = middle % psf.oversampling
    return np.ascontiguousarray(stamp[start :: psf.oversampling, start :: psf.oversampling])


def convolve(image: Float32Array, kernel: FloatArray) -> Float32Array:
    """Convolution in blocks, the image being zero beyond its edges."""
    return np.asarray(oaconvolve(image, kernel.astype(np.float32), mode="same"), dtype=np.float32)


def _matched_filter(bands: Sequence[Band]) -> tuple[Float32Array, Float32Array]:
    """Data convolved with PSF over variance, summed over the bands, and the variance of that."""
    signal = np.zeros_like(bands[0].data)
    noise = np.zeros_like(bands[0].data)
    for band in bands:
        kernel = detection_kernel(band.psf)
        inverse = np.where(band.good, 1 / band.sky_variance, np.float32(0))
        signal += convolve(band.data * inverse, kernel[::-1, ::-1])
        power = convolve(inverse, kernel[::-1, ::-1] ** 2)
        # What is left by rounding where no pixel is near.
        power[power < 1e-5 * power.max()] = 0
        noise += power * np.float32(inflation(kernel, band.correlation))
    return signal, noise


def _mean_image(bands: Sequence[Band]) -> tuple[Float32Array, Float32Array, Float32Array, BoolArray]:
    """Weighted mean of the bands, its variance, its variance without sources, and where it is."""
    total = np.zeros_like(bands[0].data)
    data, variance = np.zeros_like(total), np.zeros_like(total)
    for band in bands:
        inverse = np.where(band.good, 1 / band.sky_variance, np.float32(0))
        total += inverse
        data += inverse * band.data
        variance += inverse**2 * band.variance
    good = total > 0
    with np.errstate(divide="ignore"):
        sky = np.where(good, 1 / total, np.float32(np.inf)).astype(np.float32)
    weight = np.where(good, sky, np.float32(0))
    return data * weight, variance * weight**2, sky, good


def _weights(bands: Sequence[Band]) -> FloatArray:
    """Mean weight of each band in the mean image; they sum to one."""
    depth = np.array([np.mean(1 / band.sky_variance[band.good], dtype=np.float64) for band in bands])
    return np.asarray(depth / depth.sum())


def _mean_psf(bands: Sequence[Band]) -> EffectivePsf:
    """PSF of the mean image; of several bands that in the middle, the stamps being cut to the smallest."""
    if len(bands) == 1:
        return bands[0].psf
    first, size = bands[0].psf, min(band.psf.size for band in bands)
    if any(band.psf.oversampling != first.oversampling for band in bands):
        raise ValueError("the PSFs of all bands must have the same oversampling")
    mean = np.zeros((size, size))
    for weight, band in zip(_weights(bands), bands, strict=True):
        cut = (band.psf.size - size) // 2
        stamp = band.psf.stamps[band.psf.y_node.size // 2, band.psf.x_node.size // 2]
        mean += weight * stamp[cut : cut + size, cut : cut + size]
    return EffectivePsf(mean[None, None], first.oversampling, np.zeros(1), np.zeros(1))


def _mean_inflation(bands: Sequence[Band]) -> AreaInflation:
    weights = _weights(bands)
    factor = sum(w * band.inflation.factor for w, band in zip(weights, bands, strict=True))
    return AreaInflation(bands[0].inflation.area, np.asarray(factor))


def connected(mask: BoolArray, min_pixels: int) -> Int32Array:
    """Number groups of pixels that touch at sides or corners, without those that are too small.

    Returns
    -------
    ndarray
        Shape (ny, nx): numbers from 1 without gaps; 0 for no group.
    """
    groups = np.zeros(mask.shape, dtype=np.int32)
    count = label(mask, structure=np.ones((3, 3), dtype=int), output=groups)
    flat = groups.reshape(-1)
    pixel = np.flatnonzero(flat)
    keep = np.bincount(flat[pixel], minlength=count + 1) >= min_pixels
    keep[0] = False
    renumbered = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    flat[pixel] = renumbered[flat[pixel]]
    return groups


def _depth_scale(
    snr: Float32Array, flux: Float32Array, variance: Float32Array, sky: Float32Array
) -> Float32Array:
    """Standard deviation of the filtered image at each detected pixel, photon noise of sources included."""
    with np.errstate(divide="ignore", invalid="ignore"):
        base = flux / snr
        more = np.sqrt(np.maximum(variance / sky, 1))
    return np.where(snr > 0, base * more, np.float32(np.inf)).astype(np.float32)
