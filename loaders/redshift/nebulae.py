"""Narrow lines as gas gives them: galaxies are fitted with mixtures of nebulae, not with any ratios.

A single line is told from others by the lines that it lacks; with free ratios every line could be any.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from loaders.redshift.lines import WAVELENGTH, Line, LineGroup

FloatArray = npt.NDArray[np.float64]

_METALLICITY = (-0.8, -0.4, 0.05)
"""12 + log(O/H) less 8.69, that of the Sun: the range of Curti et al. (2020)."""

_A_V = (0.0, 2.5)
"""Magnitudes of dust before the gas: none, and as much as few galaxies with strong lines have."""

_CURTI = {
    "O2/Hbeta": (0.435, -1.362, -5.655, -4.851, -0.478, 0.736),
    "O3/Hbeta": (-0.277, -3.549, -3.593, -0.981),
    "N2/Halpha": (-0.489, 1.513, -2.554, -5.293, -2.867),
    "S2/Halpha": (-0.442, -0.360, -6.271, -8.339, -3.559),
}
"""Coefficients of polynomials in metallicity: logarithms of [O II] 3727+3730, [O III] 5008, [N II] 6585 and
[S II] 6718+6733 (Curti et al. 2020, MNRAS 491, 944, table 2)."""

_NARROW_LINE_REGIONS = {
    "seyfert": {"O2/Hbeta": 2.5, "O3/Hbeta": 11.0, "N2/Halpha": 1.0, "S2/Halpha": 0.6},
    "liner": {"O2/Hbeta": 5.0, "O3/Hbeta": 1.8, "N2/Halpha": 1.3, "S2/Halpha": 1.0},
}
"""Ratios typical of active nuclei in the diagrams of Kewley et al. (2006, MNRAS 372, 961)."""

_HYDROGEN = {
    **{"Halpha": 2.863, "Hbeta": 1.0, "Hgamma": 0.468, "Hdelta": 0.259},
    **{"Palpha": 0.339, "Pbeta": 0.163, "Pgamma": 0.0904, "Pdelta": 0.0555},
}
"""Case B at 10,000 K and 100 per cm³, relative to Hβ (Osterbrock & Ferland 2006, table 4.4)."""

_LYMAN_ALPHA = LineGroup("Lyalpha", (Line("Lyalpha", WAVELENGTH["Lyalpha"]),))
"""Its strength the others do not tell."""


@cache
def nebulae() -> tuple[LineGroup, ...]:
    """Groups of lines that are fitted to galaxies: nebulae with little and much dust, and the ultraviolet."""
    ratios = {f"Z{x:+.2f}": _of_metallicity(x) for x in _METALLICITY} | _NARROW_LINE_REGIONS
    return (*(_nebula(f"{name} A{a}", one, a) for name, one in ratios.items() for a in _A_V), _LYMAN_ALPHA)


def _of_metallicity(x: float) -> dict[str, float]:
    """Ratios of an H II region."""
    return {name: float(10 ** np.polynomial.polynomial.polyval(x, c)) for name, c in _CURTI.items()}


def _nebula(name: str, ratio: dict[str, float], a_v: float) -> LineGroup:
    """Lines of a nebula with Hα of 1, behind dust."""
    strength = {**_HYDROGEN, **_metals(ratio)}
    seen = {line: value * _transmission(WAVELENGTH[line], a_v) for line, value in strength.items()}
    return LineGroup(
        name, tuple(Line(line, WAVELENGTH[line], value / seen["Halpha"]) for line, value in seen.items())
    )


def _metals(ratio: dict[str, float]) -> dict[str, float]:
    """Lines of other elements relative to Hβ.

    Doublets are in the ratios of transition probabilities (Storey & Zeippen 2000, MNRAS 312, 813) or of low
    density; weak lines are as strong as in bright H II regions, roughly.
    """
    oxygen2, oxygen3 = ratio["O2/Hbeta"], ratio["O3/Hbeta"]
    nitrogen, sulphur = 2.863 * ratio["N2/Halpha"], 2.863 * ratio["S2/Halpha"]
    return {
        **{"[OII]3727": oxygen2 / 2.35, "[OII]3730": oxygen2 * 1.35 / 2.35},
        **{"[OIII]5008": oxygen3, "[OIII]4960": oxygen3 / 2.98, "[NeIII]3870": 0.09 * oxygen3},
        **{"[NII]6585": nitrogen, "[NII]6550": nitrogen / 3.05},
        **{"[SII]6718": sulphur * 0.57, "[SII]6733": sulphur * 0.43},
        **{"HeI5877": 0.12, "[OI]6302": 0.25 * sulphur, "[ArIII]7138": 0.08, "HeI10833": 0.25},
        **{"CIV1549": 0.1, "CIII]1909": 0.4, "MgII2796": 0.15, "MgII2803": 0.1},
        **{"[SIII]9533": 0.3, "[SIII]9071": 0.3 / 2.44},
    }


def _transmission(wavelength: float, a_v: float) -> float:
    """Share of light that dust lets through (Calzetti et al. 2000, ApJ 533, 682, equation 4).

    The wavelength is in Å; below 1200 Å it is that of 1200 Å, beyond 2.2 µm all.
    """
    x = 1e4 / max(wavelength, 1200.0)
    if wavelength < 6300:
        k = 2.659 * (-2.156 + 1.509 * x - 0.198 * x**2 + 0.011 * x**3) + 4.05
    else:
        k = 2.659 * (-1.857 + 1.040 * x) + 4.05
    return float(10 ** (-0.4 * a_v * max(k, 0.0) / 4.05))
