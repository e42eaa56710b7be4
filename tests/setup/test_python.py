"""``setup/python.sh``: the environment of the lock, with the Python that the machine has or may get."""

import pytest

from tests.setup.machine import Machine, give_python, make_machine

ROOT, SOMEBODY = 0, 1000


def machine_with(folder, *facts: str, user: int = SOMEBODY) -> Machine:
    """A machine with a Python, of which something is so."""
    machine = make_machine(folder, (), user)
    give_python(machine)
    machine.is_so(*facts)
    return machine


def pip(done) -> list[str]:
    """What pip was asked to install."""
    return [call.split("--quiet ")[1] for call in done.calls if " -m pip " in call and "--quiet" in call]


WANTED = ["--require-hashes --requirement requirements.lock", "--no-deps --no-build-isolation --editable ."]


def test_an_environment_is_made_once_and_again_when_the_lock_changes(tmp_path):
    machine = machine_with(tmp_path, "python", "ensurepip")
    done = machine.run("python.sh")
    assert done.code == 0, done.said
    assert pip(done) == WANTED
    assert done.calls_of("apt-get") == done.calls_of("sudo") == []
    assert pip(machine.run("python.sh")) == WANTED  # the log goes on: nothing was added
    (machine.checkout / "requirements.lock").write_text("another\n")
    done = machine.run("python.sh")
    assert pip(done) == WANTED * 2
    assert len([call for call in done.calls if "-m venv" in call]) == 1


def test_a_run_that_failed_is_done_again(tmp_path):
    machine = machine_with(tmp_path, "python", "ensurepip")
    body = (tmp_path / "bin" / "python3").read_text().split("\n", 2)[2]
    machine.program("python3", f'case "$*" in *--require-hashes*) exit 1 ;; esac\n{body}')
    assert machine.run("python.sh").code != 0
    assert not (machine.checkout / ".venv" / "roman-db.stamp").exists()


def test_the_python_that_is_named_is_taken(tmp_path):
    machine = machine_with(tmp_path, "python", "ensurepip")
    give_python(machine, "my-python")
    done = machine.run("python.sh", PYTHON="my-python")
    assert done.code == 0, done.said
    assert [call for call in done.calls if "-m venv" in call] == ["my-python -m venv .venv"]


@pytest.mark.parametrize("facts", [(), ("sudo-without-password",)], ids=["root", "sudo"])
def test_who_may_install_gets_a_python_that_fits(tmp_path, facts):
    machine = machine_with(tmp_path, *facts, user=SOMEBODY if facts else ROOT)
    done = machine.run("python.sh")
    assert done.code == 0, done.said
    assert any(call.endswith("install python3 python3-venv") for call in done.calls_of("apt-get"))
    assert pip(done) == WANTED


def test_without_rights_and_without_a_python_that_fits_it_is_said(tmp_path):
    done = machine_with(tmp_path).run("python.sh")
    assert done.code == 1
    assert "setup: Python 3.11, 3.12 or 3.13 is needed" in done.said
    assert "brew install python@3.12" in done.said
    assert done.calls_of("apt-get") == []


def test_another_system_without_python_is_told_what_to_install(tmp_path):
    machine = machine_with(tmp_path, user=ROOT)
    (tmp_path / "bin" / "apt-get").unlink()
    done = machine.run("python.sh")
    assert done.code == 1
    assert "make PYTHON=/path/to/python" in done.said


def test_root_installs_what_makes_environments(tmp_path):
    done = (machine := machine_with(tmp_path, "python", user=ROOT)).run("python.sh")
    assert done.code == 0, done.said
    assert any(call.endswith("install python3.11-venv") for call in done.calls_of("apt-get"))
    assert (machine.checkout / ".venv" / "roman-db.stamp").exists()


def test_without_rights_pip_is_unpacked(tmp_path):
    done = machine_with(tmp_path, "python").run("python.sh")
    assert done.code == 0, done.said
    assert "unpacking pip" in done.said
    assert "python3 -m venv --without-pip .venv" in done.calls
    assert any("--no-index" in call and ".whl" in call for call in done.calls_of("python"))
    assert pip(done)[-2:] == WANTED
    assert not list(tmp_path.glob("tmp.*"))


def test_another_system_without_ensurepip_is_told_so(tmp_path):
    machine = machine_with(tmp_path, "python")
    (tmp_path / "bin" / "dpkg-deb").unlink()
    done = machine.run("python.sh")
    assert done.code == 1
    assert "lacks the modules venv and ensurepip" in done.said
