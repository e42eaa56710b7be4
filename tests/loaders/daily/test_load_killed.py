"""kill -9 of the loader and of its server, one moment each; ``tests/faults`` has many moments."""

from __future__ import annotations

import pytest

from tests.faults import test_killed_loader, test_killed_server
from tests.faults.test_killed_loader import disturbed, fresh
from tests.faults.test_killed_server import server

__all__ = ["disturbed", "fresh", "server"]


@pytest.mark.parametrize(
    "command",
    [pytest.param(one, marks=pytest.mark.heavy) for one in test_killed_loader.COMMANDS],
)
def test_of_the_loader(command, request):
    survey, make = request.getfixturevalue("disturbed"), request.getfixturevalue("fresh")
    test_killed_loader.check(command, survey, make, [0.7])


@pytest.mark.heavy
@pytest.mark.parametrize("victim", ["server", "backend"])
def test_of_the_server(victim, survey, request, monkeypatch):
    monkeypatch.delenv("ROMAN_DB_URL", raising=False)
    test_killed_server.check(request.getfixturevalue("server"), survey, "load catalog", victim, [0.8])
