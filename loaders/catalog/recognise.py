"""Recognise the columns of well-known catalogs by their names and UCDs.

A column's unit comes from the file. Where the file states none, it is known only if the whole table is of a
family whose documentation fixes it: the Gaia data model, romanisim's source catalogs, the 2MASS point source
catalog, or our own tables. Otherwise the column is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loaders.catalog.mapping import CatalogMapping, ColumnRule, FluxRule
from loaders.catalog.table import CatalogFile

NAMES: dict[str, tuple[str, ...]] = {
    "source_id": ("source_id", "designation", "object_id", "label", "id", "name", "2mass", "source"),
    "ra": ("ra", "raj2000", "ra_icrs", "_ra", "ra_deg", "alpha_j2000"),
    "dec": ("dec", "decl", "dej2000", "decj2000", "de_icrs", "_de", "_dec", "dec_deg", "delta_j2000"),
    "ra_err": ("ra_err", "ra_error", "e_ra", "e_raj2000", "e_ra_icrs", "ra_psf_err", "err_maj"),
    "dec_err": ("dec_err", "dec_error", "e_dec", "e_dej2000", "e_de_icrs", "dec_psf_err", "err_maj"),
    "pm_ra": ("pm_ra", "pmra", "pm_ra_cosdec"),
    "pm_dec": ("pm_dec", "pmdec", "pmde"),
    "pm_ra_err": ("pm_ra_err", "pmra_error", "e_pmra"),
    "pm_dec_err": ("pm_dec_err", "pmdec_error", "e_pmde", "e_pmdec"),
    "parallax": ("parallax", "plx"),
    "parallax_err": ("parallax_err", "parallax_error", "e_plx"),
    "ref_epoch": ("ref_epoch", "refepoch", "epoch", "jdate"),
}
"""Names, in lower case, by which catalogs call our columns; the first that a table has is taken."""

UCDS: dict[str, tuple[str, ...]] = {
    "source_id": ("meta.id;meta.main",),
    "ra": ("pos.eq.ra;meta.main",),
    "dec": ("pos.eq.dec;meta.main",),
    "ra_err": ("stat.error;pos.eq.ra",),
    "dec_err": ("stat.error;pos.eq.dec",),
    "pm_ra": ("pos.pm;pos.eq.ra",),
    "pm_dec": ("pos.pm;pos.eq.dec",),
    "pm_ra_err": ("stat.error;pos.pm;pos.eq.ra",),
    "pm_dec_err": ("stat.error;pos.pm;pos.eq.dec",),
    "parallax": ("pos.parallax.trig", "pos.parallax"),
    "parallax_err": ("stat.error;pos.parallax.trig", "stat.error;pos.parallax"),
    "ref_epoch": ("meta.ref;time.epoch",),
}
"""UCDs by which columns are recognised whose names are not known."""

_FLUX_NAMES = ("psf_{}_flux", "psf_flux_{}", "flux_{}", "{}_flux", "{}")
_AB_NAMES = ("psf_{}_abmag", "{}_abmag", "{}_ab_mag", "{}_mag", "mag_{}")
_ERROR_NAMES = ("{}_err", "{}_error", "e_{}")


@dataclass(frozen=True)
class Family:
    """Catalogs whose documentation fixes the units of their columns.

    Parameters
    ----------
    name
        Name for the catalog.
    required
        Columns, in lower case, that tell the family.
    units
        Units by column in lower case; ``{}`` stands for an optical element in lower case.
    """

    name: str
    required: frozenset[str]
    units: Mapping[str, str]


_GAIA_UNITS = {
    **dict.fromkeys(("ra", "dec"), "deg"),
    **dict.fromkeys(("ra_error", "dec_error", "parallax", "parallax_error"), "mas"),
    **dict.fromkeys(("pmra", "pmdec", "pmra_error", "pmdec_error"), "mas/yr"),
    "ref_epoch": "yr",
}
_OUR_UNITS = {
    **dict.fromkeys(("ra", "dec"), "deg"),
    **dict.fromkeys(("ra_err", "dec_err", "parallax", "parallax_err"), "mas"),
    **dict.fromkeys(("pm_ra", "pm_dec", "pm_ra_err", "pm_dec_err"), "mas/yr"),
    "ref_epoch": "yr",
    **dict.fromkeys(("psf_flux_{}", "flux_{}", "psf_{}_flux"), "nJy"),
}

FAMILIES = (
    Family(
        "gaia",
        frozenset({"source_id", "ra", "dec", "ra_error", "dec_error", "pmra", "pmdec", "ref_epoch"}),
        _GAIA_UNITS,
    ),
    Family("roman_db", frozenset({"object_id", "ra", "dec", "ra_err", "dec_err", "ref_epoch"}), _OUR_UNITS),
    Family(
        "romanisim",
        frozenset({"ra", "dec", "type", "n", "half_light_radius", "pa", "ba"}),
        {"ra": "deg", "dec": "deg", "{}": "maggy"},
    ),
    Family(
        "2mass",
        frozenset({"designation", "ra", "err_maj", "err_min", "j_m", "h_m", "k_m"}),
        {"ra": "deg", "dec": "deg", "decl": "deg", "err_maj": "arcsec", "jdate": "d"},
    ),
)
"""Families, tried in this order."""


def recognise(file: CatalogFile, optical_elements: Iterable[str]) -> CatalogMapping:
    """Make the mapping of a catalog from what its columns are called.

    Parameters
    ----------
    file
        Header of the catalog.
    optical_elements
        Names of the elements whose fluxes to look for, such as ``F146``. A column named after an element and
        ``mag`` holds AB magnitudes.

    Returns
    -------
    CatalogMapping
        With the columns that were recognised; `loaders.catalog.mapping.check_mapping` tells whether they
        suffice.
    """
    by_name = {name.lower(): name for name in reversed(file.columns)}
    family = next((item for item in FAMILIES if item.required <= by_name.keys()), None)
    units = _units(family, tuple(optical_elements))
    columns = {}
    for ours in NAMES:
        if found := _column(ours, by_name, file):
            columns[ours] = ColumnRule(found, _missing_unit(found, file, units))
    fluxes = {}
    for element in optical_elements:
        if rule := _flux(element, by_name, file, units):
            fluxes[element] = rule
    return CatalogMapping(family.name if family else file.path.stem, columns, fluxes)


def _units(family: Family | None, optical_elements: tuple[str, ...]) -> dict[str, str]:
    """Units by column in lower case that a family fixes."""
    if family is None:
        return {}
    plain = {name: unit for name, unit in family.units.items() if "{}" not in name}
    fluxes = {
        name.format(element.lower()): unit
        for name, unit in family.units.items()
        if "{}" in name
        for element in optical_elements
    }
    return plain | fluxes


def _column(ours: str, by_name: Mapping[str, str], file: CatalogFile) -> str | None:
    """Name in the file of one of our columns."""
    for known in NAMES[ours]:
        if known in by_name:
            return by_name[known]
    for ucd in UCDS[ours]:
        for name, info in file.columns.items():
            if (info.ucd or "").lower() == ucd:
                return name
    return None


def _flux(
    element: str, by_name: Mapping[str, str], file: CatalogFile, units: Mapping[str, str]
) -> FluxRule | None:
    """Rule for the flux in an element: flux densities before magnitudes."""
    for system, patterns in (("flux", _FLUX_NAMES), ("AB", _AB_NAMES)):
        for pattern in patterns:
            known = pattern.format(element.lower())
            if known in by_name:
                errors = (error.format(known) for error in _ERROR_NAMES)
                error = next((by_name[name] for name in errors if name in by_name), None)
                column = by_name[known]
                return FluxRule(column, error, system, _missing_unit(column, file, units))
    return None


def _missing_unit(column: str, file: CatalogFile, units: Mapping[str, str]) -> str | None:
    """Unit that the family fixes for a column of which the file does not state it."""
    return None if file.columns[column].unit else units.get(column.lower())
