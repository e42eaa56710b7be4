"""Compiled kernels over ranges of tiles or stars, on threads.

The kernels release the interpreter's lock. Threads of our own, instead of numba's, stay usable in forked
worker processes and from several threads at once.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_CHUNKS_PER_THREAD = 4
"""Ranges a thread gets, so that one crowded corner does not keep the others waiting."""


def available_threads() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """A pool of threads for kernels that take a range ``first, last`` of items; a context manager."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def run(self, kernel: Callable[..., None], count: int, *arguments: object) -> None:
        """Run ``kernel(first, last, *arguments)`` over ``count`` items; an error in any range is raised."""
        if self._pool is None or count < 2 * self._threads:
            kernel(0, count, *arguments)
            return
        chunks = min(count, self._threads * _CHUNKS_PER_THREAD)
        edges = [count * k // chunks for k in range(chunks + 1)]
        jobs = [self._pool.submit(kernel, a, b, *arguments) for a, b in itertools.pairwise(edges)]
        for job in jobs:
            job.result()
