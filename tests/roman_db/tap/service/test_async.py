"""Jobs: as pyvo runs them, and by the letter of UWS 1.1."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
import pyvo
import requests

from tests.roman_db.tap.service.awkward import N_ROW
from tests.roman_db.tap.service.waiting import eventually

_UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"
_QUERY = "SELECT visit_id FROM roman.visit ORDER BY visit_id"
#: About 10^10 rows.
_ENDLESS = "SELECT COUNT(*) AS {} FROM " + ", ".join(f"roman.visit AS v{number}" for number in range(6))


@pytest.fixture
def make(address):
    """Function that makes a job and gives its address."""

    def job(query: str = _QUERY, **parameters: str) -> str:
        form = {"LANG": "ADQL", "QUERY": query} | parameters
        made = requests.post(f"{address}/async", data=form, allow_redirects=False, timeout=60)
        assert made.status_code == 303, made.text
        return made.headers["location"]

    return job


def phase(job: str) -> str:
    return requests.get(f"{job}/phase", timeout=60).text


def change(job: str, part: str = "", **form: str) -> requests.Response:
    return requests.post(f"{job}{part}", data=form, timeout=60)


def described(job: str, **parameters: str) -> dict[str, str | None]:
    """What a job says of itself, by name."""
    document = ElementTree.fromstring(requests.get(job, params=parameters, timeout=60).content)
    return {one.tag.removeprefix(_UWS): one.text for one in document}


def test_pyvo_gets_the_rows_that_it_gets_at_once(service):
    job = service.submit_job(_QUERY, maxrec=N_ROW - 1)
    assert job.phase == "PENDING"
    job.run().wait(timeout=30)
    assert job.phase == "COMPLETED"
    at_once = service.search(_QUERY, maxrec=N_ROW - 1)
    rows = job.fetch_result()
    assert rows.query_status == at_once.query_status == "OVERFLOW"
    assert list(rows["visit_id"]) == list(at_once["visit_id"])
    where = job.url
    job.delete()
    assert requests.get(where, timeout=60).status_code == 404


def test_pyvo_tells_of_an_error(service):
    job = service.submit_job("SELECT objct_id FROM roman.object").run().wait(timeout=30)
    assert job.phase == "ERROR"
    with pytest.raises(pyvo.dal.DALQueryError, match="there is no column objct_id"):
        job.raise_if_error()
    text = requests.get(f"{job.url}/error", timeout=60).text
    assert "line 1, column 8" in text
    assert 'value="ERROR"' in text
    assert requests.get(f"{job.url}/results/result", timeout=60).status_code == 404


def test_a_result_is_what_sync_answers(make, get):
    job = make(RESPONSEFORMAT="csv", PHASE="RUN")
    assert eventually(lambda: described(job, WAIT="30")["phase"] == "COMPLETED")
    result = requests.get(f"{job}/results/result", timeout=60)
    assert result.content == get(_QUERY, RESPONSEFORMAT="csv").content
    assert result.headers["content-type"] == "text/csv;header=present;charset=UTF-8"
    part = requests.get(f"{job}/results/result", headers={"Range": "bytes=2-5"}, timeout=60)
    assert (part.status_code, part.content) == (206, result.content[2:6])


def test_a_request_waits_for_the_phase_to_change(make):
    job = make()
    assert described(job, WAIT="0")["phase"] == "PENDING"
    begin = time.monotonic()
    assert described(job, WAIT="1", PHASE="PENDING")["phase"] == "PENDING"
    assert time.monotonic() - begin >= 1
    assert described(job, WAIT="60", PHASE="QUEUED")["phase"] == "PENDING"  # it has another already
    change(job, "/phase", PHASE="RUN")
    found = described(job, WAIT="-1")
    while found["phase"] in ("QUEUED", "EXECUTING"):
        found = described(job, WAIT="-1")
    assert found["phase"] == "COMPLETED"


def test_an_aborted_query_ends_in_the_database(make, backends):
    job = make(_ENDLESS.format("aborted"), PHASE="RUN")
    assert eventually(lambda: backends("aborted") == 1)
    assert phase(job) == "EXECUTING"
    change(job, "/phase", PHASE="ABORT")
    assert phase(job) == "ABORTED"
    assert eventually(lambda: backends("aborted") == 0)
    assert phase(job) == "ABORTED"
    change(job, "/phase", PHASE="RUN")
    assert phase(job) == "ABORTED"


def test_a_deleted_job_is_gone_with_its_query_and_its_files(make, backends, job_folder):
    job = make(_ENDLESS.format("deleted"), PHASE="RUN")
    assert eventually(lambda: backends("deleted") == 1)
    gone = requests.delete(job, allow_redirects=False, timeout=60)
    assert (gone.status_code, gone.headers["location"]) == (303, job.rpartition("/")[0])
    assert requests.get(job, timeout=60).status_code == 404
    assert eventually(lambda: backends("deleted") == 0)
    assert eventually(lambda: not (job_folder / job.rpartition("/")[2]).exists())


def test_a_query_that_takes_longer_than_it_may_is_aborted(make, backends):
    job = make(_ENDLESS.format("late"), PHASE="RUN", EXECUTIONDURATION="1")
    assert eventually(lambda: phase(job) == "ABORTED")
    assert "longer than the 1 s" in requests.get(f"{job}/error", timeout=60).text
    assert backends("late") == 0


def test_limits_may_be_set_up_to_those_of_the_service(make):
    job = make(RUNID="mine")
    change(job, "/executionduration", EXECUTIONDURATION="77")
    soon = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    change(job, "/destruction", DESTRUCTION=soon.isoformat())
    found = described(job)
    assert (found["executionDuration"], found["runId"], found["quote"]) == ("77", "mine", None)
    assert datetime.fromisoformat(found["destruction"]) == soon
    change(job, "/executionduration", EXECUTIONDURATION="0")
    change(job, "/destruction", DESTRUCTION="2999-01-01T00:00:00Z")
    found = described(job)
    assert found["executionDuration"] == "14400"
    in_fortnight = datetime.now(UTC) + timedelta(days=14)
    assert abs(datetime.fromisoformat(found["destruction"]) - in_fortnight) < timedelta(minutes=5)
    assert requests.get(f"{job}/destruction", timeout=60).text == found["destruction"]


def test_a_job_whose_time_is_over_is_removed(make, job_folder):
    job = make()
    change(job, "/destruction", DESTRUCTION="2020-01-01T00:00:00Z")
    assert requests.get(job, timeout=60).status_code == 404
    assert not (job_folder / job.rpartition("/")[2]).exists()


def test_parameters_may_be_changed_until_the_job_runs(make):
    job = make(RESPONSEFORMAT="csv")
    change(job, "/parameters", QUERY="SELECT TOP 2 visit_id FROM roman.visit")
    text = requests.get(f"{job}/parameters", timeout=60).text
    assert ">SELECT TOP 2 visit_id" in text
    assert '"RESPONSEFORMAT">csv<' in text
    change(job, PHASE="RUN")
    assert described(job, WAIT="30")["phase"] in ("EXECUTING", "COMPLETED")
    assert eventually(lambda: phase(job) == "COMPLETED")
    assert requests.get(f"{job}/results/result", timeout=60).text.count("\n") == 3
    assert change(job, "/parameters", QUERY=_QUERY).status_code == 403


@pytest.mark.parametrize(
    ("part", "form", "words"),
    [
        ("/phase", {"PHASE": "SLEEP"}, "PHASE must be RUN or ABORT"),
        ("/executionduration", {"EXECUTIONDURATION": "long"}, "EXECUTIONDURATION must be"),
        ("/destruction", {"DESTRUCTION": "never"}, "DESTRUCTION must be"),
        ("", {}, "nothing to change"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(make, part, form, words):
    refused = change(make(), part, **form)
    assert refused.status_code == 400
    assert words in refused.text


def test_what_is_not_there_is_not_found(address, make):
    for path in ("nothing", "nothing/results/result", "../async/x/phase"):
        assert requests.get(f"{address}/async/{path}", timeout=60).status_code == 404
    assert requests.get(f"{make()}/nothing", timeout=60).status_code == 404
    assert requests.get(f"{make()}/error", timeout=60).status_code == 404


def test_jobs_of_nobody_are_listed_to_nobody(address, make):
    job = make()
    text = requests.get(f"{address}/async", timeout=60).text
    assert job.rpartition("/")[2] not in text
    assert ElementTree.fromstring(text).tag == f"{_UWS}jobs"
