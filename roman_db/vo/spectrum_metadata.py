"""What is known of a spectrum in the words of the Spectrum data model 1.1 (IVOA), and its FITS keywords."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from roman_db.vo.identifier import identifier
from roman_db.vo.votable_head import Param

#: Row of ``queries/services/spectrum.sql``.
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """What is said of a spectrum: in a VOTable by the element of the model, in FITS by keywords.

    Parameters
    ----------
    name
        Name of the PARAM.
    value
        A text, a number, or numbers, of which each has a keyword.
    utype
        Element of the model, without what all elements begin with.
    keywords, unit, ucd
        Keywords of FITS; VOUnit; UCD.
    """

    name: str
    value: Any
    utype: str
    keywords: tuple[str, ...]
    unit: str | None = None
    ucd: str | None = None

    def param(self) -> Param:
        """It as a PARAM."""
        datatype = "char" if isinstance(self.value, str) else "double"
        size = str(len(self.value)) if isinstance(self.value, tuple) else None
        utype = f"spec:Spectrum.{self.utype}"
        return Param(self.name, self.value, utype, datatype, size, self.unit, self.ucd)

    def cards(self) -> Iterator[tuple[str, Any]]:
        """It as cards of a header."""
        values = self.value if isinstance(self.value, tuple) else (self.value,) * len(self.keywords)
        for key, value in zip(self.keywords, values, strict=True):
            yield key, _plain(value) if isinstance(value, str) else value


def said_of(facts: Facts) -> list[Said]:
    """What is known of a spectrum."""
    blue, red = (facts["wavelength"][k] if facts["wavelength"] else math.nan for k in (0, -1))
    number, name = facts["spectrum_id"], facts["spectrum_name"]
    start, end = facts["start_mjd_utc"], facts["end_mjd_utc"]
    place = (facts["ra"], facts["dec"]) if facts["ra"] is not None else None
    middle = None if start is None or end is None else (start + end) / 2
    calibration = "ABSOLUTE" if facts["flux_is_absolute"] else "UNCALIBRATED"
    span, time = "Char.SpectralAxis.Coverage", "Char.TimeAxis.Coverage"
    said = [
        Said("title", f"Spectrum {number} of {name}", "DataID.Title", ("TITLE",), ucd="meta.title"),
        Said("publisher_did", identifier("spectrum", number), "Curation.PublisherDID", ("DS_IDPUB",)),
        Said("instrument", facts["instrument_name"], "DataID.Instrument", ("INSTRUME",), ucd="meta.id;instr"),
        Said("facility", facts["facility_name"], "DataID.Facility", ("TELESCOP",), ucd="meta.id;instr.tel"),
        Said("target_name", name, "Target.Name", ("OBJECT",), ucd="meta.id;src"),
        Said("target_class", facts["class_name"], "Target.Class", ("SRCCLASS",), ucd="src.class"),
        Said("z", facts["z"], "Derived.Redshift.Value", ("DER_Z",), ucd="src.redshift"),
        Said(
            "z_err",
            facts["z_err"],
            "Derived.Redshift.StatError",
            ("DER_ZERR",),
            ucd="stat.error;src.redshift",
        ),
        Said("reliability", facts["reliability"], "Derived.Redshift.Confidence", ("DER_ZCNF",)),
        Said("position", place, "Char.SpatialAxis.Coverage.Location.Value", ("RA", "DEC"), "deg", "pos.eq"),
        Said("em_mid", (blue + red) / 2, f"{span}.Location.Value", ("SPEC_VAL",), "um", "em.wl"),
        Said("em_width", red - blue, f"{span}.Bounds.Extent", ("SPEC_BW",), "um", "em.wl;instr.bandwidth"),
        Said("em_min", blue, f"{span}.Bounds.Start", ("TDMIN1",), "um", "em.wl;stat.min"),
        Said("em_max", red, f"{span}.Bounds.Stop", ("TDMAX1",), "um", "em.wl;stat.max"),
        Said("t_mid", middle, f"{time}.Location.Value", ("TMID",), "d", "time.epoch"),
        Said("t_min", start, f"{time}.Bounds.Start", ("MJD-BEG",), "d", "time.start"),
        Said("t_max", end, f"{time}.Bounds.Stop", ("MJD-END",), "d", "time.end"),
        Said("exposure_time", facts["exposure_time"], f"{time}.Bounds.Extent", ("EXPTIME",), "s"),
        Said("flux_calibration", calibration, "Char.FluxAxis.Calibration", ("FLUX_CAL",)),
    ]
    return [one for one in said if _is_known(one.value)]


def _is_known(value: Any) -> bool:
    """Whether a value is one."""
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _plain(text: str) -> str:
    """Text as a header may have it."""
    return "".join(one if " " <= one <= "~" else "?" for one in text)
