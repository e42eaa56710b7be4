"""Jobs as documents of UWS 1.1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from roman_db.tap.pages import template
from roman_db.tap.uws.job import Job


@dataclass(frozen=True)
class Part:
    """One of the things that a job consists of, with an address of its own."""

    write: Callable[[Job, str], str]
    is_xml: bool = False


def job(one: Job, address: str) -> str:
    """Document that describes a job, of a service at an address."""
    return template("job.xml").render(job=one, address=address, time=_time)


def job_list(jobs: Sequence[Job], address: str) -> str:
    """Document that lists jobs."""
    return template("jobs.xml").render(jobs=jobs, address=address, time=_time)


def _results(one: Job, address: str) -> str:
    return template("results.xml").render(job=one, address=address)


def _parameters(one: Job, address: str) -> str:
    return template("parameters.xml").render(job=one)


def _time(value: datetime | None) -> str:
    """Time as UWS has it, in UTC; empty where there is none."""
    return "" if value is None else value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


PARTS = {
    "phase": Part(lambda one, _: one.phase),
    "executionduration": Part(lambda one, _: str(one.execution_duration)),
    "destruction": Part(lambda one, _: _time(one.destruction)),
    "quote": Part(lambda one, _: _time(one.quote)),
    "owner": Part(lambda one, _: "" if one.account_id is None else str(one.account_id)),
    "parameters": Part(_parameters, is_xml=True),
    "results": Part(_results, is_xml=True),
}
