"""What is simulated: the scene, the survey and the detector, as values that a YAML file can replace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from loaders.simulation.instrument_tables import SCIENCE_PIXELS
from loaders.typed_yaml import build, merge

Range = tuple[float, float]


@dataclass(frozen=True)
class Population:
    """A Galactic component: share of the stars, distance (kpc), A_V (mag), proper motion (mas/yr in l, b)."""

    name: str
    fraction: float
    distance: float
    distance_sigma: float
    a_v: float
    a_v_sigma: float
    pm_l: float
    pm_l_sigma: float
    pm_b: float
    pm_b_sigma: float


@dataclass(frozen=True)
class StarParameters:
    """Density of the stars, their luminosity function (F146 AB) and their temperatures (K)."""

    density_per_arcmin2: float
    luminosity_magnitude: tuple[float, ...]
    luminosity_log_count: tuple[float, ...]
    clump_magnitude: float
    clump_sigma: float
    clump_fraction: float
    locus_magnitude: tuple[float, ...]
    locus_temperature: tuple[float, ...]
    temperature_scatter: float
    populations: tuple[Population, ...]


@dataclass(frozen=True)
class VariableClass:
    """Variables of one kind: periods (days) and full amplitudes (magnitudes), log-uniform in their ranges."""

    kind: str
    number: int
    period: Range
    amplitude: Range
    magnitude: Range


@dataclass(frozen=True)
class EventClass:
    """Microlensing events of one kind.

    ``t_einstein`` (days) and ``rho`` (source radius in Einstein radii) are log-uniform in their ranges,
    ``u0`` and ``t0`` uniform; ``t0`` is a fraction of the survey's span, ``source_fraction`` the share of the
    object's light that is magnified. ``pi_e`` is the range of the microlensing parallax (0 for none).
    """

    kind: str
    number: int
    t_einstein: Range
    u0: Range
    rho: Range
    t0: Range
    magnitude: Range
    source_fraction: Range = (1.0, 1.0)
    pi_e: Range = (0.0, 0.0)


@dataclass(frozen=True)
class GalaxyParameters:
    """Number density, F146 AB magnitudes, Sersic shapes and temperatures (K) of background galaxies."""

    density_per_arcmin2: float
    magnitude: Range
    count_slope: float
    sersic_n: Range
    half_light_radius: Range
    axis_ratio: Range
    temperature: Range


@dataclass(frozen=True)
class SceneParameters:
    """The sky: where, and what is there."""

    ra: float
    dec: float
    reference_epoch: float
    margin_arcsec: float
    seed: int
    stars: StarParameters
    variables: tuple[VariableClass, ...]
    events: tuple[EventClass, ...]
    galaxies: GalaxyParameters


@dataclass(frozen=True)
class Window:
    """A cut-out of a detector: its first pixel (0-based) and its size in pixels."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        ends = (self.x + self.width, self.y + self.height)
        if min(self.x, self.y) < 0 or min(self.width, self.height) < 1 or max(ends) > SCIENCE_PIXELS:
            raise ValueError(f"a window lies on the detector and has pixels, got {self}")

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (height, width) of the image."""
        return self.height, self.width


@dataclass(frozen=True)
class MultiAccumTable:
    """A multi-accumulation table: which reads (numbered from 1) are averaged into which resultant."""

    name: str
    identifier: str
    number: int
    frame_time: float
    read_pattern: tuple[tuple[int, ...], ...]

    @property
    def exposure_time(self) -> float:
        """Seconds from the reset to the end of the last read."""
        return self.frame_time * self.read_pattern[-1][-1]


@dataclass(frozen=True)
class Cadence:
    """How often a filter is used: interval and offset of the first exposure in minutes."""

    optical_element: str
    interval_minutes: float
    offset_minutes: float
    ma_table: str


@dataclass(frozen=True)
class SurveyParameters:
    """The exposures of one detector: when, in which filters, where pointed."""

    program: int
    execution_plan: int
    segment: int
    title: str
    investigator_name: str
    category: str
    subcategory: str
    science_category: str
    start_time: str
    duration_days: float
    detector: str
    window: Window
    roll_v3: float
    cadences: tuple[Cadence, ...]
    ma_tables: tuple[MultiAccumTable, ...]
    exposures_per_visit: int
    dither_name: str
    dither_offsets: tuple[tuple[float, float], ...]
    pointing_scatter_mas: float
    alignment_error_mas: float
    seed: int

    def ma_table(self, name: str) -> MultiAccumTable:
        """Look up a multi-accumulation table by name."""
        for table in self.ma_tables:
            if table.name == name:
                return table
        raise ValueError(f"no multi-accumulation table {name!r}, have {[t.name for t in self.ma_tables]}")


@dataclass(frozen=True)
class DetectorParameters:
    """Electronics and cosmic rays; noise and operability of pixels come from the instrument's tables."""

    gain: float
    full_well: float
    zodiacal_factor: float
    cosmic_ray_rate: float
    cosmic_ray_track: float
    cosmic_ray_charge: float
    cosmic_ray_flagged: float
    bad_pixels: bool
    bad_pixel_seed: int


@dataclass(frozen=True)
class OpticsParameters:
    """How the telescope differs from its design.

    Parameters
    ----------
    extra_aberrations
        Zernike coefficients from Noll's fourth on, waves at 1293 nm, on top of the design.
    jitter
        Root mean square of the line of sight along one axis, arcsec.
    """

    extra_aberrations: tuple[float, ...]
    jitter: float


@dataclass(frozen=True)
class SimulationParameters:
    """All that a simulation depends on."""

    scene: SceneParameters
    survey: SurveyParameters
    optics: OpticsParameters
    detector: DetectorParameters


def default_parameters() -> SimulationParameters:
    """Three days of a bulge field in a 256 x 256 window, as shipped in ``defaults.yaml``."""
    return parameters_from_mapping({})


def default_text() -> str:
    """Text of ``defaults.yaml``, which explains every parameter."""
    return (files(__package__) / "defaults.yaml").read_text()


def load_parameters(path: Path) -> SimulationParameters:
    """Read parameters from a YAML file laid out like ``defaults.yaml``; what it leaves out keeps its default.

    Raises
    ------
    ValueError
        If a key is unknown or a value does not fit.
    """
    content = yaml.safe_load(path.read_text()) or {}
    if not isinstance(content, Mapping):
        raise ValueError(f"expected a YAML mapping, found {content!r:.60}")
    return parameters_from_mapping(content)


def parameters_from_mapping(changes: Mapping[str, Any]) -> SimulationParameters:
    """Lay changes over the defaults; mappings merge, lists and plain values replace.

    Raises
    ------
    ValueError
        If a key is unknown or a value does not fit.
    """
    defaults = yaml.safe_load(default_text())
    parameters: SimulationParameters = build(SimulationParameters, merge(defaults, changes), "parameters")
    return parameters
