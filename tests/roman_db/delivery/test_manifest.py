"""Manifests find what is not as it was written."""

from __future__ import annotations

import hashlib
import json

import pytest

from roman_db.delivery import manifest


@pytest.fixture
def folder(tmp_path):
    """Two files with their manifest, and its checksum."""
    for name in ("a.asdf", "b.parquet"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    files = [manifest.described(tmp_path / name, "event_catalog", 3) for name in ("b.parquet", "a.asdf")]
    content = manifest.text_of({"delivery": "x"}, files)
    (tmp_path / "manifest.json").write_bytes(content)
    return tmp_path, hashlib.sha256(content).hexdigest()


def test_a_manifest_says_what_files_there_are(folder):
    root, sha256 = folder
    assert list(manifest.faults(root, sha256)) == []
    said = json.loads((root / "manifest.json").read_text())
    assert said["delivery"] == "x"
    content = b"a.asdf" * 1000
    assert said["files"][0] == {
        "filename": "a.asdf",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "product": "event_catalog",
        "n_row": 3,
    }


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (
            lambda root: (root / "a.asdf").write_bytes(b"a.asdF" * 1000),
            "a.asdf has another checksum than in the",
        ),
        (lambda root: (root / "a.asdf").write_bytes(b"a"), "a.asdf has 1 bytes and not 6000"),
        (lambda root: (root / "b.parquet").unlink(), "b.parquet: No such file"),
        (lambda root: (root / "more").touch(), "more is not in the manifest"),
        (lambda root: (root / "manifest.json").write_text("{}"), "is not the manifest that was written"),
        (lambda root: (root / "manifest.json").unlink(), "manifest.json: No such file"),
    ],
)
def test_each_harm_is_found(folder, harm, said):
    root, sha256 = folder
    harm(root)
    (fault,) = manifest.faults(root, sha256)
    assert said in fault
