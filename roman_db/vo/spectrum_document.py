"""A spectrum as a file of the Spectrum data model 1.1 (IVOA): VOTable with utypes, FITS with keywords.

All other formats have the pixels alone. What the model names and nobody knows is left out.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from astropy.io import fits

from roman_db.tap.adql import OutputColumn
from roman_db.tap.answer_rows import Answer, conformed, schema_of
from roman_db.tap.formats.choice import VOTABLE, Format
from roman_db.vo.spectral_document import CONSTANTS, PUBLISHER
from roman_db.vo.spectrum_metadata import Facts, Said, said_of
from roman_db.vo.votable_head import Param, once

_FLUX, _FLUX_UNIT = "phot.flux.density;em.wl", "10**-20.W.m**-2.um**-1"
#: Constants that hold where the scale of the flux is known.
_OF_ABSOLUTE = ("flux_unit", "flux_si")
_AXES = "spec:Spectrum.Data"
_COLUMNS = (
    OutputColumn(
        "wavelength", "double", None, None, "um", "em.wl", "Wavelength of the pixel, in vacuum.", None,
        f"{_AXES}.SpectralAxis.Value",
    ),
    OutputColumn(
        "flux", "float", None, None, _FLUX_UNIT, _FLUX, "Flux density; NaN where there is none.", None,
        f"{_AXES}.FluxAxis.Value",
    ),
    OutputColumn(
        "flux_err", "float", None, None, _FLUX_UNIT, f"stat.error;{_FLUX}",
        "Standard error of the flux; NaN where there is none.", None, f"{_AXES}.FluxAxis.Accuracy.StatError",
    ),
    OutputColumn(
        "mask", "short", None, None, None, "meta.code.qual", "1 where the pixel is bad, else 0.", None,
        f"{_AXES}.FluxAxis.Quality",
    ),
    OutputColumn(
        "resolution", "float", None, None, None, "spect.resolution", "Resolving power.", None,
        f"{_AXES}.SpectralAxis.ResPower",
    ),
)  # fmt: skip


def spectrum_file(facts: Facts, chosen: Format) -> bytes:
    """File with a spectrum.

    Parameters
    ----------
    facts
        Row of ``queries/services/spectrum.sql``.
    chosen
        Format.
    """
    columns = _columns(facts)
    batch = _batch(facts, columns)
    said = said_of(facts)
    if chosen.media_type == "application/fits":
        return _fits(batch, columns, said)
    title = next(one.value for one in said if one.name == "title")
    pieces = chosen.write(Answer(title, columns, iter([batch]), n_row=batch.num_rows))
    if chosen.media_type.startswith(VOTABLE):
        pieces = _with_model(pieces, said, facts)
    return b"".join(pieces)


def _columns(facts: Facts) -> tuple[OutputColumn, ...]:
    """Columns that there are: a flux whose scale is not known has no unit."""
    known = [one for one in _COLUMNS if facts[one.name] is not None]
    if facts["flux_is_absolute"]:
        return tuple(known)
    return tuple(replace(one, unit=None) if one.unit == _FLUX_UNIT else one for one in known)


def _batch(facts: Facts, columns: Sequence[OutputColumn]) -> pa.RecordBatch:
    """Pixels of the spectrum."""
    arrays = [pa.array(facts[one.name]) for one in columns]
    return conformed(pa.RecordBatch.from_arrays(arrays, [one.name for one in columns]), schema_of(columns))


def _with_model(pieces: Iterator[bytes], said: Sequence[Said], facts: Facts) -> Iterator[bytes]:
    """Yield a VOTable whose table is a spectrum of the model."""
    constants = [
        Param(name, value, f"spec:Spectrum.{utype.removeprefix('Dataset.')}")
        for name, value, utype in CONSTANTS
        if facts["flux_is_absolute"] or name not in _OF_ABSOLUTE
    ]
    length = Param("n_pixel", len(facts["flux"]), "spec:Spectrum.Length", "int", ucd="meta.number")
    elements = "".join(one.element() for one in (*constants, length, *(one.param() for one in said)))
    yield once(
        next(pieces).decode(), "<TABLE>\n", f'<TABLE name="spectrum" utype="spec:Spectrum">\n{elements}'
    ).encode()
    yield from pieces


def _fits(batch: pa.RecordBatch, columns: Sequence[OutputColumn], said: Sequence[Said]) -> bytes:
    """FITS file whose first extension is the spectrum, a row a pixel."""
    forms = {"double": "D", "float": "E", "short": "I"}
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column(one.name, forms[one.datatype], one.unit, array=np.asarray(batch[one.name]))
            for one in columns
        ],
        name="SPECTRUM",
    )
    header = table.header
    for n, one in enumerate(columns, 1):
        header[f"TUCD{n}"], header[f"TUTYP{n}"] = one.ucd, str(one.utype).removeprefix("spec:")
    header.update({"VOCLASS": "Spectrum 1.1", "VOPUB": PUBLISHER, "RADESYS": "ICRS", "TIMESYS": "UTC"})
    header["VACUUM"] = (True, "wavelengths are in vacuum")
    for key, value in (card for about in said for card in about.cards()):
        header[key] = value
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(file)
    return file.getvalue()
