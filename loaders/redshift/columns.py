"""Which column of a table is which, what its unit means, and wavelengths in air."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from astropy import units as u

from loaders.rejection import Rejected

FloatArray = npt.NDArray[np.float64]

NAMES: Mapping[str, tuple[str, ...]] = {
    "wavelength": (
        "wavelength",
        "wave",
        "lambda",
        "lam",
        "spectral_axis",
        "wl",
        "wavelengths",
        "awave",
        "loglam",
    ),
    "flux": ("flux", "signal", "flux_density", "flam", "fluxdensity", "spec", "spectrum", "fnu"),
    "error": (
        *(
            "flux_err",
            "flux_error",
            "fluxerr",
            "err",
            "error",
            "sigma",
            "uncertainty",
            "stdev",
            "noise",
            "std",
        ),
        *("err_flux", "e_flux", "flux_sigma"),
    ),
    "ivar": ("ivar", "flux_ivar", "inverse_variance"),
    "variance": ("var", "variance", "flux_var"),
    "mask": ("mask", "and_mask", "dq", "quality", "bad", "flags"),
    "resolution": ("resolution", "r", "resolving_power"),
    "lsf_pixels": ("wdisp",),
    "sensitivity": ("sensitivity",),
    "flat": ("flat",),
    "contamination": ("contam", "contamination"),
}
"""By which names (in small letters) columns are recognised, the best first.

``loglam`` is the decimal logarithm of the wavelength, ``wdisp`` the dispersion in pixels (both SDSS);
``flat`` and ``sensitivity`` divide counts.
"""

STORED_UNIT = "10**-20.W.m**-2.um**-1"
_STORED = u.Unit(1e-20 * u.W / u.m**2 / u.um)


def recognised(names: list[str], where: str) -> dict[str, str]:
    """Columns of a table by what they are.

    Raises
    ------
    Rejected
        Code ``missing_column`` where wavelength, flux or every kind of error is missing.
    """
    small = {name.lower(): name for name in reversed(names)}
    found = {}
    for role, known in NAMES.items():
        name = next((one for one in known if one in small), None)
        if name is not None:
            found[role] = small[name]
    for role in ("wavelength", "flux"):
        if role not in found:
            raise _missing(where, role, NAMES[role], names)
    if not {"error", "ivar", "variance"} & set(found):
        raise _missing(where, "error", (*NAMES["error"], *NAMES["ivar"], *NAMES["variance"]), names)
    return found


def _missing(where: str, role: str, known: tuple[str, ...], names: list[str]) -> Rejected:
    """Say which column is missing."""
    what = f"no column of the {role}; it has {', '.join(names) or 'none'}"
    return Rejected(where, what, f"Call the column one of: {', '.join(known)}", "missing_column")


def in_angstrom(values: FloatArray, unit: str | None, where: str) -> FloatArray:
    """Wavelengths in Å; without a unit their size tells m and µm from Å.

    Raises
    ------
    Rejected
        Code ``bad_unit``.
    """
    if not unit:
        middle = float(np.nanmedian(values)) if np.isfinite(values).any() else 1e4
        return np.asarray(values * (1e10 if middle < 1e-3 else 1e4 if middle < 30 else 1.0))
    try:
        return np.asarray((values * u.Unit(unit)).to_value(u.AA, u.spectral()))
    except (ValueError, TypeError, u.UnitConversionError) as error:
        what = f"the wavelength has the unit “{unit}”"
        raise Rejected(where, what, "Give wavelengths in Angstrom, nm, um or m", "bad_unit") from error


def flux_factor(unit: str | None, wavelength: FloatArray) -> tuple[FloatArray, str]:
    """Factor that makes of a flux one by wavelength in the unit in which it is stored.

    Returns
    -------
    factor
        Shape (n,).
    unit
        `STORED_UNIT`; empty where the file states none that is a flux density: then the scale is not known.
    """
    relative = np.ones(wavelength.size), ""
    if not unit:
        return relative
    try:
        given = u.Unit(re.sub(r"\bAng\b", "Angstrom", unit))
        at = wavelength * u.AA
        factor = (np.ones(wavelength.size) * given).to_value(_STORED, u.spectral_density(at))
    except (ValueError, TypeError, u.UnitConversionError):
        return relative
    return np.asarray(factor), STORED_UNIT


def vacuum(air: FloatArray) -> FloatArray:
    """Wavelengths (Å) in vacuum of those in air, above 2000 Å (Ciddor 1996, Applied Optics 35, 1566)."""
    wave = air.copy()
    for _ in range(3):
        k2 = (1e4 / wave) ** 2
        index = 1 + 0.05792105 / (238.0185 - k2) + 0.00167917 / (57.362 - k2)
        wave = air * np.where(wave > 2000, index, 1.0)
    return np.asarray(wave)
