"""Services beside TAP count as queries do: turn, ledger, quotas of a day, area of the sky."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import requests
from astropy.io.votable import parse, parse_single_table

from roman_db.accounts.account_store import NewAccount, create_account
from roman_db.accounts.token_store import create_token
from roman_db.tap.answer_area import CELL_AREA
from tests.queries.filling import DEC, RA, Survey
from tests.roman_db.conftest import execute, forget, point_at
from tests.roman_db.spectra import Stored
from tests.roman_db.tap.service.waiting import eventually

_CONE = {"RA": RA, "DEC": DEC, "SR": 0.2}


class Person:
    """Somebody in a tier of his own who asks the services."""

    def __init__(self, database: str, address: str, name: str) -> None:
        self.database, self.address, self.tier = database, address, f"tier_{name}"
        execute(
            database,
            "INSERT INTO ops.account_tier SELECT (jsonb_populate_record(t, jsonb_build_object("
            f"'tier', '{self.tier}'))).* FROM ops.account_tier AS t WHERE tier = 'research'",
        )
        self.account = create_account(NewAccount(name, f"{name}@example.org", self.tier))
        self._session = requests.Session()
        token = create_token(name, ["query"], 10)[0].text
        self._session.headers["Authorization"] = f"Bearer {token}"

    def may(self, **limits: float) -> None:
        """Have other limits from now on."""
        changed = ", ".join(f"{name} = {value}" for name, value in limits.items())
        execute(self.database, f"UPDATE ops.account_tier SET {changed} WHERE tier = '{self.tier}'")

    def ask(self, path: str, **parameters: object) -> requests.Response:
        """Ask by POST, which takes many values."""
        return self._session.post(f"{self.address}/{path}", data=parameters, timeout=60)

    def get(self, path: str, **parameters: object) -> requests.Response:
        """Ask by GET."""
        return self._session.get(f"{self.address}/{path}", params=parameters, timeout=60)

    def ledger(self, n_row: int) -> list[tuple]:
        """Kind, outcome, rows, bytes and area of what was asked, once so many are there; they come late."""
        query = (
            "SELECT kind, outcome, n_row, n_byte, sky_area FROM ops.account_usage "
            f"WHERE account_id = {self.account.account_id} ORDER BY account_usage_id"
        )
        assert eventually(lambda: len(execute(self.database, query)) >= n_row)
        return execute(self.database, query)


@pytest.fixture(scope="module")
def person(database: str, address: str) -> Iterator[Callable[[str], Person]]:
    """Function that makes somebody."""
    with pytest.MonkeyPatch.context() as patch:
        point_at(database, patch)
        yield lambda name: Person(database, address, name)
        forget()


def test_every_service_writes_what_it_gave(person, truth: Survey, stored_images, spectra: Stored):
    """One row each, with the bytes that came and the rows that are in the document."""
    ada = person("ada")
    answers = [
        ("service", ada.get("scs", **_CONE)),
        ("service", ada.ask("timeseries", ID=truth.object_id[0])),
        ("service", ada.get("ssa", REQUEST="queryData")),
        ("service", ada.get("datalink", ID=truth.object_id[0])),
        ("service", ada.get("ssa/data", ID=f"spectrum/{spectra.galaxy}")),
        ("service", ada.get("soda/sync", ID=stored_images["reference_image"], CIRCLE=f"{RA} {DEC} 0.001")),
        ("service", ada.get("data", ID=stored_images["reference_image"])),
        ("service", ada.get("coverage")),
        ("portal", ada.get("portal/data/objects", ra=RA, dec=DEC, radius=0.1)),
    ]
    ledger = ada.ledger(len(answers))
    assert [answer.status_code for _, answer in answers] == [200] * len(answers)
    assert [(kind, outcome) for kind, outcome, *_ in ledger] == [(kind, "done") for kind, _ in answers]
    for (_, answer), (*_, n_byte, _) in zip(answers[3:], ledger[3:], strict=True):
        assert n_byte == len(answer.content)
    for (_, answer), (_, _, n_row, *_) in zip(answers[:5], ledger[:5], strict=True):
        assert n_row == len(parse_single_table(io.BytesIO(answer.content)).array) > 0
    assert ledger[-1][2] == len(answers[-1][1].json()["objects"]) > 0


def test_failed_requests_are_in_the_ledger_as_that(person):
    ada = person("failing")
    assert ada.get("soda/sync", ID="nothing").status_code == 400
    assert ada.get("portal/data/object/1/light_curve", kind="psf").status_code == 404
    assert [row[:3] for row in ada.ledger(2)] == [("service", "failed", 0), ("portal", "failed", 0)]


def test_who_has_used_up_a_day_is_refused_everywhere_in_the_right_document(person, truth: Survey):
    ada = person("busy")
    ada.may(day_rows=5)
    assert ada.ask("timeseries", ID=truth.object_id[0]).status_code == 200  # has more rows than five
    ada.ledger(1)
    words = "of the 5 rows of a day: ask again from "
    adql = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 object_id FROM roman.object"}
    kinds = {
        "tap/sync": "x-votable", "scs": "x-votable", "ssa?REQUEST=queryData": "x-votable",
        "ssa/data": "x-votable", "timeseries": "x-votable", "datalink": "text/plain",
        "soda/sync": "text/plain", "data": "text/plain", "coverage": "text/plain",
        "portal/data/flags": "json", "tap/async": "x-votable",
    }  # fmt: skip
    for path, kind in kinds.items():
        ask = ada.ask if path == "tap/async" else ada.get
        refused = ask(path, **_CONE, **adql, ID=truth.object_id[0])
        assert (refused.status_code, words in refused.text) == (429, True), path
        assert kind in refused.headers["content-type"]
        assert 0 < int(refused.headers["retry-after"]) <= 86_400
    assert len(ada.ledger(1)) == 1


def test_a_request_processes_no_more_of_the_sky_than_the_tier_may(person, truth: Survey, database):
    """What is known before is refused before, with the figures; what only rows tell, when they do."""
    ada = person("narrow")
    ids = ",".join(map(str, truth.object_id))
    n_cell = len({number >> 30 for number in truth.object_id})
    assert n_cell > 2
    adql = {"LANG": "ADQL", "QUERY": "SELECT object_id, ra, dec FROM roman.object", "RESPONSEFORMAT": "csv"}
    ada.may(sky_area=0.5 * CELL_AREA)
    ssa = ada.get("ssa", REQUEST="queryData", POS=f"{RA},{DEC}", SIZE=0.4)
    for answer in (ada.get("scs", **_CONE), ssa, ada.ask("timeseries", ID=ids), ada.get("tap/sync", **adql)):
        assert answer.status_code == 403
        assert f"{0.5 * CELL_AREA:.6g}"[:7] in answer.text
        assert "ask for less" in answer.text
    job = ada.ask("tap/async", **adql, PHASE="RUN").url.removeprefix(f"{ada.address}/")
    assert eventually(lambda: ada.get(f"{job}/phase").text == "ERROR")
    assert "deg2 that one request of yours may process" in ada.get(f"{job}/error").text
    together = adql | {"QUERY": f"{adql['QUERY']} WHERE dec > -90 UNION ALL {adql['QUERY']} WHERE dec > 89"}
    assert ada.get("tap/sync", **together).status_code == 403
    ada.may(sky_area=1.1 * n_cell * CELL_AREA)
    assert ada.ask("timeseries", ID=ids).status_code == ada.get("tap/sync", **adql).status_code == 200
    areas = [area for *_, area in ada.ledger(5)[-2:]]
    assert areas == pytest.approx([n_cell * CELL_AREA] * 2, rel=0.02)


def test_what_no_exposure_covers_is_not_processed(person, database):
    """A cone of the whole sky processes what is covered of it."""
    (covered,) = execute(
        database,
        "SELECT sum(upper(r) - lower(r)) FROM (SELECT range_agg(footprint) AS m FROM roman.exposure) AS u, "
        "unnest(u.m) AS r",
    )[0]
    area = float(covered) / (12 * 4**29) * 4 * 180**2 / np.pi
    ada = person("wide")
    ada.may(sky_area=1.01 * area)
    assert ada.get("scs", RA=0, DEC=0, SR=180).status_code == 200
    ada.may(sky_area=0.99 * area)
    refused = ada.get("scs", RA=0, DEC=0, SR=180)
    assert refused.status_code == 403
    assert f"processes {area:.4g} deg2" in refused.text


def test_jobs_that_are_not_started_are_as_many_as_the_tier_allows(person):
    """Jobs that run at once are none of them, and one that is started or removed makes room for another."""
    ada = person("undecided")
    ada.may(pending_jobs=2)
    form = {"LANG": "ADQL", "QUERY": "SELECT detector FROM roman.detector"}
    jobs = [ada.ask("tap/async", **form).url.removeprefix(f"{ada.address}/") for _ in range(2)]
    refused = ada.ask("tap/async", **form)
    assert refused.status_code == 403
    assert (
        "2 jobs that you did not start wait already"
        in parse(io.BytesIO(refused.content)).resources[0].infos[0].content
    )
    assert ada.ask("tap/async", **form, PHASE="RUN").ok
    assert ada.ask(f"{jobs[0]}/phase", PHASE="RUN").ok
    assert ada.ask("tap/async", **form).ok
    assert ada.ask("tap/async", **form).status_code == 403
    assert ada.ask(jobs[1], ACTION="DELETE").ok
    assert ada.ask("tap/async", **form).ok


def test_results_of_jobs_have_as_much_room_as_the_tier_gives(person):
    ada = person("hoarder")
    ada.may(job_bytes=3000)
    form = {"LANG": "ADQL", "PHASE": "RUN", "RESPONSEFORMAT": "csv"}

    def run(query: str) -> tuple[str, str]:
        job = ada.ask("tap/async", **form, QUERY=query).url.removeprefix(f"{ada.address}/")
        assert eventually(lambda: ada.get(f"{job}/phase").text in ("COMPLETED", "ERROR"))
        return job, ada.get(f"{job}/phase").text

    small = "SELECT detector FROM roman.detector"  # 18 names and the header
    large = "SELECT a.detector, b.detector AS b FROM roman.detector AS a, roman.detector AS b"
    first, phase = run(small)
    assert phase == "COMPLETED"
    size = len(ada.get(f"{first}/results/result").content)
    job, phase = run(large)
    assert phase == "ERROR"
    assert f"more than the {3000 - size:,} bytes" in ada.get(f"{job}/error").text
    ada.may(job_bytes=size)
    refused = ada.ask("tap/async", **form, QUERY=small)
    assert (refused.status_code, f"would take {size} of {size} bytes" in refused.text) == (403, True)
    assert ada.ask(first, ACTION="DELETE").ok
    assert run(small)[1] == "COMPLETED"


def test_every_service_reads_in_the_role_of_the_tier(
    person, truth: Survey, stored_images, database, spectra: Stored
):
    """A role that may read nothing is shown operations alone; a tier without a role reads as readers do."""
    ada = person("denied")
    role = f"roman_tier_{ada.tier}"
    number, place = truth.object_id[0], {"ra": RA, "dec": DEC}
    asked = [
        ("scs", _CONE), ("timeseries", {"ID": number}), ("datalink", {"ID": number}),
        ("ssa", {"REQUEST": "queryData"}), ("ssa/data", {"ID": f"spectrum/{spectra.galaxy}"}),
        (f"spectrum/{spectra.galaxy}", {}), (f"portal/data/spectrum/{spectra.galaxy}", {}),
        ("data", {"ID": stored_images["reference_image"]}),
        ("soda/sync", {"ID": stored_images["reference_image"], "CIRCLE": f"{RA} {DEC} 0.001"}),
        ("portal/data/objects", place | {"radius": 0.1}),
        (f"portal/data/object/{number}/light_curve", {"kind": "psf"}),
        (f"portal/data/object/{number}/periodogram", {"kind": "psf"}),
        (f"portal/data/object/{number}/finder.png", {}),
        (f"object/{number}", {}), ("events", {}),
    ]  # fmt: skip
    execute(database, f"CREATE ROLE {role}", f"GRANT {role} TO roman_reader")
    try:
        for path, given in asked:
            refused = ada.get(path, **given)
            assert refused.status_code >= 500, path
            assert "permission" not in refused.text
        assert ada.get("data", ID=stored_images["exposure"]).status_code == 200
        assert ada.get("operations").status_code == 200
    finally:
        execute(database, f"DROP ROLE {role}")
    assert {ada.get(path, **given).status_code for path, given in asked} <= {200, 404}
