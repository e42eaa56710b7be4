"""What loaders compute for a page, found by entry points, as the core knows no loader."""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

#: Entry points that say where a calculation is: name = "module:function".
GROUP = "roman_db.portal"

#: Seconds after the first page when they are loaded: the page itself and its light curves come before.
_LATER_S = 3.0


class NoCalculation(LookupError):
    """A calculation that nothing installed offers."""


@cache
def prepare() -> None:
    """Load all calculations in the background, once: that takes seconds, which plots need not wait for."""
    names = importlib.metadata.entry_points(group=GROUP).names
    later = threading.Timer(_LATER_S, lambda: [calculation(name) for name in names])
    later.daemon = True
    later.start()


@cache
def calculation(name: str) -> Callable[..., Any]:
    """Find a calculation by its name.

    Raises
    ------
    NoCalculation
        If nothing that is installed offers it.
    """
    for entry in importlib.metadata.entry_points(group=GROUP, name=name):
        found: Callable[..., Any] = entry.load()
        return found
    raise NoCalculation(
        f"no calculation {name!r} is declared in the entry points {GROUP}: install roman-db again "
        "(make setup)"
    )
