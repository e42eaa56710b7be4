"""What the pages of accounts and of queries ask for: jobs, saved queries, and names that queries may use."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from roman_db.accounts.account import Account
from roman_db.accounts.storable import Storable
from roman_db.portal.answer import json_response
from roman_db.portal.names import known_names
from roman_db.portal.saved_queries import forget_query, save_query, saved_queries
from roman_db.portal.sign_in import Visitor
from roman_db.service_failure import NotSignedIn
from roman_db.tap.uws import storage
from roman_db.tap.uws.job import UNFINISHED, Job

router = APIRouter(prefix="/portal/data", include_in_schema=False)

#: Jobs that are listed, and characters of their queries.
_MOST_JOBS, _SHOWN = 50, 300


class Wanted(BaseModel):
    """A query that is to be kept."""

    name: Storable = Field(min_length=1, max_length=80)
    query: Storable = Field(min_length=1, max_length=300_000)


def jobs_of(account: Account) -> list[dict[str, Any]]:
    """The latest jobs of an account, for people."""
    found = storage.listed(account.account_id, storage.Selection(last=_MOST_JOBS))
    return [_described(one) for one in found]


@router.get("/names")
def names(visitor: Visitor) -> Response:
    """Names for the editor of ADQL."""
    return json_response(known_names(None if visitor is None else visitor.account))


@router.get("/jobs")
def jobs(visitor: Visitor) -> Response:
    """Jobs of the account."""
    return json_response(jobs_of(_account(visitor)))


@router.get("/saved_queries")
def kept(visitor: Visitor) -> Response:
    """Queries that the account keeps."""
    return json_response(saved_queries(_account(visitor)))


@router.put("/saved_queries")
def keep(visitor: Visitor, wanted: Wanted) -> Response:
    """Keep a query."""
    save_query(_account(visitor), wanted.name, wanted.query)
    return json_response({"name": wanted.name})


@router.delete("/saved_queries")
def drop(visitor: Visitor, name: Annotated[str, Query(max_length=80)]) -> Response:
    """Forget a query."""
    forget_query(_account(visitor), name)
    return json_response({"name": name})


def _account(visitor: Visitor) -> Account:
    if visitor is None:
        raise NotSignedIn("sign in to keep queries and to see jobs")
    return visitor.account


def _described(job: Job) -> dict[str, Any]:
    """A job as a page shows it."""
    asked = {name.upper(): value for name, value in job.parameters}
    began, ended = job.start_time, job.end_time
    return {
        "job_id": job.job_id,
        "run_id": job.run_id,
        "phase": job.phase.value,
        "is_active": job.phase in UNFINISHED,
        "query": asked.get("QUERY", "")[:_SHOWN],
        "created": job.creation_time,
        "seconds": None if began is None or ended is None else (ended - began).total_seconds(),
        "destruction": job.destruction,
        "error": job.error,
        "media_type": job.media_type,
        "size": job.result_size,
    }
