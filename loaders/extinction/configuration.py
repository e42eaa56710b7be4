"""What the maps of extinction assume, with the sources of it, as values that a YAML file can replace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from loaders.typed_yaml import build, merge

#: Optical elements of the maps; magnitudes are those of the second, colours have it on one side.
ELEMENTS = ("F087", "F146", "F213")
REFERENCE = "F146"

_FORMS = ("table", "ccm89")


@dataclass(frozen=True)
class ClumpValues:
    """The red clump without dust at 10 pc.

    ``magnitude`` are AB magnitudes of its spectrum at ``wavelength`` (um), ``magnitude_err`` the standard
    errors (mag) of its magnitudes in the optical elements, the same in all cells.
    """

    source: str
    wavelength: tuple[float, ...]
    magnitude: tuple[float, ...]
    magnitude_err: dict[str, float]


@dataclass(frozen=True)
class BumpValues:
    """Other groups on the giant branch: magnitudes fainter than the clump, numbers over the clump's."""

    source: str
    offset: tuple[float, float]
    fraction: tuple[float, float]


@dataclass(frozen=True)
class DistanceValues:
    """Where the clump is: distance of the Galactic centre (kpc), angle of the bar (deg), error (mag)."""

    source: str
    galactic_centre: float
    bar_angle: float
    modulus_err: float


@dataclass(frozen=True)
class LawValues:
    """Extinction against wavelength (um): a table of ratios, or the law of Cardelli et al. with ``r_v``."""

    source: str
    form: str
    wavelength: tuple[float, ...]
    ratio: tuple[float, ...]
    r_v: float


@dataclass(frozen=True)
class LimitValues:
    """AB magnitudes by optical element between which the catalog has all stars."""

    source: str
    bright: dict[str, float]
    faint: dict[str, float]


@dataclass(frozen=True)
class CellValues:
    """How the sky is cut: HEALPix orders, wished error of the F146 magnitude (mag), stars, significance."""

    root_order: int
    deepest_order: int
    wished_error: float
    fewest: int
    significance: float
    largest_extinction: float


@dataclass(frozen=True)
class RegionValues:
    """Galactic longitudes and latitudes, degrees, to which the values apply."""

    longitude: tuple[float, float]
    latitude: tuple[float, float]


@dataclass(frozen=True)
class Configuration:
    """All that a map of extinction depends on beside the stars."""

    clump: ClumpValues
    bumps: BumpValues
    distance: DistanceValues
    law: LawValues
    limits: LimitValues
    cells: CellValues
    region: RegionValues
    detector: str

    def __post_init__(self) -> None:
        if self.law.form not in _FORMS:
            raise ValueError(f"configuration.law.form must be one of {_FORMS}, got {self.law.form!r}")
        tables = {
            "clump": (self.clump.wavelength, self.clump.magnitude),
            "law": (self.law.wavelength, self.law.ratio),
        }
        for name, (wavelength, values) in tables.items():
            if len(wavelength) != len(values) or len(values) < 2 or list(wavelength) != sorted(wavelength):
                what = "two ascending wavelengths at least, and a value for each"
                raise ValueError(f"configuration.{name} must have {what}, got {wavelength} and {values}")
        if not 0 <= self.cells.root_order <= self.cells.deepest_order <= 29:
            orders = (self.cells.root_order, self.cells.deepest_order)
            raise ValueError(f"configuration.cells: orders must ascend between 0 and 29, got {orders}")
        for name, by_element in (
            ("clump.magnitude_err", self.clump.magnitude_err),
            ("limits.bright", self.limits.bright),
            ("limits.faint", self.limits.faint),
        ):
            if set(by_element) != set(ELEMENTS):
                raise ValueError(f"configuration.{name} must name {ELEMENTS}, got {sorted(by_element)}")


def default_mapping() -> dict[str, Any]:
    """What ``defaults.yaml`` says, as plain values."""
    content: dict[str, Any] = yaml.safe_load((files(__package__) / "defaults.yaml").read_text())
    return content


def configuration_from_mapping(changes: Mapping[str, Any]) -> Configuration:
    """Lay changes over the defaults; mappings merge, lists and plain values replace.

    Raises
    ------
    ValueError
        If a key is unknown or a value does not fit.
    """
    made: Configuration = build(Configuration, merge(default_mapping(), changes), "configuration")
    return made


def read_changes(path: Path | None) -> dict[str, Any]:
    """What a YAML file laid out like ``defaults.yaml`` changes; nothing without a file.

    Raises
    ------
    ValueError
        If it is no mapping, or a key or value of it does not fit.
    """
    if path is None:
        return {}
    content = yaml.safe_load(path.read_text()) or {}
    if not isinstance(content, Mapping):
        raise ValueError(f"{path}: expected a YAML mapping, found {content!r:.60}")
    try:
        configuration_from_mapping(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return dict(content)
