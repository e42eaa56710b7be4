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


def installed(done) -> list[str]:
    """What pip, and uv, were asked to install."""
    return [call.split("--quiet ")[1] for call in done.calls if " install --quiet " in call]


LOCKED = "--require-hashes --requirement requirements.lock"
WANTED = [
    "--require-hashes --requirement .venv/uv.lock",
    f"--compile-bytecode --python .venv/bin/python {LOCKED}",
    "--no-deps --no-build-isolation --editable .",
]


def answers(machine: Machine, cases: str) -> None:
    """Let the stand-in of Python, and the one that environments get of it, do more."""
    body = (machine.folder / "bin" / "python3").read_text().split("\n", 2)[2]
    machine.program("python3", f'case "$*" in {cases} esac\n{body}')


def test_an_environment_is_made_once_and_again_when_the_lock_changes(tmp_path):
    machine = machine_with(tmp_path, "python", "ensurepip")
    done = machine.run("python.sh")
    assert done.code == 0, done.said
    assert installed(done) == WANTED
    assert done.calls_of("apt-get") == done.calls_of("sudo") == []
    assert installed(machine.run("python.sh")) == WANTED  # the log goes on: nothing was added
    (machine.checkout / "requirements.lock").write_text("another\n")
    done = machine.run("python.sh")
    assert installed(done) == WANTED * 2
    assert len([call for call in done.calls if "-m venv" in call]) == 1


def test_a_run_that_failed_is_done_again(tmp_path):
    machine = machine_with(tmp_path, "python", "ensurepip")
    answers(machine, "*--require-hashes*) exit 1 ;;")
    assert machine.run("python.sh").code != 0
    assert not (machine.checkout / ".venv" / "roman-db.stamp").exists()


def test_where_uv_fails_pip_installs(tmp_path):
    machine = machine_with(tmp_path, "python", "ensurepip")
    answers(machine, '*"-m uv "*) exit 2 ;;')
    done = machine.run("python.sh")
    assert done.code == 0, done.said
    assert installed(done) == [*WANTED[:2], LOCKED, WANTED[2]]
    assert "pip takes some minutes" in done.said


def test_of_the_lock_uv_alone_is_installed_by_pip(tmp_path):
    machine = machine_with(tmp_path, "python", "ensurepip")
    entry = "uv==1.2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n    # via roman-db\n"
    others = "tzdata==1 \\\n    --hash=sha256:aa\n", "uvicorn==1 \\\n    --hash=sha256:dd\n"
    (machine.checkout / "requirements.lock").write_text(entry.join(others))
    assert machine.run("python.sh").code == 0
    assert (machine.checkout / ".venv" / "uv.lock").read_text() == entry


def test_uv_looks_where_pip_is_set_up_to_look(tmp_path):
    machine = machine_with(tmp_path, "python", "ensurepip")
    (machine.state / "settings").write_text(
        ":env:.find-links='/mine'\n"
        "global.cert='/etc/ca.crt'\n"
        "global.extra-index-url='https://a.test/simple\\nhttps://b.test/simple'\n"
        "global.find-links='/others'\n"
        "global.index-url='https://everybody.test/simple'\n"
        "install.index-url='https://mirror.test/simple'\n"
    )
    answers(machine, '*"config list"*) cat "$STATE/settings" ;; *"-m uv "*) env >"$STATE/told" ;;')
    assert machine.run("python.sh").code == 0
    told = (machine.state / "told").read_text().splitlines()
    assert set(told) >= {
        "UV_DEFAULT_INDEX=https://mirror.test/simple",
        "UV_INDEX=https://a.test/simple https://b.test/simple",
        "UV_FIND_LINKS=/mine",
        "SSL_CERT_FILE=/etc/ca.crt",
    }
    assert not [line for line in told if line.startswith("ALL_PROXY")]


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
    assert installed(done) == WANTED


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
    assert installed(done)[-3:] == WANTED
    assert not list(tmp_path.glob("tmp.*"))


def test_another_system_without_ensurepip_is_told_so(tmp_path):
    machine = machine_with(tmp_path, "python")
    (tmp_path / "bin" / "dpkg-deb").unlink()
    done = machine.run("python.sh")
    assert done.code == 1
    assert "lacks the modules venv and ensurepip" in done.said
