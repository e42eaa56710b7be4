"""What a VOTable says of the times, places and fluxes of time series.

TIMESYS and COOSYS as VOTable 1.4, sections 3.2 and 3.3, have them; photometric calibration in groups by the
photometry data model (PhotDM 1.1), one for each optical element, as the IVOA's note on annotating time series
proposes. One table holds all elements, with a column that says which: that is what TOPCAT, astropy and pyvo
read at once.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from xml.sax.saxutils import quoteattr

from roman_db.resources import folder
from roman_db.vo.votable_head import once, with_attribute

#: Flux density of a source of AB magnitude 0, Jy (Oke & Gunn 1983).
_AB_ZERO_POINT_JY = 3631.0
_SYSTEMS = (
    '<COOSYS ID="icrs" system="ICRS"/>\n'
    '<TIMESYS ID="time_barycenter" timescale="TDB" refposition="BARYCENTER" timeorigin="JD-origin"/>\n'
    '<TIMESYS ID="time_observatory" timescale="TDB" refposition="TOPOCENTER" timeorigin="MJD-origin"/>\n'
)
#: What each column refers to.
_REFERENCES = {
    "ra": "icrs",
    "dec": "icrs",
    "midpoint_bjd_tdb": "time_barycenter",
    "midpoint_mjd_tdb": "time_observatory",
}
_IDENTIFIED = ("flux", "flux_err", "ab_mag", "ab_mag_err")


def annotated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a VOTable in pieces, of which the first holds the FIELDs, with what they mean added."""
    head = next(pieces).decode()
    for name, system in _REFERENCES.items():
        head = with_attribute(head, name, f'ref="{system}"')
    for name in _IDENTIFIED:
        head = with_attribute(head, name, f'ID="{name}"')
    head = once(head, "<TABLE>\n", f'{_SYSTEMS}<TABLE name="time_series">\n')
    yield once(head, "<DATA>\n", f"{calibration()}<DATA>\n").encode()
    yield from pieces


def with_barycentric_times(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield a VOTable in pieces as `annotated` does, a column of which has times at the barycentre."""
    head = with_attribute(next(pieces).decode(), name, f'ref="{_REFERENCES["midpoint_bjd_tdb"]}"')
    yield once(head, "<TABLE>\n", f"{_SYSTEMS}<TABLE>\n").encode()
    yield from pieces


@cache
def calibration() -> str:
    """Groups with the photometric calibration, one for each optical element that takes images."""
    path = folder("schema") / "rows" / "roman.optical_element.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return "".join(_group(row) for row in csv.DictReader(file) if row["kind"] == "imaging")


def _group(row: dict[str, str]) -> str:
    """Calibration of fluxes and magnitudes in one optical element."""
    name = row["optical_element"]
    filter_, calibration_ = "photDM:PhotometryFilter", "photDM:PhotCal"
    text = 'datatype="char" arraysize="*"'
    parameters = (
        f'<PARAM name="filterIdentifier" {text} utype="{filter_}.identifier" '
        f"value={quoteattr(f'Roman/WFI.{name}')}/>",
        f'<PARAM name="optical_element" {text} utype="{filter_}.bandName" value={quoteattr(name)}/>',
        f'<PARAM name="effectiveWavelength" datatype="double" unit="um" ucd="em.wl.effective" '
        f'utype="{filter_}.spectralLocation.value" value="{row["wavelength_pivot"]}"/>',
        f'<PARAM name="magnitudeSystem" {text} utype="{calibration_}.magnitudeSystem.type" value="AB"/>',
        f'<PARAM name="zeroPointFlux" datatype="double" unit="Jy" ucd="phot.flux.density;arith.zp" '
        f'utype="{calibration_}.zeroPoint.flux.value" value="{_AB_ZERO_POINT_JY}"/>',
    )
    references = "".join(f'<FIELDref ref="{one}"/>\n' for one in _IDENTIFIED)
    return f'<GROUP name="photcal_{name}">\n' + "\n".join(parameters) + f"\n{references}</GROUP>\n"
