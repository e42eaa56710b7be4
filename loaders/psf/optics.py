"""The effective PSF that the optics of the Wide Field Instrument predict: where an empirical PSF starts.

Aberrations, pupil and throughput are those that GalSim ships for Roman (Cycle 9 aberrations at the corners
of every detector); nothing is fetched. A point source through telescope and filter is convolved with
jitter, charge diffusion, the square pixel and the inter-pixel capacitance, in this order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import galsim
import galsim.roman
import numpy as np
import numpy.typing as npt

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
"""Inter-pixel capacitance measured for the flight detectors, as GalSim ships it; sums to one."""

DETECTOR_SIZE = 4088
"""Science pixels along one side of a detector."""

_PLANCK_NM_K = 1.438776877e7
"""Second radiation constant h c / k, in nm K (CODATA 2018)."""


@dataclass(frozen=True)
class OpticsSettings:
    """What the optical PSF includes and how finely it is computed.

    Parameters
    ----------
    oversampling, half_width
        Grid steps per pixel and half the width of a stamp in pixels.
    pupil_bin
        Binning of the 4096-pixel pupil image: 8 is fast, 1 exact; see `galsim.roman.getPSF`.
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
    """

    oversampling: int = 4
    half_width: int = 15
    pupil_bin: int = 4
    n_wavelength: int = 5
    temperature: float | None = None
    photon_slope: float = -1.0
    jitter: float = galsim.roman.jitter_rms
    charge_diffusion: float = galsim.roman.charge_diffusion
    ipc_kernel: tuple[tuple[float, ...], ...] | None = IPC_KERNEL

    def __post_init__(self) -> None:
        counts = (self.oversampling, self.half_width, self.pupil_bin, self.n_wavelength)
        if min(counts) < 1:
            raise ValueError(f"oversampling, half_width, pupil_bin, n_wavelength must be >= 1, got {counts}")
        if min(self.jitter, self.charge_diffusion) < 0:
            raise ValueError(f"jitter and charge_diffusion must be >= 0, got {self}")


ROMANISIM = OpticsSettings(
    pupil_bin=8, n_wavelength=1, photon_slope=0.0, jitter=0.0, charge_diffusion=0.0, ipc_kernel=None
)
"""What romanisim 0.15 does with its own ("galsim") PSF and no reference files: one wavelength, no detector
effects. It blends four corner PSFs over the detector: use `ROMANISIM_NODES` for both axes."""

ROMANISIM_NODES = (49.0, 4039.0)
"""Pixel coordinates, along either axis, at which romanisim places its corner PSFs."""


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
    number, name = _detector_number(detector), _galsim_filter(optical_element)
    x = np.atleast_1d(np.asarray(x_node, dtype=np.float64))
    y = np.atleast_1d(np.asarray(y_node, dtype=np.float64))
    settings = settings or OpticsSettings()
    rows = [[_stamp(number, name, float(u), float(v), settings) for u in x] for v in y]
    return EffectivePsf(np.array(rows), settings.oversampling, x, y)


def band_wavelengths(optical_element: str, settings: OpticsSettings | None = None) -> npt.NDArray[np.float64]:
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
    band = galsim.roman.getBandpass(_galsim_filter(optical_element))
    wavelength = np.linspace(band.blue_limit, band.red_limit, 20_001)
    photons = band(wavelength) * _photon_rate(wavelength, settings)
    share = np.concatenate([[0.0], np.cumsum(photons)]) / photons.sum()
    moment = np.concatenate([[0.0], np.cumsum(photons * wavelength)]) / photons.sum()
    edges = np.linspace(0, 1, settings.n_wavelength + 1)
    return np.asarray(np.diff(np.interp(edges, share, moment)) * settings.n_wavelength)


def _photon_rate(wavelength: FloatArray, settings: OpticsSettings) -> FloatArray:
    """Photons of the source per unit wavelength (nm), to a factor."""
    if settings.temperature is None:
        return np.asarray((wavelength / wavelength[0]) ** settings.photon_slope)
    if settings.temperature <= 0:
        raise ValueError(f"temperature must be positive, got {settings.temperature} K")
    exponent = _PLANCK_NM_K / (wavelength * settings.temperature)
    return np.asarray((wavelength / wavelength[0]) ** -4 / np.expm1(exponent))


@lru_cache(maxsize=512)
def _stamp(number: int, name: str, x: float, y: float, settings: OpticsSettings) -> FloatArray:
    """Effective PSF at one position, averaged over the band, read-only as it is shared."""
    optical_element = next(key for key, value in GALSIM_NAME.items() if value == name)
    waves = band_wavelengths(optical_element, settings)
    stamp = np.mean([_monochromatic(number, name, (x, y), float(w), settings) for w in waves], axis=0)
    stamp = stamp if settings.ipc_kernel is None else _share_charge(stamp, settings)
    stamp.flags.writeable = False
    return np.asarray(stamp)


def _monochromatic(
    number: int, name: str, position: tuple[float, float], wavelength: float, settings: OpticsSettings
) -> FloatArray:
    """Pixel-integrated PSF at one wavelength (nm), with a pixel's margin for the capacitance if asked."""
    pupil = "long" if name in galsim.roman.longwave_bands else "short"
    where = galsim.PositionD(*position)
    scale = galsim.roman.pixel_scale
    optics = galsim.roman.getPSF(
        number, pupil, SCA_pos=where, pupil_bin=settings.pupil_bin, wavelength=wavelength
    )
    blur = np.hypot(settings.jitter, settings.charge_diffusion * scale)
    parts = [optics, galsim.Pixel(scale)] + ([galsim.Gaussian(sigma=blur)] if blur > 0 else [])
    margin = 0 if settings.ipc_kernel is None else 1
    size = 2 * settings.oversampling * (settings.half_width + margin) + 1
    step = scale / settings.oversampling
    image = galsim.Convolve(parts).drawImage(nx=size, ny=size, scale=step, method="no_pixel", dtype=float)
    return np.asarray(image.array * settings.oversampling**2)


def _share_charge(stamp: FloatArray, settings: OpticsSettings) -> FloatArray:
    """Convolve with the inter-pixel capacitance, whose steps are whole pixels, and drop the margin."""
    step = settings.oversampling
    size = stamp.shape[0] - 2 * step
    shared = np.zeros((size, size))
    for (j, i), share in np.ndenumerate(np.asarray(settings.ipc_kernel)):
        shared += share * stamp[(2 - j) * step :, (2 - i) * step :][:size, :size]
    return shared


def _detector_number(detector: str) -> int:
    """Number of a detector named WFI01 … WFI18."""
    number = int(detector[3:]) if detector[:3] == "WFI" and detector[3:].isdigit() else 0
    if not 1 <= number <= galsim.roman.n_sca:
        raise ValueError(f"detector must be WFI01 to WFI{galsim.roman.n_sca:02d}, got {detector!r}")
    return number


def _galsim_filter(optical_element: str) -> str:
    """GalSim's name of an imaging filter."""
    if optical_element not in GALSIM_NAME:
        raise ValueError(f"optical_element must be one of {sorted(GALSIM_NAME)}, got {optical_element!r}")
    return GALSIM_NAME[optical_element]
