"""Waiting for what is to happen."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds in which what is to happen must have happened; none passes where it happens at once.
_PATIENCE_S = 15.0


def eventually(question: Callable[[], bool], patience_s: float = _PATIENCE_S) -> bool:
    """Whether something becomes true within our patience."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if question():
            return True
        time.sleep(0.05)
    return False
