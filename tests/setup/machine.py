"""A machine made of stand-ins: the programs that the set-up calls write down how, and do what a test says."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Programs of the system that change nothing but the folders that they are given.
_REAL = (
    "awk", "bash", "cat", "cksum", "cp", "dirname", "env", "grep", "ls", "mkdir", "mktemp", "mv", "rm",
    "touch", "xargs",
)  # fmt: skip

_LOG = 'echo "${0##*/} $*" >>"$STATE/log"\n'
_APT_GET = """
case " $* " in
    *" -s "*) echo "Inst libpq5 (15)"; echo "Inst libllvm14 (14)"; echo "Inst ssl-cert (1)" ;;
    *" download "*)
        [ ! -e "$STATE/no-network" ] || exit 100
        for word in "$@"; do case $word in -*|download) ;; *) touch "$word.deb" ;; esac; done ;;
    *" install "*)
        [ ! -e "$STATE/install-fails" ] || exit 100
        case " $* " in *" postgresql"*) touch "$STATE/postgresql" ;; esac
        case " $* " in *" python3"*) touch "$STATE/python" "$STATE/ensurepip" ;; esac ;;
esac
"""
_SUDO = """
case "$*" in
    "-n true") [ -e "$STATE/sudo-without-password" ] ;;
    *) shift; exec "$@" ;;
esac
"""
_DPKG_DEB = """
mkdir -p "$3/usr/lib/postgresql/15/bin" "$3/usr/share/python-wheels"
touch "$3/unpacked-${2##*/}" "$3/usr/share/python-wheels/pip-1-py3-none-any.whl" "$STATE/postgresql"
"""
_ID = """
case "$1" in -u) cat "$STATE/uid" ;; -nG) echo users ;; esac
"""
_PYTHON = """
case "$*" in
    *"sys.exit(not (3, 11)"*) [ -e "$STATE/python" ] ;;
    *"import ensurepip, venv"*) [ -e "$STATE/ensurepip" ] ;;
    *"%d.%d-venv"*) echo python3.11-venv ;;
    *"cluster programs"*) [ -e "$STATE/postgresql" ] ;;
    *"settings().home"*) echo "$STATE/home" ;;
    "-m venv "*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
esac
"""
_MADISON = 'grep -qx "$2" "$STATE/known" && echo "$2 | 15 | a mirror" || true\n'


@dataclass(frozen=True)
class Done:
    """How a script ended, what it said, and which programs it called."""

    code: int
    said: str
    calls: list[str]

    def calls_of(self, program: str) -> list[str]:
        """Calls of one of the stand-ins."""
        return [call for call in self.calls if call.startswith(program + " ")]


@dataclass(frozen=True)
class Machine:
    """A folder with a checkout's set-up, a path of stand-ins, and the state that they share."""

    folder: Path

    @property
    def checkout(self) -> Path:
        """The checkout."""
        return self.folder / "checkout"

    @property
    def state(self) -> Path:
        """What the stand-ins know: a file for everything that is so."""
        return self.folder / "state"

    def is_so(self, *facts: str) -> None:
        """Let something be so."""
        for fact in facts:
            (self.state / fact).touch()

    def program(self, name: str, body: str) -> None:
        """Put a stand-in on the path."""
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/bash\n{_LOG}{body}")
        path.chmod(0o755)

    def run(self, script: str, **environment: str) -> Done:
        """Run a script of the set-up, with nobody at a terminal."""
        path = {"PATH": str(self.folder / "bin"), "STATE": str(self.state), "CI": "1"}
        done = subprocess.run(
            [f"{self.folder}/bin/bash", f"setup/{script}"],
            cwd=self.checkout, env=path | {"TMPDIR": str(self.folder)} | environment, check=False,
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
        log = self.state / "log"
        return Done(done.returncode, done.stderr, log.read_text().splitlines() if log.exists() else [])


def make_machine(folder: Path, known: tuple[str, ...], user: int = 1000) -> Machine:
    """Make a machine with Debian's programs, and packages that its distribution has."""
    machine = Machine(folder)
    for each in (folder / "bin", machine.state, machine.checkout):
        each.mkdir()
    shutil.copytree(ROOT / "setup", machine.checkout / "setup")
    for name in ("requirements.lock", "pyproject.toml"):
        (machine.checkout / name).write_text("as they are\n")
    for name in _REAL:
        (folder / "bin" / name).symlink_to(shutil.which(name) or name)
    bodies = {"apt-get": _APT_GET, "apt-cache": _MADISON, "dpkg-deb": _DPKG_DEB, "id": _ID, "sudo": _SUDO}
    for name, body in bodies.items():
        machine.program(name, body)
    (machine.state / "uid").write_text(f"{user}\n")
    (machine.state / "known").write_text("\n".join(known) + "\n")
    return machine


def give_python(machine: Machine, name: str = "python3") -> None:
    """Put a Python on the path; whether it fits is a fact of its own."""
    machine.program(name, _PYTHON)


def give_environment(machine: Machine) -> None:
    """Make the virtual environment, as the first half of the set-up leaves it."""
    machine.program("stand-in", _PYTHON)
    folder = machine.checkout / ".venv" / "bin"
    folder.mkdir(parents=True)
    shutil.move(machine.folder / "bin" / "stand-in", folder / "python")
