"""What others put into the folder of answers, which need not be answers."""

from __future__ import annotations

import json
import os

from roman_db.delivery.correspondence import acknowledge, announce


def test_what_cannot_be_read_keeps_no_other_from_being_read(database, tmp_path):
    """A link to itself, a pipe that nobody writes to, and text that no database takes."""
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    os.mkfifo(tmp_path / "pipe.json")
    said = {"delivery": "none", "manifest_sha256": "0" * 64, "accepted": False, "message": "a\0b"}
    (tmp_path / "nul.json").write_text(json.dumps(said))
    (tmp_path / "last.json").write_text(json.dumps(said | {"message": "no"}))
    paths = sorted(tmp_path.iterdir())
    done = list(acknowledge(paths))
    assert len(done) == len(paths)
    assert not any(one.is_good for one in done)
    assert any("there is no delivery" in one.words or "no such" in one.words for one in done), done
    noted = list(announce(paths))
    assert [one.is_good for one in noted] == [False] * len(paths)
