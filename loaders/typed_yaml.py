"""Values of YAML files as typed dataclasses; what does not fit is said with its place."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay changes over a mapping: mappings merge, lists and plain values replace."""
    merged = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        merged[key] = merge(base[key], value) if nested else value
    return merged


def build(kind: Any, value: Any, where: str) -> Any:
    """Turn plain YAML values into ``kind``: a dataclass, a tuple or mapping of something, or a plain type.

    Parameters
    ----------
    kind
        The type.
    value
        What was read.
    where
        What it is called in errors.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value does not fit.
    """
    if is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    if get_origin(kind) is tuple:
        return _build_tuple(get_args(kind), value, where)
    if get_origin(kind) is dict:
        return _build_mapping(get_args(kind)[1], value, where)
    if get_origin(kind) in (Union, types.UnionType):
        return None if value is None else build(get_args(kind)[0], value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is str and hasattr(value, "isoformat"):
        return value.isoformat()
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{where} must be {kind.__name__}, got {value!r}")
    return value


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be a mapping, got {value!r}")
    hints = get_type_hints(kind)
    required = {f.name for f in fields(kind) if f.default is MISSING}
    if unknown := set(value) - set(hints):
        raise ValueError(f"{where} has unknown keys {sorted(unknown)}; known are {sorted(hints)}")
    if missing := required - set(value):
        raise ValueError(f"{where} lacks {sorted(missing)}")
    return kind(**{key: build(hints[key], item, f"{where}.{key}") for key, item in value.items()})


def _build_mapping(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be a mapping, got {value!r}")
    return {str(key): build(kind, item, f"{where}.{key}") for key, item in value.items()}


def _build_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where} must be a list, got {value!r}")
    if kinds[-1] is Ellipsis:
        return tuple(build(kinds[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if len(value) != len(kinds):
        raise ValueError(f"{where} must have {len(kinds)} values, got {value!r}")
    return tuple(
        build(k, item, f"{where}[{i}]") for i, (k, item) in enumerate(zip(kinds, value, strict=True))
    )
