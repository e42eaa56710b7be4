"""How much memory and how many CPUs this process may use, containers' limits included."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def usable_cpus() -> int:
    """Return the number of CPUs: those this process may run on, or fewer where a cgroup grants less time."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = (_cpu_quota(folder) for folder in _cgroup_folders("cpu"))
    return max(1, math.floor(min([affinity, *(quota for quota in quotas if quota is not None)])))


def usable_memory() -> int:
    """Return the bytes of memory: the machine's, or fewer where a cgroup has a limit."""
    limits = (_memory_limit(folder) for folder in _cgroup_folders("memory"))
    return min([psutil.virtual_memory().total, *(limit for limit in limits if limit is not None)])


def shared_memory_size() -> int | None:
    """Return the bytes of ``/dev/shm`` (64 MiB in most containers), or None where there is none."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return None
    return room.f_frsize * room.f_blocks


def _cgroup_folders(controller: str) -> Iterator[Path]:
    """Yield the folders whose limits hold for this process, innermost first, of cgroup versions 1 and 2."""
    for line in _text(_OWN_CGROUPS).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _CGROUPS / controller if controllers else _CGROUPS
        # Inside a container the path is the host's and does not exist here; its limits are then at the root.
        here = root / path.lstrip("/")
        yield from (folder for folder in (here, *here.parents) if folder.is_relative_to(root))


def _memory_limit(folder: Path) -> int | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        text = _text(folder / name)
        if text.isdigit():
            return int(text)
    return None


def _cpu_quota(folder: Path) -> float | None:
    """Return how many CPUs' time the cgroup grants, None where it sets no limit."""
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
