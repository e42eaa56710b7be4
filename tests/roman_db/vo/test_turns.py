"""Requests of services are made ready in turns: many of one party leave threads to all others."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from starlette.requests import Request

from roman_db.accounts.account import Account
from roman_db.accounts.admission import Admission
from roman_db.accounts.limits import Limits
from roman_db.accounts.side_places import SideWork
from roman_db.accounts.usage import Kind
from roman_db.service_failure import BadRequest
from roman_db.settings import settings
from roman_db.tap.connections import Connections, QueryLimits
from roman_db.vo import routes
from roman_db.vo.processed_area import check_processed

_NOW = datetime.now(UTC)
_ACCOUNT = Account(
    7, "ada", None, "a@example.org", "entry", None, None, "active", _NOW, _NOW + timedelta(1),
    Limits(1000, 10, 100, 2, 0, 0, 5, 10**6, 1000, 0, 3), False, 1, 1,
)  # fmt: skip
#: Requests of each service, and what is done in threads for it.
_REQUESTS = {
    "/scs": ("cone_query", "RA=1&DEC=1&SR=1"),
    "/timeseries": ("read_wanted", "ID=1"),
    "/ssa": ("spectral_query", "REQUEST=queryData&POS=1,1"),
}
#: More than there are threads.
_MANY = 60


class Held:
    """Stands for work in a thread: it says who is in it, and goes on when it is let go of."""

    def __init__(self) -> None:
        self._gate, self._lock = threading.Event(), threading.Lock()
        self.now, self.most, self.total = Counter[str](), Counter[str](), Counter[str]()

    def __call__(self, party: str, *_: object) -> None:
        with self._lock:
            self.now[party] += 1
            self.total[party] += 1
            self.most[party] = max(self.most[party], self.now[party])
        assert self._gate.wait(60)
        with self._lock:
            self.now[party] -= 1
        raise BadRequest("enough")

    def let_go(self) -> None:
        """Let all go on, those to come as well."""
        self._gate.set()


@pytest.fixture
def application(monkeypatch) -> FastAPI:
    """The services, in which everybody is who the header ``Host`` says."""
    made = FastAPI()
    routes.add_routes(made)
    made.state.settings, made.state.admission = settings(), Admission(4)

    async def admit(request, kind):
        admitted = made.state.admission.admit(_ACCOUNT, kind, 10)
        return dataclasses.replace(admitted, party=request.headers["host"])

    monkeypatch.setattr(routes, "admit", admit)
    return made


async def ask(application: FastAPI, party: str, path: str, query: str) -> None:
    """Have a request answered."""

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_):
        pass

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "headers": [(b"host", party.encode())], "scheme": "http",
        "root_path": "", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "app": application,
    }  # fmt: skip
    await application(scope, receive, send)


async def until(question) -> None:
    """Let others go on until something is true."""
    async with asyncio.timeout(60):
        while not question():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("path", _REQUESTS)
def test_many_requests_of_one_party_are_made_ready_in_turn(application, monkeypatch, path):
    name, query = _REQUESTS[path]
    held = Held()
    monkeypatch.setattr(routes, name, lambda parameters, *_: held(parameters.one("WHO")))

    async def scenario() -> None:
        def begin(party: str) -> asyncio.Task[None]:
            return asyncio.create_task(ask(application, party, path, f"{query}&WHO={party}"))

        tasks = [begin("ada") for _ in range(_MANY)]
        await until(lambda: held.now["ada"] == 2)
        tasks.append(begin("vera"))
        await until(lambda: held.now["vera"] == 1)
        held.let_go()
        await asyncio.gather(*tasks)

    asyncio.run(scenario())
    assert held.most == {"ada": 2, "vera": 1}
    assert held.total == {"ada": _MANY, "vera": 1}


def test_the_area_of_the_sky_is_asked_for_in_turn(application):
    """It is asked for on a connection of those of queries, before the request has its place among them."""
    inside = Counter[str]()

    class Coverage:
        async def area(self, connections) -> float:
            inside["now"] += 1
            inside["most"] = max(inside["most"], inside["now"])
            await asyncio.sleep(0)
            inside["now"] -= 1
            return 1.0

    application.state.coverage, application.state.connections = Coverage(), Connections(1, QueryLimits(10, 1))

    async def scenario() -> None:
        request = Request({"type": "http", "app": application})
        admitted = application.state.admission.admit(_ACCOUNT, Kind.SERVICE, 10)
        await asyncio.gather(*(check_processed(request, admitted, 10.0) for _ in range(_MANY)))

    asyncio.run(scenario())
    assert inside == {"now": 0, "most": SideWork.LOOKING.value[1]}
