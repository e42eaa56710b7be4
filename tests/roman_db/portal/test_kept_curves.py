"""Curves that were just read: from where they come, and for how long."""

import pytest

from roman_db.portal import kept_curves


@pytest.fixture
def read(monkeypatch, survey):
    """What was read from the database, and a clock that is set by hand."""
    asked = []

    def read_curves(object_id, kind):
        asked.append((object_id, kind))
        return [f"{object_id} {kind}"]

    monkeypatch.setattr(kept_curves, "read_curves", read_curves)
    kept_curves.forget()
    yield asked
    kept_curves.forget()


def test_a_curve_is_read_once_in_some_seconds(read, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(kept_curves.time, "monotonic", lambda: now[0])
    for seconds in (0.0, 10.0, 19.0):
        now[0] = 1000.0 + seconds
        assert kept_curves.kept_curves(1, "psf") == ["1 psf"]
    assert kept_curves.kept_curves(1, "dia") == ["1 dia"]
    assert read == [(1, "psf"), (1, "dia")]
    now[0] = 1020.5
    kept_curves.kept_curves(1, "psf")
    assert read == [(1, "psf"), (1, "dia"), (1, "psf")]


def test_few_objects_are_kept(read):
    for number in range(9):
        kept_curves.kept_curves(number, "psf")
    kept_curves.kept_curves(8, "psf")
    assert len(read) == 9
    kept_curves.kept_curves(0, "psf")
    assert read[-1] == (0, "psf")
    assert len(read) == 10
