"""``/tap/async``: the jobs as resources of the web (UWS 1.1, section 2.2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from roman_db.accounts.admission import Admission, Admitted
from roman_db.accounts.authentication import current_querier, party_of_request
from roman_db.accounts.usage import Kind
from roman_db.service_failure import BadRequest, Forbidden, NotFound
from roman_db.tap.accounting import admit, limits_of
from roman_db.tap.formats.choice import VOTABLE
from roman_db.tap.formats.votable import error_document
from roman_db.tap.job_accounting import check_new, check_room
from roman_db.tap.upload_turn import form_in_turn
from roman_db.tap.uploads.request import upload_parts
from roman_db.tap.uws import changes, document, storage
from roman_db.tap.uws.changes import Pairs
from roman_db.tap.uws.files import JobFiles
from roman_db.tap.uws.job import ACTIVE, UNFINISHED, Job, JobLimits, Phase, read_time
from roman_db.tap.uws.runner import Runner
from roman_db.tap.web import Form, account_of, address_of, request_limits

_XML = "text/xml"
_PATH = "/tap/async"
#: Longest time in seconds that a request may wait for a change.
_LONGEST_WAIT_S = 600.0
_T = TypeVar("_T")


def router() -> APIRouter:
    """Addresses below ``/tap/async``."""
    made = APIRouter()
    made.add_route(_PATH, _list, ["GET"])
    made.add_route(_PATH, _create, ["POST"])
    made.add_route(f"{_PATH}/{{job_id}}", _show, ["GET"])
    made.add_route(f"{_PATH}/{{job_id}}", _change, ["POST"])
    made.add_route(f"{_PATH}/{{job_id}}", _delete, ["DELETE"])
    made.add_route(f"{_PATH}/{{job_id}}/results/result", _result, ["GET", "HEAD"])
    made.add_route(f"{_PATH}/{{job_id}}/error", _error, ["GET"])
    made.add_route(f"{_PATH}/{{job_id}}/{{part}}", _part, ["GET"])
    made.add_route(f"{_PATH}/{{job_id}}/{{part}}", _change, ["POST"])
    return made


async def _list(request: Request) -> Response:
    """List the jobs of the account that asks; nobody's jobs are listed to nobody."""
    await current_querier(request)
    account_id = account_of(request)
    wanted = _selection(request)
    jobs = [] if account_id is None else await _in_thread(partial(storage.listed, account_id, wanted))
    return Response(document.job_list(jobs, address_of(request)), media_type=_XML)


async def _create(request: Request) -> Response:
    """Make a job, and have it run at once if PHASE says so."""
    admitted = await _admitted(request)
    async with AsyncExitStack() as stack:
        return await _created(request, admitted, await form_in_turn(request, admitted.party, stack))


async def _created(request: Request, admitted: Admitted, form: Form) -> Response:
    """Make a job of a form."""
    values, runs = changes.new_job(form.pairs, _limits(request), datetime.now(UTC))
    uploads, size = await _uploads(request, admitted, form, values["parameters"])
    owner = {"account_id": account_of(request), "party": admitted.party, "upload_size": size}
    check = partial(check_new, admitted, size, runs)
    job_id = await _in_thread(partial(storage.create, values | owner, check))
    await _keep(request, job_id, uploads, values["parameters"])
    if runs:
        await _queue(request, job_id)
    return _to(request, job_id)


async def _admitted(request: Request) -> Admitted:
    """Whose a new job is; what would be refused when its turn comes is refused now.

    Raises
    ------
    Failure
        If the account may run no jobs now.
    """
    admission: Admission = request.app.state.admission
    admitted = await admit(request, Kind.ASYNC)
    await admission.check_day(admitted)
    return admitted


async def _show(request: Request) -> Response:
    """Describe a job, after a change if WAIT asks for that."""
    job = await _waited(request, await _job(request))
    return Response(document.job(job, address_of(request)), media_type=_XML)


async def _part(request: Request) -> Response:
    """Give one of the things that a job consists of."""
    job = await _job(request)
    part = document.PARTS.get(request.path_params["part"])
    if part is None:
        raise NotFound(f"a job has {', '.join(document.PARTS)}, error, got {request.url.path[-60:]!r}")
    if part.is_xml:
        return Response(part.write(job, address_of(request)), media_type=_XML)
    return PlainTextResponse(part.write(job, address_of(request)))


async def _change(request: Request) -> Response:
    """Change a job as a form says: run it, abort it, set its limits or parameters, or remove it."""
    job = await _job(request)
    async with AsyncExitStack() as stack:
        form = await form_in_turn(request, await party_of_request(request), stack)
        return await _changed(request, job, form)


async def _changed(request: Request, job: Job, form: Form) -> Response:
    """Change a job as a form says."""
    wanted = {name.upper(): value for name, value in form.pairs}
    if wanted.get("ACTION") == "DELETE":
        return await _delete(request)
    if "PHASE" in wanted:
        await _to_phase(request, job, wanted["PHASE"])
        return _to(request, job.job_id)
    now = datetime.now(UTC)
    values = changes.changed(job, form.pairs, _limits(request), now)
    if values.get("destruction", now) < now:
        return await _delete(request)
    phases = tuple(Phase) if set(values) == {"destruction"} else UNFINISHED
    if "parameters" in values:
        is_changed = await _revised(request, job, form, values)
    else:
        is_changed = await _in_thread(partial(storage.change, job.job_id, phases, **values))
    if not is_changed:
        raise Forbidden(f"a job that is {job.phase} cannot be changed so")
    return _to(request, job.job_id)


async def _revised(request: Request, job: Job, form: Form, values: dict[str, Any]) -> bool:
    """Change what a PENDING job asks, and the files that it has, and say whether it was PENDING."""
    admitted, parameters = await admit(request, Kind.ASYNC), values["parameters"]
    uploads, size = await _uploads(request, admitted, form, parameters, job.job_id)
    check = partial(check_room, admitted, size)
    if not await _in_thread(partial(storage.revise, job, values | {"upload_size": size}, check)):
        return False
    await _keep(request, job.job_id, uploads, parameters)
    return True


async def _delete(request: Request) -> Response:
    """Forget a job and its result; its query ends."""
    job, runner = await _job(request), _runner(request)
    await _in_thread(partial(storage.remove, job.job_id))
    await _in_thread(partial(runner.files.remove, job.job_id))
    runner.news.tell(job.job_id)
    return RedirectResponse(f"{address_of(request)}/tap/async", 303)


async def _result(request: Request) -> Response:
    """Give the result, or a part of its bytes."""
    job = await _job(request)
    path = _runner(request).files.result(job)
    if job.phase is not Phase.COMPLETED or job.media_type is None or not path.is_file():
        raise NotFound(f"there is no result: the job is {job.phase}")
    return FileResponse(path, headers={"content-type": job.media_type})


async def _error(request: Request) -> Response:
    """Say why there is no result."""
    job = await _job(request)
    if job.error is None:
        raise NotFound(f"there is no error: the job is {job.phase}")
    query = next((value for name, value in job.parameters if name == "QUERY"), None)
    return Response(error_document(job.error, query), media_type=VOTABLE)


async def _job(request: Request) -> Job:
    """Job that the address names, if it is of whoever asks; those of nobody are of who knows their names."""
    await current_querier(request)
    job = await _in_thread(partial(storage.read, request.path_params["job_id"]))
    if job is None or (job.account_id is not None and job.account_id != account_of(request)):
        raise NotFound(f"there is no job {request.path_params['job_id'][:60]!r}")
    return job


async def _to_phase(request: Request, job: Job, wanted: str) -> None:
    """Run or abort a job; what has ended stays as it is."""
    if wanted == "RUN":
        if not await _queue(request, job.job_id) and job.phase is Phase.PENDING:
            raise Forbidden("the job cannot be run")
    elif wanted == "ABORT":
        await _in_thread(partial(_aborted, _runner(request).files, job.job_id))
        _runner(request).news.tell(job.job_id)
    else:
        raise BadRequest(f"PHASE must be RUN or ABORT, got {wanted[:60]!r}")


def _aborted(files: JobFiles, job_id: str) -> None:
    """End a job, and remove the files that came with it."""
    storage.abort(job_id, "the query was aborted by its author")
    job = storage.read(job_id)
    if job is not None:
        files.tidy(job)


async def _uploads(
    request: Request, admitted: Admitted, form: Form, parameters: Pairs, job_id: str | None = None
) -> tuple[dict[str, bytes], int]:
    """Files of a form that a job is to have, and the bytes of all its files, with those that it has already.

    Raises
    ------
    BadRequest
        If UPLOAD makes no sense, or they are more bytes than the account may upload.
    """
    parts = upload_parts(parameters)
    uploads = {part: content for part, content in form.files.items() if part in parts}
    size = sum(map(len, uploads.values()))
    if job_id is not None:
        size += await _in_thread(partial(_runner(request).files.upload_size, job_id, parts - set(uploads)))
    most = limits_of(request_limits(request.app.state.settings), admitted).uploads.size
    if size > most:
        raise BadRequest(f"UPLOAD: the files of a job have at most {most} bytes, these have {size}")
    return uploads, size


async def _keep(request: Request, job_id: str, uploads: dict[str, bytes], parameters: Pairs) -> None:
    """Store the files that came with a job until it has ended, and of those before what it still names."""
    await _in_thread(partial(_runner(request).files.keep, job_id, uploads, upload_parts(parameters)))


async def _queue(request: Request, job_id: str) -> bool:
    """Have a job run that is PENDING, and say whether it was."""
    is_queued = await _in_thread(partial(storage.change, job_id, (Phase.PENDING,), phase=Phase.QUEUED))
    if is_queued:
        _runner(request).call()
    return is_queued


async def _waited(request: Request, job: Job) -> Job:
    """Job once it has another phase than it had, or WAIT seconds later (UWS 1.1, section 2.2.1.1)."""
    seconds = _seconds(request.query_params.get("WAIT"))
    phase = request.query_params.get("PHASE", job.phase)
    end = time.monotonic() + seconds
    runner, found = _runner(request), job
    while found.phase == phase and phase in (Phase.PENDING, *ACTIVE):
        if (left := end - time.monotonic()) <= 0:
            break
        with runner.news.expecting(job.job_id, found.phase) as changed, anyio.move_on_after(left):
            await changed.wait()
        found = await _job(request)
    return found


def _seconds(text: str | None) -> float:
    """Seconds that WAIT asks for; -1 for as long as there may be."""
    if text is None:
        return 0.0
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise BadRequest(f"WAIT must be a whole number of seconds, or -1, got {text[:60]!r}")
    return _LONGEST_WAIT_S if text.startswith("-") else min(float(digits[:9]), _LONGEST_WAIT_S)


def _selection(request: Request) -> storage.Selection:
    """Jobs that a list is to have (UWS 1.1, section 2.2.2.1)."""
    phases, last, after = [], None, None
    for name, value in request.query_params.multi_items():
        if name.upper() == "PHASE":
            if value not in tuple(Phase):
                raise BadRequest(f"PHASE must be one of {', '.join(Phase)}, got {value[:60]!r}")
            phases.append(Phase(value))
        elif name.upper() == "LAST":
            if not (value.isascii() and value.isdigit() and int(value[:9]) > 0):
                raise BadRequest(f"LAST must be a whole number from 1 on, got {value[:60]!r}")
            last = int(value[:9])
        elif name.upper() == "AFTER":
            after = read_time("AFTER", value)
    return storage.Selection(phases, after, last)


def _to(request: Request, job_id: str) -> Response:
    return RedirectResponse(f"{address_of(request)}/tap/async/{job_id}", 303)


def _runner(request: Request) -> Runner:
    runner: Runner = request.app.state.runner
    return runner


def _limits(request: Request) -> JobLimits:
    limits: JobLimits = request.app.state.job_limits
    return limits


async def _in_thread(work: Callable[[], _T]) -> _T:
    return await anyio.to_thread.run_sync(work)
