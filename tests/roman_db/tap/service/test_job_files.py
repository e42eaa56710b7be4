"""What comes with jobs: kept until they have ended, no more of it than an account may have."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from roman_db.accounts.admission import LONGEST_QUEUE, Admission, Admitted
from roman_db.accounts.authentication import _read_anonymous
from roman_db.accounts.usage import Kind
from roman_db.service_failure import Failure, TooMany, TooMuch
from roman_db.tap.adql.lexer import MAX_LENGTH
from roman_db.tap.job_accounting import MOST_ENDED, check_new
from roman_db.tap.uws.storage import Kept
from tests.roman_db.conftest import forget, point_at
from tests.roman_db.tap.service.waiting import eventually

#: Bytes that somebody may upload who does not sign in.
_MOST = 10_000_000
_FORM = {
    "LANG": "ADQL", "RESPONSEFORMAT": "csv", "UPLOAD": "t,param:file",
    "QUERY": "SELECT COUNT(*) AS n FROM TAP_UPLOAD.t",
}  # fmt: skip
_ROWS = b"a\n1\n2\n"


@pytest.fixture
def kept(job_folder: Path):
    """Function that gives the bytes of the uploads of the job at an address."""

    def n_byte(job: str) -> list[int]:
        folder = job_folder / job.rpartition("/")[2]
        return sorted(one.stat().st_size for one in folder.glob("upload-*"))

    return n_byte


def make(address: str, files: dict[str, bytes], **form: str) -> requests.Response:
    parts = {name: (f"{name}.csv", content) for name, content in files.items()}
    return requests.post(f"{address}/async", data=_FORM | form, files=parts, timeout=60)


def phase(job: str) -> str:
    return requests.get(f"{job}/phase", timeout=60).text


def test_what_came_with_a_job_goes_when_it_has_ended(address, kept, stored):
    job = make(address, {"file": _ROWS, "not_named": _ROWS}).url
    assert kept(job) == [len(_ROWS)]
    size = f"SELECT upload_size FROM uws.job WHERE job_id = '{job.rpartition('/')[2]}'"
    assert stored(size) == [{"upload_size": len(_ROWS)}]
    requests.post(f"{job}/phase", data={"PHASE": "RUN"}, timeout=60)
    assert eventually(lambda: phase(job) == "COMPLETED")
    assert requests.get(f"{job}/results/result", timeout=60).text.split() == ['"n"', "2"]
    assert eventually(lambda: kept(job) == [])
    fails = make(address, {"file": _ROWS}, QUERY="SELECT nothing FROM TAP_UPLOAD.t", PHASE="RUN").url
    assert eventually(lambda: phase(fails) == "ERROR")
    assert eventually(lambda: kept(fails) == [])


def test_what_came_with_a_job_that_never_began_goes_when_it_is_aborted(address, kept):
    job = make(address, {"file": _ROWS}).url
    requests.post(f"{job}/phase", data={"PHASE": "ABORT"}, timeout=60)
    assert (phase(job), kept(job)) == ("ABORTED", [])


def test_other_files_take_the_place_of_those_before(address, kept):
    job = make(address, {"file": _ROWS}).url
    for number in range(3):
        changed = requests.post(
            f"{job}/parameters",
            data={"UPLOAD": f"t,param:file{number}"},
            files={f"file{number}": ("t.csv", _ROWS + b"3\n")},
            timeout=60,
        )
        assert changed.ok
        assert kept(job) == [len(_ROWS) + 2]
    large = {"other": ("t.csv", bytes(_MOST))}
    both = {"UPLOAD": "t,param:file2;u,param:other"}
    refused = requests.post(f"{job}/parameters", data=both, files=large, timeout=60)
    assert (refused.status_code, kept(job)) == (400, [len(_ROWS) + 2])
    requests.post(f"{job}/phase", data={"PHASE": "RUN"}, timeout=60)
    assert eventually(lambda: phase(job) == "COMPLETED")
    assert requests.get(f"{job}/results/result", timeout=60).text.split() == ['"n"', "3"]


@pytest.mark.parametrize(
    ("files", "form", "words"),
    [
        ({"file": bytes(_MOST + 1)}, {}, f"have at most {_MOST} bytes, these have {_MOST + 1}"),
        ({"file": _ROWS}, {"UPLOAD": "t"}, "UPLOAD must be name,param:part"),
        ({}, {"QUERY": "x" * (MAX_LENGTH + 1)}, "QUERY of a job: at most 300,000 characters are kept"),
        ({}, {"FORMAT": "x" * 20_001}, "other parameters of a job: at most 20,000 characters are kept"),
    ],
)
def test_a_job_that_would_take_too_much_is_not_kept(address, stored, files, form, words):
    count = "SELECT count(*) AS n FROM uws.job"
    before = stored(count)
    refused = make(address, files, PHASE="RUN", **form)
    assert (refused.status_code, words in refused.text) == (400, True)
    assert stored(count) == before


@pytest.fixture
def nobody(service_database, monkeypatch) -> Admitted:
    """A job of somebody who has not signed in."""
    point_at(service_database, monkeypatch)
    yield Admission(1).admit(_read_anonymous(), Kind.ASYNC, 1, "client a")
    forget()


@pytest.mark.parametrize(
    ("kept_", "size", "runs", "refusal", "words"),
    [
        (Kept(49, 999, 4999, 10**9 - 5), 5, False, None, ""),
        (Kept(0, LONGEST_QUEUE, 0, 0), 0, True, TooMany, "1000 of your jobs wait already"),
        (Kept(50, 0, 0, 0), 0, True, None, ""),
        (Kept(50, 0, 0, 0), 0, False, TooMuch, "50 jobs that you did not start wait already"),
        (Kept(0, 0, MOST_ENDED, 0), 0, True, TooMuch, "5000 of your jobs have ended and are kept"),
        (Kept(0, 0, 0, 10**9 - 5), 6, True, TooMuch, "would take 1,000,000,001 of 1,000,000,000 bytes"),
        (Kept(0, 0, 0, 10**9), 0, True, TooMuch, "would take 1,000,000,000 of 1,000,000,000 bytes"),
    ],
)
def test_a_party_has_so_many_jobs_and_bytes_of_them(
    nobody, kept_, size, runs, refusal: type[Failure] | None, words
):
    if refusal is None:
        check_new(nobody, size, runs, kept_)
        return
    with pytest.raises(refusal, match=words):
        check_new(nobody, size, runs, kept_)
