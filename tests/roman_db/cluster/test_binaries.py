from pathlib import Path

import pytest

from roman_db.cluster import binaries
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout


@pytest.fixture
def make(tmp_path):
    """Make a folder of programs that say they are some version of PostgreSQL."""

    def installation(where, version, q3c=True, configure="--with-lz4"):
        root = tmp_path / where
        programs = root / f"usr/lib/postgresql/{version}/bin"
        programs.mkdir(parents=True)
        extensions = root / f"usr/share/postgresql/{version}/extension"
        extensions.mkdir(parents=True)
        if q3c:
            (extensions / "q3c.control").touch()
        for name in ("postgres", "initdb", "pg_ctl", "pg_resetwal", "pg_config"):
            script = programs / name
            lines = [f"VERSION = PostgreSQL {version}.3 (Test)", f"SHAREDIR = {extensions.parent}"]
            lines += [f"CONFIGURE = '{configure}'", 'LIBRARIES = "$LD_LIBRARY_PATH"']
            script.write_text("#!/bin/sh\ncat <<END\n" + "\n".join(lines) + "\nEND\n")
            script.chmod(0o755)
        return programs

    return installation


@pytest.fixture
def layout(tmp_path, monkeypatch):
    """A home on a machine whose system folders hold no PostgreSQL."""
    monkeypatch.setattr(
        binaries, "_candidates", lambda unpacked: sorted(unpacked.glob("usr/lib/postgresql/*/bin"))
    )
    return Layout(tmp_path / "home")


def test_newest_with_q3c_is_chosen(make, layout):
    for version, q3c in ((14, True), (15, True), (16, True), (17, False)):
        make("home/postgresql", version, q3c)
    assert binaries.choose(None, layout).major == 16


def test_existing_cluster_gets_its_own_version(make, layout):
    make("home/postgresql", 15)
    make("home/postgresql", 16)
    layout.data.mkdir()
    (layout.data / "PG_VERSION").write_text("15\n")
    assert binaries.choose(None, layout).major == 15


def test_named_folder_is_the_only_one(make, layout):
    make("home/postgresql", 17)
    named = make("elsewhere", 15)
    assert binaries.choose(named, layout).bin == named
    with pytest.raises(ClusterError, match=r"found: none.*ROMAN_DB_PG_BIN"):
        binaries.choose(layout.home, layout)


@pytest.mark.parametrize(("version", "q3c", "said"), [(14, True, "found: 14 in"), (15, False, "without q3c")])
def test_what_was_found_instead_is_told(make, layout, version, q3c, said):
    make("home/postgresql", version, q3c)
    with pytest.raises(ClusterError, match=said):
        binaries.usable(None, layout)


def test_unpacked_packages_bring_their_libraries(make, layout):
    make("home/postgresql", 15)
    libraries = layout.programs / "usr/lib/riscv64-linux-gnu"
    libraries.mkdir()
    environment = binaries.choose(None, layout).environment
    assert environment["LD_LIBRARY_PATH"] == str(libraries)
    assert set(environment) == {"PATH", "LC_ALL", "LD_LIBRARY_PATH"}


def test_program_that_does_not_run_is_passed_over(make, layout):
    (make("home/postgresql", 16) / "pg_config").write_text("#!/nonexistent/interpreter\n")
    make("home/postgresql", 15)
    assert binaries.choose(None, layout).major == 15


def test_compression_follows_the_build(make, layout):
    assert binaries.choose(make("with", 15), layout).has_lz4
    assert not binaries.choose(make("without", 15, configure="--with-icu"), layout).has_lz4


def test_the_machines_own_is_found():
    found = (
        binaries.usable(None, Layout(Path("/nonexistent"))) if Path("/usr/lib/postgresql").exists() else []
    )
    assert all(one.bin.is_dir() and one.major >= 15 for one in found)
