"""The catalog from Python: a thin layer on pyvo, without a database, loaders or servers.

``connect()`` gives a `Catalog`; ``%load_ext roman_db.client`` adds the cell magic ``%%romansql``. What is
here is imported when it is first used, so that importing this package takes no time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from roman_db.client.catalog import Catalog, connect
    from roman_db.client.download import Downloaded
    from roman_db.client.event import Event
    from roman_db.client.failure import (
        BadQuery,
        ClientError,
        NotAllowed,
        NothingFound,
        NotSignedIn,
        RowsWereCut,
        ServiceFailed,
        Unreachable,
    )
    from roman_db.client.spectrum import Spectrum

__all__ = [
    "BadQuery",
    "Catalog",
    "ClientError",
    "Downloaded",
    "Event",
    "NotAllowed",
    "NotSignedIn",
    "NothingFound",
    "RowsWereCut",
    "ServiceFailed",
    "Spectrum",
    "Unreachable",
    "connect",
]

_HOMES = {
    "Catalog": "catalog", "connect": "catalog", "Downloaded": "download", "Event": "event",
    "Spectrum": "spectrum",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'failure')}"), name)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add ``%%romansql`` to IPython: what ``%load_ext roman_db.client`` calls."""
    importlib.import_module(f"{__name__}.magic").register(shell)
