"""Where the data folders of the project lie: beside the code, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

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
