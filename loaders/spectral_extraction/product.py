"""Steps on files: the location table of an exposure, and the spectra of its sources, as Parquet."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loaders.input_file import read_bytes
from loaders.rejection import Rejected
from loaders.spectral_extraction.background import fit_sky
from loaders.spectral_extraction.contamination import Instrument, model_sources, refine
from loaders.spectral_extraction.exposure import DispersedExposure, direct_sources
from loaders.spectral_extraction.location import Locations, Places, locate, trace_mask
from loaders.spectral_extraction.sensitivity import nominal_sensitivity
from loaders.spectral_extraction.spectrum import SourceSpectrum, extract
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import Reference
from loaders.wfi.level2 import Level2Image

_HALF_WIDTH, _RADIUS = 8.0, 12
"""How far across traces sources are taken to reach, and the half width of their shapes, in pixels."""


@dataclass(frozen=True)
class Catalog:
    """Sources on the sky; arrays of shape (n,), ``ra, dec`` in deg ICRS."""

    source_id: np.ndarray
    ra: FloatArray
    dec: FloatArray


def read_catalog(path: Path) -> Catalog:
    """Read the columns source_id, ra and dec of a Parquet file.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``not_source_list``.
    """
    read_bytes(path, "a Parquet file of sources", 4)
    names = ["source_id", "ra", "dec"]
    try:
        table = pq.read_table(path, columns=names)
        source_id, ra, dec = (table[name].to_numpy() for name in names)
    except (pa.ArrowException, KeyError) as error:
        what = f"it has no table with source_id, ra and dec ({' '.join(str(error).split())[:80]})"
        raise Rejected(
            str(path), what, "Give a Parquet file with these columns", "not_source_list"
        ) from error
    return Catalog(source_id, np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64))


def instrument_of(exposure: DispersedExposure, reference: Reference) -> Instrument:
    """Geometry and nominal sensitivities in the pixels of an exposure.

    Raises
    ------
    Rejected
        Code ``wrong_reference``, if the reference is of another element.
    ValueError
        If the reference lacks the detector, or no sensitivity of one of its orders is known.
    """
    metadata = exposure.image.metadata
    if reference.optical_element != metadata.optical_element:
        what = f"it is of {reference.optical_element}, the exposure of {metadata.optical_element}"
        raise Rejected("the reference of the geometry", what, "Give that of the exposure", "wrong_reference")
    dispersion = reference.on(metadata.detector).in_window(*exposure.corner)
    curves = {
        order: nominal_sensitivity(metadata.detector, metadata.optical_element, order)
        for order in sorted(reference.orders)
    }
    return Instrument(dispersion, curves)


def places_of(image: Level2Image, catalog: Catalog) -> Places:
    """Sources in the pixels that the WCS of an exposure gives them, as direct positions."""
    x, y = image.projection.to_pixel(catalog.ra, catalog.dec)
    return Places(x, y, np.full(x.size, _HALF_WIDTH))


def location_table(exposure: DispersedExposure, instrument: Instrument, catalog: Catalog) -> pa.Table:
    """The location table of an exposure, a row for each source and order."""
    shape = exposure.image.shape
    found = locate(
        instrument.dispersion, places_of(exposure.image, catalog), sorted(instrument.sensitivity), shape
    )
    columns = {field.name: getattr(found, field.name) for field in fields(Locations)}
    return pa.table({"source_id": catalog.source_id[found.source]} | columns)


def spectra_table(
    exposure: DispersedExposure, direct: Level2Image, instrument: Instrument, catalog: Catalog
) -> pa.Table:
    """Spectra of all sources of an exposure, decontaminated, a row for each.

    The sky is flat. A source of which there is no spectrum has a reason in its row, and empty arrays.
    """
    places, seen = places_of(exposure.image, catalog), places_of(direct, catalog)
    sources = direct_sources(direct, seen.x, seen.y, _RADIUS)
    frame = exposure.frame
    found = locate(instrument.dispersion, places, sorted(instrument.sensitivity), exposure.image.shape)
    master = np.ones(frame.rate.shape)
    sky = fit_sky(frame, master, trace_mask(found, instrument.dispersion, places, frame.rate.shape))
    frame = frame.without_sky(sky.scale * master, sky.error * master)
    known = [n for n, shape in enumerate(sources.shape) if shape is not None]
    shapes = [shape for shape in sources.shape if shape is not None]
    model = refine(
        frame, model_sources(shapes, instrument, frame.rate.shape), instrument, sources.flux_density[known]
    )
    spectra = {n: extract(frame, model, row, instrument) for row, n in enumerate(known)}
    return _table(catalog, [spectra.get(n) for n in range(catalog.source_id.size)])


def _table(catalog: Catalog, spectra: list[SourceSpectrum | None]) -> pa.Table:
    empty = np.zeros(0)

    def column(take: str) -> list[FloatArray]:
        return [empty if s is None else getattr(s.calibrated, take) for s in spectra]

    return pa.table(
        {
            "source_id": catalog.source_id,
            "wavelength": pa.array(column("wavelength"), pa.list_(pa.float64())),
            "flux_density": pa.array(column("flux"), pa.list_(pa.float64())),
            "flux_density_err": pa.array(column("error"), pa.list_(pa.float64())),
            "contamination": pa.array(
                [empty if s is None else s.contamination for s in spectra], pa.list_(pa.float64())
            ),
            "reason": pa.array([_reason(s) for s in spectra], pa.string()),
        }
    )


def _reason(spectrum: SourceSpectrum | None) -> str | None:
    """Why a source has no spectrum; None if it has one."""
    if spectrum is None:
        return "no light in the direct image"
    return None if np.isfinite(spectrum.calibrated.flux).any() else "no usable pixel of the first order"
