"""Mapping files: a catalog's columns named by hand, in YAML.

::

    name: my_survey
    ref_epoch: 2016.0
    columns:
      source_id: star
      ra: {column: RAJ2000, unit: deg}
      dec: {column: DEJ2000, unit: deg}
      pm_ra: {column: pmRA, unit: mas/yr, times_cos_dec: false}
    fluxes:
      F146: {column: wmag, error: e_wmag, system: AB}
      F087: {column: z, system: Vega, zero_point: 2270}
      F213: {column: kflux, unit: uJy}
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import yaml

from loaders.catalog.mapping import CatalogMapping, ColumnRule, FluxRule
from loaders.catalog.units import CANONICAL_UNITS
from loaders.input_file import read_bytes
from loaders.rejection import Rejected

Rule = TypeVar("Rule", ColumnRule, FluxRule)

_SYSTEMS = ("flux", "AB", "Vega")
_REMEDY = "Correct the mapping file"
_TYPES: dict[str, type | tuple[type, ...]] = {"str": str, "float": (int, float), "bool": bool}


def read_mapping(path: Path | str, optical_elements: Iterable[str]) -> CatalogMapping:
    """Read a mapping file.

    Parameters
    ----------
    path
        File in YAML, as the module describes.
    optical_elements
        Names that `fluxes` may use.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``bad_mapping``.
    """
    path = Path(path)
    where = str(path)
    text = read_bytes(path, "a mapping file in YAML")
    try:
        content = yaml.safe_load(text.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first_line = str(error).splitlines()[0]
        raise Rejected(where, f"not YAML: {first_line}", _REMEDY, "bad_mapping") from error
    _check_keys(content, {"name", "ref_epoch", "columns", "fluxes"}, where)
    columns = _rules(content.get("columns"), ColumnRule, {"source_id", *CANONICAL_UNITS}, f"{where}: columns")
    fluxes = _rules(content.get("fluxes"), FluxRule, set(optical_elements), f"{where}: fluxes")
    for element, rule in fluxes.items():
        _check_flux(rule, f"{where}: fluxes.{element}")
    epoch = content.get("ref_epoch")
    if epoch is not None and (isinstance(epoch, bool) or not isinstance(epoch, int | float)):
        raise Rejected(f"{where}: ref_epoch", f"{epoch!r} is not a number", _REMEDY, "bad_mapping")
    name = str(content.get("name") or path.stem)
    return CatalogMapping(name, columns, fluxes, None if epoch is None else float(epoch))


def _check_keys(content: object, allowed: set[str], where: str) -> None:
    """Reject what is not a YAML mapping, and keys that mean nothing."""
    if not isinstance(content, dict):
        raise Rejected(where, f"expected a YAML mapping, found {content!r}", _REMEDY, "bad_mapping")
    unknown = sorted(str(key) for key in content if key not in allowed)
    if unknown:
        what = f"unknown key {', '.join(unknown)}; known are {', '.join(sorted(allowed))}"
        raise Rejected(where, what, _REMEDY, "bad_mapping")


def _rules(content: object, kind: type[Rule], allowed: set[str], where: str) -> dict[str, Rule]:
    """Rules by our name; a bare text is the name of the column."""
    if content is None:
        return {}
    _check_keys(content, allowed, where)
    assert isinstance(content, dict)
    return {name: _rule(entry, kind, f"{where}.{name}") for name, entry in content.items()}


def _rule(entry: object, kind: type[Rule], where: str) -> Rule:
    entry = {"column": entry} if isinstance(entry, str) else entry
    known = {item.name: str(item.type).removesuffix(" | None") for item in fields(kind)}
    _check_keys(entry, set(known), where)
    assert isinstance(entry, dict)
    for name, value in entry.items():
        is_stray_bool = isinstance(value, bool) and known[name] != "bool"
        if is_stray_bool or not isinstance(value, _TYPES[known[name]]):
            raise Rejected(f"{where}.{name}", f"{value!r} is not a {known[name]}", _REMEDY, "bad_mapping")
    if "column" not in entry:
        raise Rejected(where, "no column is named", _REMEDY, "bad_mapping")
    return kind(**entry)


def _check_flux(rule: FluxRule, where: str) -> None:
    """Reject an unknown system, and a zero point that is missing or out of place."""
    if rule.system not in _SYSTEMS:
        what = f"system {rule.system!r} is none of {', '.join(_SYSTEMS)}"
        raise Rejected(where, what, _REMEDY, "bad_mapping")
    if (rule.system == "Vega") != (rule.zero_point is not None):
        what = "zero_point (Jy) belongs to Vega magnitudes, and only to them"
        raise Rejected(where, what, _REMEDY, "bad_mapping")
    if rule.zero_point is not None and not rule.zero_point > 0:
        raise Rejected(where, f"zero_point {rule.zero_point} is not positive", _REMEDY, "bad_mapping")
