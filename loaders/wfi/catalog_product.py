"""What all catalogs that are written as RAD's products have in common."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Column


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
