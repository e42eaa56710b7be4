import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roman_db.cluster import configuration
from roman_db.cluster.configuration import Machine, server_settings
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout

MIB, GIB = 1024**2, 1024**3


def mib(text):
    return int(re.fullmatch(r"(\d+)MB", text)[1])


@given(
    memory=st.integers(256 * MIB, 4096 * GIB),
    cpus=st.integers(1, 512),
    disk=st.integers(100 * MIB, 10**15),
    shared_memory=st.none() | st.integers(0, 1024 * GIB),
)
def test_any_machine_gets_what_postgresql_takes_and_the_machine_has(memory, cpus, disk, shared_memory):
    found = server_settings(Machine(memory, cpus, disk, shared_memory))
    sizes = {name: mib(value) for name, value in found.items() if value.endswith("MB")}
    assert 32 <= sizes["shared_buffers"] <= memory // MIB // 4
    assert (
        sizes["shared_buffers"] + 2 * sizes["maintenance_work_mem"] + 20 * sizes["work_mem"] <= memory // MIB
    )
    # PostgreSQL's own bounds: 64 KiB work_mem, 1 MiB maintenance_work_mem, two segments of log.
    assert sizes["work_mem"] >= 1
    assert sizes["min_wal_size"] >= 32
    assert sizes["min_wal_size"] <= sizes["max_wal_size"]
    assert sizes["max_wal_size"] <= max(64, disk // MIB // 10)
    assert int(found["max_parallel_workers"]) <= int(found["max_worker_processes"])
    assert 1 <= int(found["max_parallel_workers_per_gather"]) <= cpus


@pytest.mark.parametrize(("shared_memory", "expected"), [(64 * MIB, "mmap"), (16 * GIB, None), (None, None)])
def test_container_with_little_shared_memory_puts_it_into_files(shared_memory, expected):
    found = server_settings(Machine(8 * GIB, 4, 100 * GIB, shared_memory))
    assert found.get("dynamic_shared_memory_type") == expected


def test_access_trusts_nobody():
    rules = [line.split() for line in configuration._ACCESS.splitlines() if not line.startswith("#")]
    assert {rule[0] for rule in rules} == {"local", "host"}
    assert {rule[3] for rule in rules if rule[0] == "host"} == {"127.0.0.1/32"}
    assert {rule[-1] for rule in rules if rule[0] == "host"} == {"scram-sha-256"}
    assert "trust" not in configuration._ACCESS.split()


def test_file_is_left_alone_while_it_says_the_same(tmp_path):
    here = Machine(8 * GIB, 4, 100 * GIB, None)
    layout = Layout(tmp_path)
    layout.data.mkdir()
    configuration.write(layout, here, None, has_lz4=True)
    [path] = layout.data.iterdir()
    before = path.stat()
    configuration.write(layout, here, None, has_lz4=True)
    assert path.stat().st_ino == before.st_ino
    configuration.write(layout, here, 5499, has_lz4=False)
    assert path.stat().st_ino != before.st_ino
    assert path.stat().st_mode & 0o777 == 0o600


def test_link_in_the_place_of_a_draft_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    data = tmp_path / "data"
    data.mkdir()
    (data / "pg_hba.conf.draft").symlink_to(victim)
    configuration.write_files(data, {"pg_hba.conf": "new"})
    assert victim.read_text() == "precious"
    assert (data / "pg_hba.conf").read_text() == "new"
    assert not (data / "pg_hba.conf").is_symlink()


def test_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(ClusterError, match="No such file or directory"):
        configuration.write_files(tmp_path / "missing", {"name": "text"})
