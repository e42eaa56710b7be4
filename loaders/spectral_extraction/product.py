"""Steps on files: the location table of an exposure, and the spectra of its sources, as Parquet."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loaders.input_file import read_bytes
from loaders.rejection import Rejected
from loaders.spectral_extraction.calibration_file import SensitivityReference, designed_sensitivity
from loaders.spectral_extraction.contamination import Instrument
from loaders.spectral_extraction.exposure import DispersedExposure, direct_sources
from loaders.spectral_extraction.location import Locations, Places, locate
from loaders.spectral_extraction.process import extract_all
from loaders.spectral_extraction.sensitivity import Sensitivity
from loaders.spectral_extraction.spectrum import SourceSpectrum
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import Reference
from loaders.wfi.level2 import Level2Image

HALF_WIDTH, RADIUS = 8.0, 12
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


def instrument_of(
    exposure: DispersedExposure, reference: Reference, sensitivity: SensitivityReference | None = None
) -> Instrument:
    """Geometry and sensitivities in the pixels of an exposure, of the orders of which both are known.

    Parameters
    ----------
    exposure
        The exposure.
    reference
        The geometry.
    sensitivity
        Sensitivities; None for those of the effective areas.

    Raises
    ------
    Rejected
        Code ``wrong_reference``, if one is of another element or lacks the detector or its first order.
    """
    metadata = exposure.image.metadata
    sensitivity = sensitivity or designed_sensitivity(metadata.optical_element)
    for name, one in (("geometry", reference), ("sensitivity", sensitivity)):
        if one.optical_element != metadata.optical_element:
            what = f"it is of {one.optical_element}, the exposure of {metadata.optical_element}"
            raise _wrong(name, what)
    try:
        dispersion = reference.on(metadata.detector).in_window(*exposure.corner)
    except ValueError as error:
        raise _wrong("geometry", str(error)) from error
    known = sensitivity.curves.get(metadata.detector, {})
    curves = {order: known[order] for order in sorted(dispersion.orders) if order in known}
    if 1 not in curves:
        what = f"order 1 of {metadata.detector} is not in it, or not in the geometry"
        raise _wrong("sensitivity", what)
    return Instrument(dispersion, {order: _on(exposure, curve) for order, curve in curves.items()})


def _on(exposure: DispersedExposure, curve: Sensitivity) -> Sensitivity:
    """A sensitivity with its response in the pixels of an exposure."""
    if curve.response is None:
        return curve
    return replace(curve, response=curve.response.on(exposure.image.metadata.filename, exposure.corner))


def _wrong(name: str, what: str) -> Rejected:
    """Say what is wrong with a reference."""
    return Rejected(f"the reference of the {name}", what, "Give that of the exposure", "wrong_reference")


def places_of(image: Level2Image, catalog: Catalog) -> Places:
    """Sources in the pixels that the WCS of an exposure gives them, as direct positions."""
    x, y = image.projection.to_pixel(catalog.ra, catalog.dec)
    return Places(x, y, np.full(x.size, HALF_WIDTH))


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
    sources = direct_sources(direct, seen.x, seen.y, RADIUS)
    found = locate(instrument.dispersion, places, sorted(instrument.sensitivity), exposure.image.shape)
    spectra = extract_all(exposure.frame, found, places, sources, instrument).spectra
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
