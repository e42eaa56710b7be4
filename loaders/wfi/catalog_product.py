"""What all catalogs that are written as RAD's products have in common."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Column
from astropy.time import Time

from loaders.wfi.product_file import level2_model

SOFTWARE = "roman-db"
"""What made a product, as the product says."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write into a folder of its own beside the place, then move, so that no reader sees a part."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as scratch:
        whole = Path(scratch) / path.name
        write(whole)
        whole.replace(path)


def rad_column(name: str, values: Any, definition: Mapping[str, Any]) -> Column:
    """A column of a catalog.

    Parameters
    ----------
    name
        Its name.
    values
        Shape (n,).
    definition
        ``datatype``, ``unit`` and ``description``, as ``get_column_definition`` of RAD's models gives them.
    """
    converted = np.asarray(values).astype(definition["datatype"])
    with warnings.catch_warnings():
        # "none" is what RAD has for no unit.
        warnings.filterwarnings("ignore", message=".*did not parse as unit.*")
        return Column(converted, name=name, unit=definition["unit"], description=definition["description"])


def plain(node: Any) -> Any:
    """Mappings and sequences of a product's tree as dictionaries and lists."""
    if isinstance(node, Mapping):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [plain(value) for value in node]
    return node


_OF_EXPOSURE = (
    "coordinates",
    "exposure",
    "instrument",
    "observation",
    "origin",
    "photometry",
    "pointing",
    "prd_version",
    "program",
    "ref_file",
    "sdf_software_version",
    "telescope",
    "visit",
    "wcsinfo",
)
"""Keywords of an exposure that RAD wants in its catalogs, too."""


def exposure_keywords(path: Path) -> dict[str, Any]:
    """Keywords of a Level-2 file that its catalogs take over, and its ``filename`` and ``file_date``.

    Raises
    ------
    Rejected
        If the file cannot be used.
    """
    with level2_model(path, pixels=False) as model:
        return {name: plain(model.meta[name]) for name in (*_OF_EXPOSURE, "filename", "file_date")}


def exposure_catalog_meta(keywords: Mapping[str, Any], filename: str, model_type: str) -> dict[str, Any]:
    """Metadata of a product that was made from an exposure.

    Parameters
    ----------
    keywords
        As `exposure_keywords` gives them.
    filename
        File name of the product.
    model_type
        RAD's name of what it is, such as ``ImageSourceCatalogModel``.
    """
    return {name: keywords[name] for name in _OF_EXPOSURE} | {
        "calibration_software_name": SOFTWARE,
        "calibration_software_version": version(SOFTWARE),
        "filename": filename,
        "file_date": Time.now(),
        "model_type": model_type,
        "product_type": "l4",
        "image": {"filename": str(keywords["filename"]), "file_date": keywords["file_date"]},
    }
