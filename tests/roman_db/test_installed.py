"""A wheel that is installed outside of the checkout, with the requirements that it declares and no others."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from tests.loaders.demonstration.test_demo import EVENT, SCENE, STARS, numbers

ROOT = Path(__file__).parent.parent.parent
#: Folders of the checkout, and where the wheel has them.
DATA = {name: f"roman_db/resources/{name}" for name in ("schema", "migrations", "queries")}


def requirements(name: str, seen: dict[str, importlib.metadata.Distribution]) -> None:
    """Collect what a distribution requires without extras, and what that requires."""
    for line in importlib.metadata.requires(name) or ():
        needed = re.match(r"[\w.-]+", line)[0].lower().replace("_", "-")
        marker = line.partition(";")[2]
        if "extra" in marker or needed in seen:
            continue
        try:
            seen[needed] = importlib.metadata.distribution(needed)
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system or another Python
        requirements(needed, seen)


def lend(packages: Path) -> None:
    """Put what roman-db requires, and no more, into an environment."""
    found: dict[str, importlib.metadata.Distribution] = {}
    requirements("roman-db", found)
    for one in found.values():
        for top in {path.parts[0] for path in one.files or () if path.parts[0] not in ("..", "__pycache__")}:
            place, origin = packages / top, Path(str(one.locate_file(top)))
            if not place.exists() and origin.exists():
                place.symlink_to(origin)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the user of the server may pass through, as those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="roman-db-installed-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def built(folder: Path) -> tuple[Path, Path]:
    """The wheel and the source distribution."""
    return tuple(
        Path(next(builder(str(ROOT)).build(directory=str(folder), versions=["standard"])))
        for builder in (WheelBuilder, SdistBuilder)
    )


@pytest.mark.heavy
def test_packages_have_all_data(tmp_path):
    wheel, source = built(tmp_path)
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(source) as archive:
        in_source = {name.partition("/")[2] for name in archive.getnames()}
    tracked = subprocess.run(["git", "ls-files", *DATA, "loaders"], cwd=ROOT, check=True, capture_output=True)
    files = tracked.stdout.decode().splitlines()
    assert len(files) > 500
    assert set(files) - in_source == set()
    inside = {name.replace(name.split("/")[0], DATA.get(name.split("/")[0], "loaders"), 1) for name in files}
    assert inside - in_wheel == set()
    bundle = {str(path.relative_to(ROOT)) for path in (ROOT / "roman_db/portal/bundle").rglob("*.js")}
    assert bundle - in_wheel == bundle - in_source == set()


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_the_demonstration_runs_where_there_is_no_checkout(place, tmp_path):
    wheel, _ = built(tmp_path)
    venv.create(place / "env", with_pip=True)
    python = place / "env" / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run(install, check=True, cwd=place)
    lend(place / "env" / "lib" / version / "site-packages")
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "scene.yaml").write_text(SCENE)
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(place / "home"),
        "ROMAN_DB_HOME": str(place / "data"),
    }

    def run(*words: str) -> str:
        done = subprocess.run(
            [place / "env" / "bin" / "roman-db", *words],
            cwd=elsewhere, env=variables, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        said = run("demo", "--days", "0.07", "--parameters", "scene.yaml")
        assert numbers(STARS, said)[1] > 50
        peak, truth, *_ = numbers(EVENT, said)
        assert peak == pytest.approx(truth, rel=0.1)
        assert (elsewhere / "demo" / "microlensing.png").stat().st_size > 10_000
        assert run("audit")
    finally:
        run("cluster", "stop")
