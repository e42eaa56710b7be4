"""``setup/postgresql.sh``: as root, with sudo, without either, and on another system."""

import pytest

from tests.setup.machine import Machine, give_environment, make_machine

ROOT, SOMEBODY = 0, 1000
PACKAGES = "postgresql-{0} postgresql-client-{0} postgresql-{0}-q3c"


def debian(folder, user=SOMEBODY, major=15) -> Machine:
    """A machine with the set-up's first half done."""
    machine = make_machine(folder, tuple(PACKAGES.format(major).split()), user)
    give_environment(machine)
    return machine


def installed(machine: Machine, done) -> list[str]:
    """Package lists that were to be installed for the system."""
    calls = [call for call in done.calls_of("apt-get") if " install " in call and " -s " not in call]
    return [call.split(" install ")[1] for call in calls]


def test_nothing_is_done_where_postgresql_is_there(tmp_path):
    machine = debian(tmp_path)
    machine.is_so("postgresql")
    done = machine.run("postgresql.sh")
    assert (done.code, done.said) == (0, "")
    assert done.calls == ["python -m roman_db.cluster programs"]


@pytest.mark.parametrize("major", [15, 17])
def test_root_installs_the_first_version_that_there_is(tmp_path, major):
    machine = debian(tmp_path, ROOT, major)
    done = machine.run("postgresql.sh")
    assert done.code == 0, done.said
    assert installed(machine, done) == [PACKAGES.format(major)]
    assert done.calls_of("sudo") == []
    assert "apt-get -qq update" in done.calls
    assert f"installing the system packages {PACKAGES.format(major)} (as root: apt-get install)" in done.said


def test_who_has_sudo_without_a_password_installs_with_it(tmp_path):
    machine = debian(tmp_path)
    machine.is_so("sudo-without-password")
    done = machine.run("postgresql.sh")
    assert done.code == 0, done.said
    assert installed(machine, done) == [PACKAGES.format(15)]
    assert any(call.startswith("sudo -n env DEBIAN_FRONTEND=noninteractive apt-get") for call in done.calls)
    assert "(sudo -n: apt-get install)" in done.said
    assert not (machine.state / "home").exists()


@pytest.mark.parametrize("why", ["no sudo", "sudo asks for a password", "sudo is not wanted"])
def test_everybody_else_gets_it_unpacked(tmp_path, why):
    machine = debian(tmp_path)
    if why == "no sudo":
        (tmp_path / "bin" / "sudo").unlink()
    unwanted = {"ROMAN_DB_SETUP_SUDO": "no"} if why == "sudo is not wanted" else {}
    if unwanted:
        machine.is_so("sudo-without-password")
    done = machine.run("postgresql.sh", **unwanted)
    assert done.code == 0, done.said
    assert installed(machine, done) == []
    assert [call for call in done.calls_of("sudo") if call != "sudo -n true"] == []
    if unwanted:
        assert done.calls_of("sudo") == []
    folder = machine.state / "home" / "postgresql"
    unpacked = {path.name for path in folder.glob("unpacked-*")}
    # With the libraries that it needs, and without those that serve others.
    assert unpacked == {f"unpacked-{name}.deb" for name in (*PACKAGES.format(15).split(), "libpq5")}
    assert "cannot be installed here without root" in done.said
    assert {path.name for path in folder.parent.iterdir()} == {"postgresql"}
    assert not list(tmp_path.glob("tmp.*"))


def test_where_installing_fails_it_is_unpacked(tmp_path):
    machine = debian(tmp_path, ROOT)
    machine.is_so("install-fails")
    done = machine.run("postgresql.sh")
    assert done.code == 0, done.said
    assert (machine.state / "home" / "postgresql").is_dir()


def test_a_download_that_fails_is_said_and_leaves_what_was_there(tmp_path):
    machine = debian(tmp_path)
    machine.is_so("no-network")
    before = machine.state / "home" / "postgresql" / "earlier"
    before.mkdir(parents=True)
    done = machine.run("postgresql.sh")
    assert done.code == 1
    assert f"setup: the packages {PACKAGES.format(15)} could not be downloaded" in done.said
    assert before.is_dir()


def test_a_distribution_without_the_packages_is_told_what_to_do(tmp_path):
    machine = debian(tmp_path, major=14)
    done = machine.run("postgresql.sh")
    assert done.code == 1
    assert "this distribution has no package of PostgreSQL 15 or newer with q3c" in done.said
    assert "ROMAN_DB_PG_BIN" in done.said


@pytest.mark.parametrize("missing", ["apt-get", "dpkg-deb"])
def test_another_system_is_told_what_to_install(tmp_path, missing):
    machine = debian(tmp_path, ROOT)
    (tmp_path / "bin" / missing).unlink()
    done = machine.run("postgresql.sh")
    assert done.code == 1
    for word in ("macOS: brew install postgresql@15", "q3c", "Fedora: postgresql-server", "ROMAN_DB_PG_BIN"):
        assert word in done.said
    assert done.said.count("\n") == 1
    assert done.calls == ["python -m roman_db.cluster programs"]
