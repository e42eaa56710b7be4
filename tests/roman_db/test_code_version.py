"""The version of the code says which commit it is, where that can be known, and never stops a run."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import zipfile

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from roman_db import code_version
from roman_db.code_version import described_commit
from roman_db.load_run import load_run
from tests.docs.pages import ROOT

from .conftest import execute

RELEASE = importlib.metadata.version("roman-db")


def git(folder, *words):
    settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(
        ["git", "-C", folder, *who, *words], env=settings, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path):
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "file").write_text("one")
    git(folder, "add", "file")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


@pytest.fixture
def forgotten():
    """The version is worked out once a process: forget it before and after."""
    code_version.code_version.cache_clear()
    yield
    code_version.code_version.cache_clear()


def test_the_commit_of_a_clone(clone):
    commit = f"g{git(clone, 'rev-parse', 'HEAD')[:12]}"
    assert described_commit(clone) == commit
    git(clone, "tag", "v9")
    assert described_commit(clone) == commit
    (clone / "file").write_text("two")
    assert described_commit(clone) == f"{commit}.dirty"


def test_a_tree_that_is_no_clone_has_none(clone):
    """Not that of a repository around it, either."""
    inner = clone / "site-packages"
    inner.mkdir()
    assert described_commit(inner) is None
    (inner / ".git").write_text("gitdir: /nowhere")
    assert described_commit(inner) is None


def test_without_git(clone, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert described_commit(clone) is None


@pytest.mark.usefixtures("forgotten")
def test_a_run_has_the_commit(database, clone, monkeypatch):
    monkeypatch.setattr(code_version, "_SOURCE_TREE", clone)
    with load_run("load", {}):
        pass
    commit = git(clone, "rev-parse", "HEAD")
    assert execute(database, "SELECT code_version FROM ops.load_run") == [(f"{RELEASE}+g{commit[:12]}",)]


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("written", "version"), [("gabc\n", f"{RELEASE}+gabc"), ("", RELEASE), (None, RELEASE)]
)
def test_what_a_package_was_built_from(tmp_path, monkeypatch, written, version):
    monkeypatch.setattr(code_version, "_SOURCE_TREE", tmp_path)
    monkeypatch.setattr(code_version, "COMMIT_FILE", tmp_path / "commit.txt")
    if written is not None:
        (tmp_path / "commit.txt").write_text(written)
    assert code_version.code_version() == version


@pytest.mark.heavy
@pytest.mark.skipif(described_commit(ROOT) is None, reason="these tests do not run in a clone")
def test_packages_keep_the_commit(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    inside = f"{code_version.COMMIT_FILE.relative_to(ROOT)}"
    assert zipfile.ZipFile(wheel).read(inside).decode().strip() == described_commit(ROOT)
    (source,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    listed = subprocess.run(["tar", "-tf", source], check=True, capture_output=True, text=True).stdout
    assert f"/{inside}\n" in listed
