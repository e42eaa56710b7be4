"""A field from parameters to Level-2 files: the direct exposure, the dispersed ones, and the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.simulation import level2
from loaders.simulation.geometry import Camera
from loaders.simulation.instrument_tables import detector_noise, thermal_rate, zodiacal_rate
from loaders.simulation.noise import detector_state, measure
from loaders.simulation.parameters import SimulationParameters, parameters_from_mapping
from loaders.simulation.product import write_product
from loaders.simulation.season import PlannedExposure, plan_exposures
from loaders.simulation.throughput import ab_zero_rate
from loaders.spectral_extraction.contamination import Instrument
from loaders.spectral_extraction.sensitivity import nominal_sensitivity
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference_file import write_reference
from loaders.spectral_simulation.expected import (
    direct_image,
    direct_rates,
    dispersed_image,
    images_of_sources,
)
from loaders.spectral_simulation.field import FieldParameters, Sources, draw_sources

_MINUTES = 10.0
"""From the start of an exposure to that of the next."""
_READS = {
    "name": "SIM_SPEC",
    "identifier": "SIM0004",
    "number": 4,
    "frame_time": 3.16247,
    "read_pattern": [[1], *([i, i + 1, i + 2, i + 3] for i in range(2, 98, 8))],
}
_WAVELENGTHS = np.arange(0.7, 2.0, 0.001)
"""µm at which the truth has the spectra."""


@dataclass(frozen=True)
class SimulatedField:
    """A field that was drawn.

    Parameters
    ----------
    parameters, survey
        What it depends on.
    sources
        Its sources, where they are without dither.
    direct
        What a direct exposure at the first dither expects, electrons/s.
    dispersed
        What dispersed exposures expect, by their dithers.
    """

    parameters: FieldParameters
    survey: SimulationParameters
    sources: Sources
    direct: FloatArray
    dispersed: Mapping[tuple[float, float], FloatArray]


def simulate_field(parameters: FieldParameters) -> SimulatedField:
    """Draw a field and put its light into pixels, without sky and noise.

    Raises
    ------
    ValueError
        If a detector or filter is not known.
    """
    survey = parameters_from_mapping(_survey(parameters))
    camera, window = Camera.of(survey), parameters.window
    x, y = camera.centre
    detector, direct = parameters.detector, parameters.direct_element
    psf = optical_psf(detector, direct, np.array([x]), np.array([y]), OpticsSettings())
    sources = draw_sources(parameters)
    jacobian = camera.jacobian(camera.attitude((0.0, 0.0)))
    images = images_of_sources(sources, psf, (x, y), jacobian)
    instrument = nominal_instrument(detector, parameters.optical_element, (window.x, window.y))
    first = _dithered(sources, camera, parameters.dithers[0])
    return SimulatedField(
        parameters,
        survey,
        sources,
        direct_image(first, images, (detector, direct), window.shape),
        {
            offset: dispersed_image(_dithered(sources, camera, offset), images, instrument, window.shape)
            for offset in dict.fromkeys(parameters.dithers)
        },
    )


def _places(sources: Sources, camera: Camera) -> tuple[FloatArray, FloatArray]:
    """Right ascension and declination of sources, deg ICRS, each of shape (n,)."""
    v2, v3 = camera.distortion.to_v(sources.x + camera.window.x, sources.y + camera.window.y)
    return camera.attitude((0.0, 0.0)).to_sky(v2, v3)


def _dithered(sources: Sources, camera: Camera, offset: tuple[float, float]) -> Sources:
    """Sources where they are when the telescope is moved by some arcsec."""
    if offset == (0.0, 0.0):
        return sources
    x, y = camera.to_window(camera.attitude(offset), *_places(sources, camera))
    return replace(sources, x=x, y=y)


def nominal_instrument(detector: str, optical_element: str, corner: tuple[int, int]) -> Instrument:
    """Grism or prism as designed, in the pixels of a window of a detector that begins at ``corner``."""
    reference = nominal_reference(optical_element)
    curves = {
        order: nominal_sensitivity(detector, optical_element, order) for order in sorted(reference.orders)
    }
    return Instrument(reference.on(detector).in_window(*corner), curves)


def write_field(field: SimulatedField, folder: Path) -> Iterator[Path]:
    """Write the exposures, the geometry and the truth of a field; yield each path when it is there."""
    parameters = field.parameters
    for planned in plan_exposures(field.survey.survey):
        is_direct = planned.optical_element == parameters.direct_element
        expected = field.direct if is_direct else field.dispersed[planned.offset]
        path = folder / planned.filename(parameters.detector)
        _write_exposure(path, expected, planned, field.survey)
        yield path
    write_reference(folder / "geometry.asdf", nominal_reference(parameters.optical_element))
    yield folder / "geometry.asdf"
    pq.write_table(truth_table(field), folder / "truth.parquet")
    yield folder / "truth.parquet"


def truth_table(field: SimulatedField) -> pa.Table:
    """One row a source: place, magnitudes, shape, redshift and the spectrum (W m⁻² µm⁻¹ by µm).

    Units stand in the metadata of the fields, so that it can be loaded as a catalog.
    """
    sources = field.sources
    ra, dec = _places(sources, Camera.of(field.survey))
    columns = {name: getattr(sources, name) for name in Sources.__dataclass_fields__}
    rows = range(sources.x.size)
    band = f"mag_{field.parameters.direct_element.lower()}"
    table = pa.table(
        {"source_id": np.arange(sources.x.size), "ra": ra, "dec": dec, band: _direct_magnitudes(field)}
        | columns
        | {
            "wavelength": [_WAVELENGTHS] * sources.x.size,
            "flux_density": [sources.spectrum(row, _WAVELENGTHS) for row in rows],
        }
    )
    units = {"ra": "deg", "dec": "deg", band: "mag", "wavelength": "um", "flux_density": "W m-2 um-1"}
    fields = [
        one.with_metadata({"unit": units[one.name]}) if one.name in units else one for one in table.schema
    ]
    return table.cast(pa.schema(fields))


def _direct_magnitudes(field: SimulatedField) -> FloatArray:
    """AB magnitudes of the sources in the direct filter, by their photons."""
    band = field.parameters.detector, field.parameters.direct_element
    return np.asarray(-2.5 * np.log10(direct_rates(field.sources, band) / ab_zero_rate(*band)))


def _write_exposure(
    path: Path, expected: FloatArray, planned: PlannedExposure, survey: SimulationParameters
) -> None:
    camera, element = Camera.of(survey), planned.optical_element
    spectral = element in ("GRISM", "PRISM")
    zodiacal = zodiacal_rate(element) * survey.detector.zodiacal_factor
    sky = zodiacal + (0.0 if spectral else thermal_rate(element))
    detector, window = survey.survey.detector, survey.survey.window
    state = detector_state(detector, window, detector_noise(detector), survey.detector)
    rng = np.random.default_rng([survey.survey.seed, planned.index])
    measured = measure(expected + sky, planned.ma_table, state, rng)
    frame = level2.Frame(survey, planned, camera, camera.attitude(planned.offset), zodiacal)
    write_product(path, level2.image_model(measured, frame))


def _survey(parameters: FieldParameters) -> dict[str, object]:
    """Parameters of the simulation of images: a direct exposure, then dispersed ones."""
    window = parameters.window
    cadence = {"interval_minutes": _MINUTES, "ma_table": "SIM_SPEC"}
    days = (parameters.exposures + 1) * _MINUTES / 1440
    direct = {"optical_element": parameters.direct_element, "offset_minutes": 0.0, "ma_table": "SIM_SPEC"}
    element = {"optical_element": parameters.optical_element, "offset_minutes": _MINUTES}
    return {
        "scene": {"ra": parameters.ra, "dec": parameters.dec},
        "survey": {
            "detector": parameters.detector,
            "window": {name: getattr(window, name) for name in ("x", "y", "width", "height")},
            "roll_v3": parameters.roll_v3,
            "duration_days": days - 0.5 * _MINUTES / 1440,
            "cadences": [direct | {"interval_minutes": 2 * days * 1440}, cadence | element],
            "ma_tables": [_READS],
            "dither_name": "NONE",
            "dither_offsets": [list(offset) for offset in parameters.dithers],
            "seed": parameters.seed,
        },
    }
