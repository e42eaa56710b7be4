"""Documents of Simple Spectral Access 1.1: what all spectra of an answer share, and what can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from roman_db.tap.adql import OutputColumn
from roman_db.tap.answer_rows import Answer
from roman_db.tap.formats.choice import Format
from roman_db.tap.formats.votable import write_tabledata
from roman_db.vo.votable_head import Param, once

#: Publisher, as spectra and answers name it.
PUBLISHER = "Roman Science Support Center"
#: What is the same of all spectra: name, value and element of the data model.
CONSTANTS = (
    ("data_model", "Spectrum-1.1", "Dataset.DataModel"),
    ("dataset_type", "Spectrum", "Dataset.Type"),
    ("publisher", PUBLISHER, "Curation.Publisher"),
    ("creation_type", "archival", "DataID.CreationType"),
    ("space_frame", "ICRS", "CoordSys.SpaceFrame.Name"),
    ("time_frame", "UTC", "CoordSys.TimeFrame.Name"),
    ("spectral_ucd", "em.wl", "Char.SpectralAxis.Ucd"),
    ("spectral_unit", "um", "Char.SpectralAxis.Unit"),
    ("spectral_calibration", "ABSOLUTE", "Char.SpectralAxis.Calibration"),
    ("flux_ucd", "phot.flux.density;em.wl", "Char.FluxAxis.Ucd"),
    ("flux_unit", "10**-20.W.m**-2.um**-1", "Char.FluxAxis.Unit"),
    ("time_si", "86400 T", "Dataset.TimeSI"),
    ("spectral_si", "1e-6 L", "Dataset.SpectralSI"),
    ("flux_si", "1e-14 ML-1T-3", "Dataset.FluxSI"),
)
_PROTOCOL = '<INFO name="SERVICE_PROTOCOL" value="1.1">SSAP</INFO>\n'
_APERTURE = Param(
    "aperture", None, "ssa:Char.SpatialAxis.Coverage.Bounds.Extent", "double", None, "deg",
    "phys.angSize;instr.fov", "Not known: files of spectra do not state it.",
)  # fmt: skip


def written(chosen: Format, answer: Answer) -> Iterator[bytes]:
    """Yield an answer as a VOTable of the protocol, in pieces.

    Parameters
    ----------
    chosen
        Format of VOTables without it.
    answer
        The rows.
    """
    pieces = chosen.write(answer)
    yield _of_protocol(next(pieces).decode()).encode()
    yield from pieces


def metadata_document(columns: Sequence[OutputColumn], inputs: Sequence[Param]) -> bytes:
    """What can be asked, and the columns of an answer, without rows (section 4.1.1.5, FORMAT=METADATA)."""
    head = b"".join(write_tabledata(Answer("FORMAT=METADATA", columns))).decode()
    asked = "".join(one.element() for one in inputs)
    return once(_of_protocol(head), "<TABLE>\n", f"{asked}<TABLE>\n").encode()


def _of_protocol(head: str) -> str:
    """Head of a VOTable with the protocol, and what all spectra share."""
    params = [Param(name, value, f"ssa:{utype}") for name, value, utype in CONSTANTS]
    elements = "".join(one.element() for one in (*params, _APERTURE))
    head = once(head, '<INFO name="QUERY_STATUS"', f'{_PROTOCOL}<INFO name="QUERY_STATUS"')
    return once(head, "<TABLE>\n", f"<TABLE>\n{elements}")
