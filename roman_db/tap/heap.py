"""The heap of the service's process, which many threads share."""

from __future__ import annotations

import ctypes

#: Number of the parameter in glibc's ``malloc.h``.
_M_ARENA_MAX = -8
_ARENAS = 2


def share_arenas() -> None:
    """Have threads that begin from now on share two arenas, where the C library is glibc.

    It would give each of the first eight threads a core one of its own, and each keeps what was freed in it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
