"""Metadata of contributed files: by RAD's schemas for them (CCSP), and as the manifest says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import asdf
from pyarrow import parquet

from loaders.contribution.manifest import Manifest

_SCHEMAS = "asdf://stsci.edu/datamodels/roman/schemas/CCSP"
#: A file of its own kind, and the least that every file has; tables keep texts alone in their metadata.
CUSTOM, MINIMAL = f"{_SCHEMAS}/ccsp_custom_product-2.0.0", f"{_SCHEMAS}/ccsp_minimal-2.0.0"
_PREFIX = "roman.meta."
_BOOLEANS = {"True": True, "False": False, "true": True, "false": False}
_SAME = ("name", "investigator", "doi", "license", "license_url", "data_release_id")


def of_asdf(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """Metadata in the raw tree of an ASDF file; empty where there are none."""
    roman = tree.get("roman")
    meta = roman.get("meta") if isinstance(roman, Mapping) else None
    return meta if isinstance(meta, Mapping) else {}


def of_parquet(path: Path) -> Mapping[str, Any]:
    """Metadata in the footer of a Parquet file: ``roman.meta.ccsp.doi`` and its like, as a tree."""
    tree: dict[str, Any] = {}
    for key, value in (parquet.read_schema(path).metadata or {}).items():
        name = key.decode(errors="replace")
        if name.startswith(_PREFIX):
            *parents, last = name.removeprefix(_PREFIX).split(".")
            branch = tree
            for parent in parents:
                branch = branch.setdefault(parent, {})
                if not isinstance(branch, dict):
                    break
            else:
                text = value.decode(errors="replace")
                branch[last] = _BOOLEANS.get(text, text)
    return tree


def faults(meta: Mapping[str, Any], schema: str) -> list[str]:
    """What RAD's schema has against metadata, one reason a line."""
    errors = asdf.schema.get_validator(_schema(schema)).iter_errors(meta)
    return [
        f"roman.meta.{'.'.join(map(str, one.path))}: {one.message}".replace(".: ", ": ") for one in errors
    ]


def contradictions(meta: Mapping[str, Any], manifest: Manifest, version: str | None) -> Iterable[str]:
    """Yield what metadata say otherwise than what is right of the manifest, or than the name of the file."""
    said = meta.get("ccsp")
    if not isinstance(said, Mapping):
        return
    for word in _SAME:
        expected = getattr(manifest, word)
        if expected and word in said and said[word] != expected:
            yield f"roman.meta.ccsp.{word} is {said[word]!r}, and {expected!r} in the manifest"
    if version is not None and str(said.get("file_version", version)).lower() != version:
        yield f"roman.meta.ccsp.file_version is {said['file_version']!r}, and {version!r} in the file's name"


@cache
def _schema(uri: str) -> dict[str, Any]:
    """A schema of RAD, its references resolved."""
    return dict(asdf.schema.load_schema(uri, resolve_references=True))
