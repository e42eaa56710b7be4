"""Emission lines: vacuum wavelengths (NIST), what is measured of them, and the broad ones of QSOs."""

from __future__ import annotations

from dataclasses import dataclass

SPEED_OF_LIGHT = 299_792.458
"""km/s."""


@dataclass(frozen=True)
class Line:
    """A line: name, vacuum wavelength (Å), and its share relative to the first of its group."""

    name: str
    wavelength: float
    ratio: float = 1.0


@dataclass(frozen=True)
class LineGroup:
    """Lines with one amplitude."""

    name: str
    lines: tuple[Line, ...]


WAVELENGTH = {
    "Lyalpha": 1215.67,
    **{"Halpha": 6564.61, "Hbeta": 4862.68, "Hgamma": 4341.68, "Hdelta": 4102.89},
    **{"Palpha": 18756.1, "Pbeta": 12821.6, "Pgamma": 10941.1, "Pdelta": 10052.1},
    **{"[OII]3727": 3727.09, "[OII]3730": 3729.88, "[NeIII]3870": 3869.86},
    **{"[OIII]5008": 5008.24, "[OIII]4960": 4960.30, "HeI5877": 5877.25, "[OI]6302": 6302.05},
    **{"[NII]6585": 6585.27, "[NII]6550": 6549.85, "[SII]6718": 6718.29, "[SII]6733": 6732.67},
    **{"CIV1549": 1549.48, "CIII]1909": 1908.73, "MgII2796": 2796.35, "MgII2803": 2803.53},
    **{"[ArIII]7138": 7137.77, "[SIII]9071": 9071.1, "[SIII]9533": 9533.2, "HeI10833": 10833.3},
}
"""Of narrow lines: Å in vacuum (NIST)."""

BLENDS = (
    *((Line("[OIII]5008", 5008.24), Line("[OIII]4960", 4960.30, 1 / 2.98)),),
    *((Line("[OII]3727", 3727.09), Line("[OII]3730", 3729.88)),),
    *((Line("[NII]6585", 6585.27), Line("[NII]6550", 6549.85, 1 / 3.05)),),
    *((Line("[SII]6718", 6718.29), Line("[SII]6733", 6732.67, 0.75)),),
    *((Line("MgII2796", 2796.35), Line("MgII2803", 2803.53, 0.6)),),
    *(
        (Line(name, WAVELENGTH[name]),)
        for name in WAVELENGTH
        if not name.startswith(("[OIII]", "[OII]", "[NII]", "[SII]", "MgII"))
    ),
)
"""What is measured: doublets with their ratios (Storey & Zeippen 2000, MNRAS 312, 813, of [O III] and
[N II]), other lines by themselves."""

NARROW_QSO = (LineGroup("[OIII]", BLENDS[0]),)
"""Narrow lines beside the broad ones of QSOs."""

BROAD_LINES = (
    *((1033.0, 9.6, 3500.0), (1215.67, 92.9, 3500.0), (1240.1, 15.0, 3500.0), (1305.4, 1.7, 3000.0)),
    *((1398.3, 8.1, 3500.0), (1549.1, 23.8, 3000.0), (1640.4, 0.5, 3000.0), (1908.7, 21.2, 3500.0)),
    *((2326.0, 2.0, 2500.0), (2798.8, 32.3, 2500.0), (4341.7, 12.6, 2500.0), (4862.7, 46.2, 2500.0)),
    *((5877.2, 4.9, 2500.0), (6564.6, 194.5, 2500.0), (10833.3, 36.0, 2500.0), (10941.1, 17.0, 2500.0)),
    *((12821.6, 45.0, 2500.0), (18756.1, 80.0, 2500.0)),
)
"""Broad lines of QSOs: wavelength (Å), equivalent width (Å, in rest) and dispersion (km/s).

To 6565 Å they are of Vanden Berk et al. (2001, AJ 122, 549, table 2), widths rounded; in the infrared of the
size that Glikman et al. (2006, ApJ 640, 579) see.
"""


def line_list() -> list[dict[str, str | float]]:
    """Names and vacuum wavelengths (µm) of the lines, for whoever marks them in a plot."""
    return [{"name": name, "wavelength": place * 1e-4} for name, place in WAVELENGTH.items()]
