"""The Wide Field Instrument in numbers: effective areas, backgrounds and detector noise.

All numbers are those of the Roman technical information (PyPI ``roman-technical-information``, CC0), read
from the files of the installed package.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from roman_technical_information import PACKAGEDIR

FloatArray = npt.NDArray[np.float64]

_WFI = PACKAGEDIR / "WideFieldInstrument"
_MICRON = 1e-6
SCIENCE_PIXELS = 4088
"""Science pixels along one side of a detector; 4 more on each side are reference pixels."""


@dataclass(frozen=True)
class EffectiveArea:
    """Effective area (m2) of telescope, filter and detector against wavelength (m), both of shape (n,)."""

    wavelength: FloatArray
    area: FloatArray


@dataclass(frozen=True)
class DetectorNoise:
    """Read noise (electrons, of one read), dark current (electrons/s) and operable fraction of a detector."""

    read_noise: float
    dark_current: float
    operable_fraction: float


def detector_number(detector: str) -> int:
    """The number in a detector's name, ``WFI07`` to 7.

    Raises
    ------
    ValueError
        If it is not one of WFI01 to WFI18.
    """
    if len(detector) == 5 and detector.startswith("WFI") and detector[3:].isdigit():
        number = int(detector[3:])
        if 1 <= number <= 18:
            return number
    raise ValueError(f"detector must be one of WFI01 to WFI18, got {detector!r}")


_FIRST_ORDER = {"GRISM": "Grism_1stOrder", "PRISM": "Prism"}


@lru_cache(maxsize=64)
def effective_area(detector: str, optical_element: str) -> EffectiveArea:
    """Effective area of a filter on a detector, without the zeros at both ends but for one on each side.

    ``GRISM`` and ``PRISM`` stand for their first orders.

    Raises
    ------
    ValueError
        If the detector or the filter is not known.
    """
    name = f"Roman_effarea_v8_SCA{detector_number(detector):02d}_20240301.ecsv"
    table = list(_rows(f"Imaging/EffectiveAreas/{name}"))
    column = _FIRST_ORDER.get(optical_element, optical_element)
    if column not in table[0]:
        raise ValueError(f"no effective area of {optical_element!r}, have {sorted(set(table[0]) - {'Wave'})}")
    wavelength = np.array([float(row["Wave"]) for row in table]) * _MICRON
    area = np.array([float(row[column]) for row in table])
    used = np.flatnonzero(area)
    part = slice(max(used[0] - 1, 0), used[-1] + 2)
    return EffectiveArea(wavelength[part], area[part])


_SPECTRAL_SKY = {"GRISM": "Grism (G150)", "PRISM": "Prism (P127)"}


@lru_cache(maxsize=64)
def zodiacal_rate(optical_element: str) -> float:
    """Electrons per second and pixel of the darkest zodiacal light, also through ``GRISM`` and ``PRISM``."""
    if optical_element in _SPECTRAL_SKY:
        table = "Spectroscopy/ZodiacalLight/grism_prism_zodiacal_light.ecsv"
        return _rate(table, _SPECTRAL_SKY[optical_element], "element")
    return _rate("Imaging/ZodiacalLight/zodiacal_light.ecsv", optical_element)


@lru_cache(maxsize=64)
def thermal_rate(optical_element: str) -> float:
    """Electrons per second and pixel of the observatory's own thermal emission."""
    return _rate("Imaging/Backgrounds/internal_thermal_backgrounds.ecsv", optical_element)


_SPECTRAL_COLUMN = {"GRISM": "g", "PRISM": "p"}


def dispersion_table(optical_element: str) -> tuple[FloatArray, FloatArray]:
    """Wavelengths (µm) and nm per pixel there, each of shape (n,), of ``GRISM`` or ``PRISM`` in mid-field.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if optical_element not in _SPECTRAL_COLUMN:
        raise ValueError(f"no dispersion of {optical_element!r}, have {sorted(_SPECTRAL_COLUMN)}")
    column = _SPECTRAL_COLUMN[optical_element]
    rows = list(_rows(f"Spectroscopy/Dispersion/WFI_{optical_element.lower()}_dispersion.ecsv"))
    table = np.array(
        [[float(row[f"{column}_{name}"]) for name in ("mean_lam", "dispersion")] for row in rows]
    )
    return table[:, 0] / 1000, table[:, 1]


@lru_cache(maxsize=64)
def detector_noise(detector: str) -> DetectorNoise:
    """Noise measured in thermal vacuum test 2; one read has the CDS noise over the root of two."""
    unit = detector_number(detector)
    cds = _of_unit("FPSPerformance/WFI_CDS_Noise_summary.ecsv", "SCU", unit)["CDS Noise - Median"]
    dark = _of_unit("FPSPerformance/WFI_Dark_current_summary.ecsv", "SCU", unit)["Dark Current - Median"]
    good = _of_unit("FPSPerformance/WFI_Pixels_meet_requirements.ecsv", "SCU#", unit)[
        "percentage good pixels"
    ]
    return DetectorNoise(float(float(cds) / np.sqrt(2.0)), float(dark), float(good) / 100.0)


def _rows(path: str) -> Iterator[dict[str, str]]:
    """Rows of a comma-separated ECSV file as text.

    One of the files names a unit that is none (``u.ct``), so that astropy's reader warns; units are stated
    in the docstrings here instead.
    """
    lines = (_WFI / path).read_text().splitlines()
    body = [line for line in lines if line.strip() and not line.startswith("#")]
    for row in csv.DictReader(body):
        yield {key.strip(): value.strip() for key, value in row.items()}


def _rate(path: str, optical_element: str, column: str = "filter") -> float:
    rates = {row[column]: float(row["rate"]) for row in _rows(path)}
    if optical_element not in rates:
        raise ValueError(f"no background of {optical_element!r}, have {sorted(rates)}")
    return rates[optical_element]


def _of_unit(path: str, column: str, unit: int) -> dict[str, str]:
    return next(row for row in _rows(path) if row[column] == str(unit))
