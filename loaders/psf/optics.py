"""The effective PSF that the optics of the Wide Field Instrument predict: where an empirical PSF starts.

Aberrations (Cycle 9, at the corners of every detector), pupils and throughputs are the files that GalSim
ships for Roman; nothing is fetched. The PSF is computed from them by Fourier optics (Goodman 2005,
Introduction to Fourier Optics, §6): the optical transfer function is the autocorrelation of the complex
pupil, and jitter, charge diffusion, the square pixel and the inter-pixel capacitance are factors on it, so
that stamps are exact at every grid point. `galsim.roman.getPSF` interpolates in an image sampled near the
Nyquist rate instead and is 2 to 4 % (L2) off; with a padded pupil it converges to what is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import galsim
import galsim.roman
import numpy as np
import numpy.typing as npt
from galsim.zernike import Zernike

from loaders.psf.model import EffectivePsf, FloatArray

GALSIM_NAME = {
    "F062": "R062",
    "F087": "Z087",
    "F106": "Y106",
    "F129": "J129",
    "F158": "H158",
    "F184": "F184",
    "F213": "K213",
    "F146": "W146",
}
"""GalSim's name of each imaging filter."""

IPC_KERNEL: tuple[tuple[float, ...], ...] = tuple(
    tuple(float(value) for value in row) for row in galsim.roman.ipc_kernel.array
)
"""Inter-pixel capacitance of the detectors (rows y, columns x) as GalSim ships it; sums to one."""

DETECTOR_SIZE = 4088
"""Science pixels along one side of a detector."""

_DATA = Path(galsim.meta_data.share_dir) / "roman"
_ARCSEC = 180 * 3600 / np.pi
_PLANCK_NM_K = 1.438776877e7
"""Second radiation constant h c / k, in nm K (CODATA 2018)."""

_REFERENCE_WAVELENGTH = 1293.0
"""Wavelength, in nm, in which the aberrations are given in waves."""


@dataclass(frozen=True)
class OpticsSettings:
    """What the optical PSF includes and how finely it is computed.

    Parameters
    ----------
    oversampling, half_width
        Grid steps per pixel and half the width of a stamp in pixels.
    pupil_bin
        Binning of the 2048-pixel pupil image. A stamp must stay well inside of the period of the transform,
        about 37 ``pupil_bin`` ** -1 × 64 pixels at 1.5 µm.
    n_wavelength
        Number of equal shares of the detected photons, each represented by its mean wavelength.
    temperature
        Temperature (K) of a black body as the source; None for photons per unit wavelength that follow
        ``wavelength ** photon_slope`` (0: what GalSim calls the effective wavelength; -1: flat in AB).
    photon_slope
        See ``temperature``.
    jitter
        Root mean square of the line of sight along one axis, arcsec.
    charge_diffusion
        Sigma of the Gaussian by which charge spreads before it is collected, pixels.
    ipc_kernel
        Share of a pixel's charge seen in each of the 3 × 3 pixels around it (rows y, columns x); None for
        no inter-pixel capacitance.
    extra_aberrations
        Zernike coefficients (Noll order, from the fourth on, waves at 1293 nm) on top of the design.
    """

    oversampling: int = 4
    half_width: int = 15
    pupil_bin: int = 8
    n_wavelength: int = 7
    temperature: float | None = None
    photon_slope: float = -1.0
    jitter: float = galsim.roman.jitter_rms
    charge_diffusion: float = galsim.roman.charge_diffusion
    ipc_kernel: tuple[tuple[float, ...], ...] | None = IPC_KERNEL
    extra_aberrations: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        counts = (self.oversampling, self.half_width, self.pupil_bin, self.n_wavelength)
        if min(counts) < 1:
            raise ValueError(f"oversampling, half_width, pupil_bin, n_wavelength must be >= 1, got {counts}")
        if min(self.jitter, self.charge_diffusion) < 0:
            raise ValueError(f"jitter and charge_diffusion must be >= 0, got {self}")


def optical_psf(
    detector: str,
    optical_element: str,
    x_node: npt.ArrayLike = (DETECTOR_SIZE - 1) / 2,
    y_node: npt.ArrayLike = (DETECTOR_SIZE - 1) / 2,
    settings: OpticsSettings | None = None,
) -> EffectivePsf:
    """Compute the effective PSF of a detector and filter at nodes over the detector.

    The origin of a stamp is where the chief ray falls: tip and tilt are zero, so a comatic PSF has its
    centroid a few hundredths of a pixel away from the origin. The flux is one at infinity.

    Parameters
    ----------
    detector
        ``WFI01`` … ``WFI18``.
    optical_element
        An imaging filter, ``F062`` … ``F213``, ``F146``.
    x_node, y_node
        Detector pixel coordinates of the nodes (0-based, pixel centres at integers), ascending.
    settings
        Physics and sampling; the defaults of `OpticsSettings` if None.

    Returns
    -------
    EffectivePsf
        Computed once per node and settings, then remembered.

    Raises
    ------
    ValueError
        If the detector or filter is unknown.
    """
    number = detector_number(detector)
    galsim_filter(optical_element)
    x = np.atleast_1d(np.asarray(x_node, dtype=np.float64))
    y = np.atleast_1d(np.asarray(y_node, dtype=np.float64))
    settings = settings or OpticsSettings()
    rows = [[_stamp(number, optical_element, (float(u), float(v)), settings) for u in x] for v in y]
    return EffectivePsf(np.array(rows), settings.oversampling, x, y)


def band_wavelengths(optical_element: str, settings: OpticsSettings | None = None) -> FloatArray:
    """Mean wavelengths of equal shares of the photons detected through a filter.

    Parameters
    ----------
    optical_element
        An imaging filter.
    settings
        Spectrum of the source and number of shares.

    Returns
    -------
    ndarray
        Shape (n_wavelength,), ascending, in nm.
    """
    settings = settings or OpticsSettings()
    band = galsim.roman.getBandpass(galsim_filter(optical_element))
    wavelength = np.linspace(band.blue_limit, band.red_limit, 20_001)
    photons = band(wavelength) * _photon_rate(wavelength, settings)
    share = np.concatenate([[0.0], np.cumsum(photons)]) / photons.sum()
    moment = np.concatenate([[0.0], np.cumsum(photons * wavelength)]) / photons.sum()
    edges = np.linspace(0, 1, settings.n_wavelength + 1)
    return np.asarray(np.diff(np.interp(edges, share, moment)) * settings.n_wavelength)


def cutoff_frequency(optical_element: str) -> float:
    """Highest frequency that the telescope passes in a filter (at its blue edge), cycles per pixel."""
    band = galsim.roman.getBandpass(galsim_filter(optical_element))
    wavelength = np.linspace(band.blue_limit, band.red_limit, 20_001)
    throughput = band(wavelength)
    shortest = wavelength[np.argmax(throughput > throughput.max() / 2)] * 1e-9
    return float(galsim.roman.diameter / shortest * galsim.roman.pixel_scale / _ARCSEC)


def detector_number(detector: str) -> int:
    """Number of a detector named WFI01 … WFI18; ValueError if there is none."""
    number = int(detector[3:]) if detector[:3] == "WFI" and detector[3:].isdigit() else 0
    if not 1 <= number <= galsim.roman.n_sca:
        raise ValueError(f"detector must be WFI01 to WFI{galsim.roman.n_sca:02d}, got {detector!r}")
    return number


def galsim_filter(optical_element: str) -> str:
    """GalSim's name of an imaging filter; ValueError if it has none."""
    if optical_element not in GALSIM_NAME:
        raise ValueError(f"optical_element must be one of {sorted(GALSIM_NAME)}, got {optical_element!r}")
    return GALSIM_NAME[optical_element]


def pupil_image(number: int, optical_element: str, pupil_bin: int) -> tuple[FloatArray, float]:
    """Transmission of the entrance pupil of a detector, as the files have it, and its scale.

    The files show the exit pupil; seen in detector coordinates it is mirrored in y.

    Returns
    -------
    transmission : ndarray
        Shape (2048 / pupil_bin, 2048 / pupil_bin), mean over the bin, 0 to 1.
    scale : float
        Metres per pixel.
    """
    mask = "F184" if galsim_filter(optical_element) in galsim.roman.longwave_bands else "skinny"
    image = galsim.fits.read(str(_DATA / f"RST_WIM_Filter_{mask}_SCA_{number}.fits.gz"), read_header=True)
    size = image.array.shape[0] // pupil_bin
    blocks = image.array[: size * pupil_bin, : size * pupil_bin].reshape(size, pupil_bin, size, pupil_bin)
    scale = image.scale * image.header["HIERARCH PUPIL SCALE FACTOR"] * 1e-6 * pupil_bin
    return blocks.mean(axis=(1, 3)) / image.array.max(), float(scale)


def aberrations(number: int, position: tuple[float, float]) -> FloatArray:
    """Design aberrations at a position of a detector, bilinear between its corners.

    Returns
    -------
    ndarray
        Shape (23,): Zernike coefficients in Noll order, waves at 1293 nm; the first four are zero.
    """
    table = np.loadtxt(_DATA / f"Roman_Cycle-9_WFI_zim_zernikes_082623_{number:02d}.txt")
    # Millimetres from the centre; detectors whose number is no multiple of three are mounted upside down.
    place = table[:, 1:3] / galsim.roman.pixel_scale_mm * (1 if number % 3 == 0 else -1) + DETECTOR_SIZE / 2
    low, high = place.min(axis=0), place.max(axis=0)
    u, v = (np.asarray(position) - low) / (high - low)
    corner = place[1:] > place[0]
    weight = np.where(corner[:, 0], u, 1 - u) * np.where(corner[:, 1], v, 1 - v)
    return np.concatenate([np.zeros(4), weight @ table[1:, 8:]])


def _photon_rate(wavelength: FloatArray, settings: OpticsSettings) -> FloatArray:
    """Photons of the source per unit wavelength (nm), to a factor."""
    if settings.temperature is None:
        return np.asarray((wavelength / wavelength[0]) ** settings.photon_slope)
    if settings.temperature <= 0:
        raise ValueError(f"temperature must be positive, got {settings.temperature} K")
    exponent = _PLANCK_NM_K / (wavelength * settings.temperature)
    return np.asarray((wavelength / wavelength[0]) ** -4 / np.expm1(exponent))


@lru_cache(maxsize=512)
def _stamp(
    number: int, optical_element: str, position: tuple[float, float], settings: OpticsSettings
) -> FloatArray:
    """Effective PSF at one position, averaged over the band, read-only as it is shared."""
    pupil, scale = _pupil_in_detector_frame(number, optical_element, settings.pupil_bin)
    waves = aberrations(number, position)
    extra = np.asarray(settings.extra_aberrations)
    waves[4 : 4 + extra.size] += extra
    axis = (np.arange(pupil.shape[0]) - pupil.shape[0] // 2) * scale
    path = Zernike(waves, R_outer=galsim.roman.diameter / 2)(*np.meshgrid(axis, axis))
    stamps = []
    for wavelength in band_wavelengths(optical_element, settings):
        field = pupil * np.exp(2j * np.pi * path * _REFERENCE_WAVELENGTH / wavelength)
        step = scale / (wavelength * 1e-9) / _ARCSEC * galsim.roman.pixel_scale
        stamps.append(_pixel_integrated(field, step, settings))
    stamp = np.mean(stamps, axis=0)
    stamp.flags.writeable = False
    return np.asarray(stamp)


@lru_cache(maxsize=32)
def _pupil_in_detector_frame(number: int, optical_element: str, pupil_bin: int) -> tuple[FloatArray, float]:
    """The pupil mirrored into detector coordinates, remembered because reading it is slow."""
    pupil, scale = pupil_image(number, optical_element, pupil_bin)
    return pupil[::-1], scale


def _pixel_integrated(field: npt.NDArray[np.complex128], step: float, settings: OpticsSettings) -> FloatArray:
    """Effective PSF of a complex pupil whose pixels are ``step`` cycles per detector pixel apart."""
    size = 2 * field.shape[0]
    transfer = np.fft.ifft2(np.abs(np.fft.fft2(field, (size, size))) ** 2)
    transfer /= transfer[0, 0].real
    frequency = np.fft.fftfreq(size, 1 / size) * step
    transfer *= _detector_transfer(frequency, settings)
    reach = settings.oversampling * settings.half_width
    offset = np.arange(-reach, reach + 1) / settings.oversampling
    waves = np.exp(2j * np.pi * np.outer(offset, frequency))
    return np.asarray((waves @ transfer @ waves.T).real * step**2)


def _detector_transfer(frequency: FloatArray, settings: OpticsSettings) -> npt.NDArray[np.complex128]:
    """Transfer function of jitter, diffusion, pixel and capacitance at frequencies in cycles per pixel."""
    blur = np.hypot(settings.jitter / galsim.roman.pixel_scale, settings.charge_diffusion)
    axis = np.sinc(frequency) * np.exp(-2 * (np.pi * blur * frequency) ** 2)
    transfer = np.outer(axis, axis).astype(np.complex128)
    if settings.ipc_kernel is None:
        return transfer
    shift = np.exp(-2j * np.pi * np.outer(frequency, [-1, 0, 1]))
    return np.asarray(transfer * (shift @ np.asarray(settings.ipc_kernel) @ shift.T))
