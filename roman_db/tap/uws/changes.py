"""What a form asks of a job, as values of its row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from roman_db.service_failure import BadRequest
from roman_db.tap.adql.lexer import MAX_LENGTH
from roman_db.tap.parameters import KNOWN
from roman_db.tap.uws.job import Job, JobLimits

Pairs = Iterable[tuple[str, str]]
#: Words about the job that are no parameters of its query.
_OF_JOB = ("PHASE", "RUNID", "EXECUTIONDURATION", "DESTRUCTION", "ACTION")
_LONGEST_RUN_ID = 200
#: Most characters of all parameters beside QUERY.
_LONGEST_OTHERS = 20_000


def new_job(pairs: Pairs, limits: JobLimits, now: datetime) -> tuple[dict[str, Any], bool]:
    """Values of a new job, and whether it is to run at once.

    Raises
    ------
    BadRequest
        If PHASE, EXECUTIONDURATION or DESTRUCTION make no sense, or a parameter is too long to be kept; the
        query is looked at when it runs.
    """
    given, parameters = _split(pairs)
    if given.get("PHASE", "RUN") != "RUN":
        raise BadRequest(f"PHASE of a new job must be RUN, got {given['PHASE'][:60]!r}")
    values = {
        "phase": "PENDING",
        "parameters": _bounded(parameters),
        "execution_duration": limits.execution_duration,
        "destruction": now + limits.lifetime,
    }
    return values | _of_job(given, limits, now), "PHASE" in given


def changed(job: Job, pairs: Pairs, limits: JobLimits, now: datetime) -> dict[str, Any]:
    """Values that a form changes.

    Raises
    ------
    BadRequest
        If it changes nothing, makes no sense, or has parameters that are too long to be kept.
    """
    given, parameters = _split(pairs)
    values = _of_job(given, limits, now)
    if parameters:
        names = {name for name, _ in parameters}
        values["parameters"] = _bounded([one for one in job.parameters if one[0] not in names] + parameters)
    if not values:
        raise BadRequest(f"nothing to change: a form has PHASE, ACTION or one of {', '.join(_OF_JOB[1:4])}")
    return values


def _split(pairs: Pairs) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """What is about the job, by name, and parameters of the query; what nobody knows is ignored."""
    named = [(name.upper(), value) for name, value in pairs]
    about = {name: value for name, value in named if name in _OF_JOB}
    return about, [(name, value) for name, value in named if name in KNOWN]


def _bounded(parameters: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters, which are kept with the job; raises `BadRequest` where they are too long for that."""
    for what, most, is_query in (("QUERY", MAX_LENGTH, True), ("other parameters", _LONGEST_OTHERS, False)):
        size = sum(len(value) for name, value in parameters if (name == "QUERY") is is_query)
        if size > most:
            raise BadRequest(f"{what} of a job: at most {most:,} characters are kept, got {size:,}")
    return parameters


def _of_job(given: dict[str, str], limits: JobLimits, now: datetime) -> dict[str, Any]:
    """Values of the row that are about the job."""
    values: dict[str, Any] = {}
    if "RUNID" in given:
        values["run_id"] = given["RUNID"][:_LONGEST_RUN_ID]
    if "EXECUTIONDURATION" in given:
        values["execution_duration"] = limits.allowed_duration(given["EXECUTIONDURATION"])
    if "DESTRUCTION" in given:
        values["destruction"] = limits.allowed_destruction(given["DESTRUCTION"], now)
    return values
