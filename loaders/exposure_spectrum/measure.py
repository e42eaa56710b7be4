"""From a dispersed exposure and the catalog to a row for every object that should be on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from loaders.astrometry.place import CatalogAstrometry
from loaders.astrometry.stars import catalog_pixels
from loaders.exposure_spectrum.lights import Lights, lights
from loaders.exposure_spectrum.warning_bits import SpectrumBit, reason_of
from loaders.rejection import Rejected
from loaders.spectral_extraction.calibration_file import SensitivityReference
from loaders.spectral_extraction.contamination import Instrument
from loaders.spectral_extraction.exposure import DispersedExposure
from loaders.spectral_extraction.frame import BoolArray, SpectralFrame
from loaders.spectral_extraction.location import LocationFlag, Locations, Places, locate
from loaders.spectral_extraction.path import path
from loaders.spectral_extraction.point import point_psf, point_shape
from loaders.spectral_extraction.process import Extraction, extract_all
from loaders.spectral_extraction.product import HALF_WIDTH, RADIUS, instrument_of
from loaders.spectral_extraction.shape import Shape
from loaders.spectral_extraction.spectrum import SourceSpectrum
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import FocalPlaneReference, Reference
from loaders.wfi.level2 import Level2Image
from loaders.wfi.quality import SATURATED

_MOST = 0.5
"""Share of saturated rows, or of the light of others, above which a bit is set."""

_OF_LOCATION = {
    LocationFlag.OFF_DETECTOR: SpectrumBit.OFF_DETECTOR,
    LocationFlag.TRUNCATED: SpectrumBit.TRUNCATED,
    LocationFlag.NO_POSITION: SpectrumBit.NO_POSITION,
}


@dataclass(frozen=True)
class Calibration:
    """References of an exposure; None where there is none.

    ``flat`` of shape (ny, nx) is of the whole detector.
    """

    geometry: Reference | None = None
    sensitivity: SensitivityReference | None = None
    flat: FloatArray | None = None

    @property
    def reference_wavelength(self) -> float | None:
        """Wavelength (µm) from which the geometry counts; None of one that has none."""
        geometry = self.geometry
        return geometry.reference_wavelength if isinstance(geometry, FocalPlaneReference) else None


@dataclass(frozen=True)
class Objects:
    """Catalogued objects near an exposure; arrays of shape (n,).

    ``flux_density`` is what the catalog says, in W m⁻² µm⁻¹; NaN where it says nothing.
    """

    object_id: npt.NDArray[np.int64]
    astrometry: CatalogAstrometry
    flux_density: FloatArray

    def of(self, kept: BoolArray) -> Objects:
        """Some of them."""
        columns = {one.name: getattr(self.astrometry, one.name)[kept] for one in fields(self.astrometry)}
        return Objects(self.object_id[kept], CatalogAstrometry(**columns), self.flux_density[kept])

    def places(self, image: Level2Image) -> Places:
        """Their direct pixels on an exposure at its time; NaN where they are too far off it."""
        x, y = catalog_pixels(image, self.astrometry)
        return Places(x, y, np.full(x.size, HALF_WIDTH))


@dataclass(frozen=True)
class Measured:
    """All objects that should be on an exposure; arrays and lists of n.

    Parameters
    ----------
    object_id
        Objects.
    places
        Their direct pixels.
    warning
        Bits of `SpectrumBit`, int64.
    reason
        Why there is no spectrum; None where there is one.
    locations
        Where their orders fall; None without geometry.
    shapes
        Their light before its dispersion, None where it is not known.
    extraction
        Sky, spectra and residuals; None where nothing was extracted.
    """

    object_id: npt.NDArray[np.int64]
    places: Places
    warning: npt.NDArray[np.int64]
    reason: list[str | None]
    locations: Locations | None = None
    shapes: list[Shape | None] = field(default_factory=list)
    extraction: Extraction | None = None

    @property
    def spectra(self) -> Mapping[int, SourceSpectrum]:
        """Spectra by the number of the object, of those that have one."""
        found = {} if self.extraction is None else self.extraction.spectra
        return {n: one for n, one in found.items() if self.reason[n] is None}


def measure(
    exposure: DispersedExposure, direct: Level2Image | None, calibration: Calibration, near: Objects
) -> Measured:
    """Find all objects that should be on an exposure, and extract their spectra.

    Parameters
    ----------
    exposure
        The exposure.
    direct
        Direct exposure of its sky; None where there is none.
    calibration
        References; without geometry or sensitivity nothing is extracted.
    near
        Objects on the exposure and around it.

    Raises
    ------
    Rejected
        Code ``wrong_reference``.
    """
    places = near.places(exposure.image)
    if calibration.geometry is None or calibration.sensitivity is None:
        kept = _is_on(places, exposure.image.shape)
        return _nothing(near.of(kept), _some(places, kept), SpectrumBit.NO_REFERENCE)
    instrument = instrument_of(exposure, calibration.geometry, calibration.sensitivity)
    found = locate(instrument.dispersion, places, sorted(instrument.sensitivity), exposure.image.shape)
    kept = _is_on(places, exposure.image.shape)
    kept[found.source[found.on_detector > 0]] = True
    near, places, found = near.of(kept), _some(places, kept), found.of(kept)
    if direct is None or not exposure.frame.usable.any():
        why = SpectrumBit.NO_DIRECT_IMAGE if direct is None else SpectrumBit.ALL_MASKED
        return _nothing(near, places, why, found)
    light = lights(direct, near.places(direct), near.flux_density, _points(exposure, places))
    frame = _flattened(exposure, calibration.flat)
    extraction = extract_all(frame, found, places, light.sources, instrument)
    warning = _warnings(found, light, extraction, calibration.flat is None)
    warning |= _of_pixels(exposure, instrument, places, extraction)
    reason = [
        None if _has_spectrum(extraction, n) else reason_of(SpectrumBit(int(bits)))
        for n, bits in enumerate(warning)
    ]
    return Measured(near.object_id, places, warning, reason, found, light.sources.shape, extraction)


def _is_on(places: Places, shape: tuple[int, int]) -> BoolArray:
    """Whether objects fall on the exposure undispersed."""
    inside = (places.x >= -0.5) & (places.x < shape[1] - 0.5)
    return np.asarray(inside & (places.y >= -0.5) & (places.y < shape[0] - 0.5))


def _some(places: Places, kept: BoolArray) -> Places:
    return Places(places.x[kept], places.y[kept], places.half_width[kept])


def _nothing(near: Objects, places: Places, why: SpectrumBit, found: Locations | None = None) -> Measured:
    """Objects of which none can be extracted."""
    number = near.object_id.size
    warning = np.full(number, int(why), dtype=np.int64)
    if found is not None:
        warning |= _of_location(found, number)
    return Measured(near.object_id, places, warning, [reason_of(why)] * number, found)


def _of_location(found: Locations, number: int) -> npt.NDArray[np.int64]:
    """Bits that follow from where the first order falls."""
    warning = np.zeros(number, dtype=np.int64)
    first = found.order == 1
    for flag, bit in _OF_LOCATION.items():
        warning[found.source[first & ((found.flags & flag) != 0)]] |= bit
    return warning


def _points(exposure: DispersedExposure, places: Places) -> Callable[[int], Shape]:
    """Shapes of points; the PSF is that of the middle of the exposure."""
    metadata, (ny, nx) = exposure.image.metadata, exposure.image.shape
    middle = exposure.corner[0] + (nx - 1) / 2, exposure.corner[1] + (ny - 1) / 2

    def point(n: int) -> Shape:
        psf = point_psf(metadata.detector, metadata.optical_element, *middle, RADIUS)
        return point_shape(psf, float(places.x[n]), float(places.y[n]), RADIUS)

    return point


def _flattened(exposure: DispersedExposure, flat: FloatArray | None) -> SpectralFrame:
    """The exposure divided by its part of a flat."""
    if flat is None:
        return exposure.frame
    (x, y), (ny, nx) = exposure.corner, exposure.image.shape
    part = flat[y : y + ny, x : x + nx]
    if part.shape != (ny, nx):
        what = f"its shape is {flat.shape}, the exposure has {ny, nx} pixels from {y, x} on"
        raise Rejected("the flat", what, "Give one of the whole detector", "wrong_reference")
    return exposure.frame.flattened(part)


def _warnings(
    found: Locations, light: Lights, extraction: Extraction, no_flat: bool
) -> npt.NDArray[np.int64]:
    """Bits of places, of the direct image and of the sky."""
    warning = light.warning | _of_location(found, light.warning.size)
    if no_flat:
        warning |= int(SpectrumBit.NO_FLAT)
    if not extraction.sky.masked:
        warning |= int(SpectrumBit.SKY_BESIDE_TRACES)
    return warning


def _of_pixels(
    exposure: DispersedExposure, instrument: Instrument, places: Places, extraction: Extraction
) -> npt.NDArray[np.int64]:
    """Bits of the pixels of spectra: masked, saturated, contaminated."""
    warning = np.zeros(places.x.size, dtype=np.int64)
    burnt = (exposure.image.dq & np.uint32(SATURATED)) != 0
    for n, spectrum in extraction.spectra.items():
        if not spectrum.calibrated.flux.size:
            continue
        if not _has_spectrum(extraction, n):
            warning[n] |= SpectrumBit.ALL_MASKED
        if np.median(spectrum.contamination) > _MOST:
            warning[n] |= SpectrumBit.CONTAMINATED
        steps = path(
            instrument.dispersion,
            instrument.first,
            (float(places.x[n]), float(places.y[n])),
            (0, burnt.shape[0] - 1),
        )
        column = np.clip(np.rint(steps.x).astype(int), 0, burnt.shape[1] - 1)
        if steps.y.size and burnt[steps.y.astype(int), column].mean() > _MOST:
            warning[n] |= SpectrumBit.SATURATED
    return warning


def _has_spectrum(extraction: Extraction, n: int) -> bool:
    """Whether any flux of an object was measured."""
    one = extraction.spectra.get(n)
    return one is not None and bool(np.isfinite(one.calibrated.flux).any())
