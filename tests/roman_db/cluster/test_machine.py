import os

import psutil
import pytest

from roman_db.cluster import machine

GIB = 1024**3


@pytest.fixture
def container(monkeypatch, tmp_path):
    """Pretend to be in a cgroup: what /proc/self/cgroup says, and files below /sys/fs/cgroup."""

    def pretend(own_cgroups, files):
        (tmp_path / "self").write_text(own_cgroups)
        for name, text in files.items():
            path = tmp_path / "fs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(machine, "_OWN_CGROUPS", tmp_path / "self")
        monkeypatch.setattr(machine, "_CGROUPS", tmp_path / "fs")

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("memory", (), {"total": 64 * GIB}))
    return pretend


V2, V1 = "0::/user/app\n", "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n"


@pytest.mark.parametrize(
    ("own", "files", "memory", "cpus"),
    [
        ("", {}, 64, 16),
        (V2, {"memory.max": "max\n", "cpu.max": "max 100000\n"}, 64, 16),
        (V2, {"user/app/memory.max": f"{4 * GIB}\n", "user/app/cpu.max": "250000 100000\n"}, 4, 2),
        # The limit of an enclosing group holds as well.
        (V2, {"user/memory.max": f"{8 * GIB}\n", "user/app/memory.max": "max\n"}, 8, 16),
        # In a container the group's path is the host's, and its files are at the root.
        (V2, {"memory.max": f"{2 * GIB}\n", "cpu.max": "50000 100000\n"}, 2, 1),
        (V1, {"memory/memory.limit_in_bytes": f"{3 * GIB}\n"}, 3, 16),
        (V1, {"memory/memory.limit_in_bytes": f"{2**63 - 4096}\n"}, 64, 16),
        (V1, {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64, 3),
        (V1, {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64, 16),
    ],
)
def test_smallest_limit_holds(container, own, files, memory, cpus):
    container(own, files)
    assert machine.usable_memory() == memory * GIB
    assert machine.usable_cpus() == cpus


def test_this_machine_has_something():
    assert 1 <= machine.usable_cpus() <= os.cpu_count()
    assert 0 < machine.usable_memory() <= psutil.virtual_memory().total
