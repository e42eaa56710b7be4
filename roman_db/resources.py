"""The data folders of the project, beside the code or inside the installed package, and their YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_PACKAGED = Path(__file__).parent / "resources"
_CHECKOUT = Path(__file__).parent.parent


def folder(name: str) -> Path:
    """Folder ``schema``, ``migrations`` or ``queries``.

    Raises
    ------
    FileNotFoundError
        If neither the installed package nor the checkout holds it.
    """
    for root in (_PACKAGED, _CHECKOUT):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(
        f"folder {name!r} is neither in {_PACKAGED} nor in {_CHECKOUT}: reinstall roman-db"
    )


def read_yaml(path: Path) -> Any:
    """Read a YAML file; by libyaml, where PyYAML has it, since each query reads all of the schema's."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(), Loader=loader)
