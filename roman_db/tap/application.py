"""The web application: what all its addresses share, and which they are."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from roman_db.accounts.admission import Admission
from roman_db.accounts.authentication import unreachable
from roman_db.accounts.client import read_key
from roman_db.accounts.router import add_accounts
from roman_db.portal.mounting import mount_portal
from roman_db.service_failure import Failure
from roman_db.settings import Settings, settings
from roman_db.tap import routes
from roman_db.tap.accounted_service import AccountedData
from roman_db.tap.bounded_requests import BoundedRequests
from roman_db.tap.connections import Connections, Held, QueryLimits
from roman_db.tap.failure_document import failure_response
from roman_db.tap.job_accounting import AccountedExecution
from roman_db.tap.scratch_router import scratch_router
from roman_db.tap.uws import routes as job_routes
from roman_db.tap.uws.execution import Execution
from roman_db.tap.uws.files import JobFiles
from roman_db.tap.uws.job import Job, JobLimits
from roman_db.tap.uws.runner import Runner
from roman_db.tap.warm_up import warm_up
from roman_db.tap.web import request_limits
from roman_db.vo.routes import add_routes
from roman_db.vo.stored_coverage import StoredCoverage

#: Threads beside those of who holds a place of queries: for accounts, jobs, and work beside queries.
_THREADS = 40
#: Makers of the addresses of each service.
ROUTERS: tuple[Callable[[], APIRouter], ...] = (routes.router, job_routes.router, scratch_router)


def make_application() -> FastAPI:
    """Make the application with the settings of this process."""
    chosen = settings()
    application = FastAPI(
        title="Roman light-curve database",
        openapi_url=None,
        redirect_slashes=False,
        lifespan=partial(_lifespan, chosen=chosen),
    )
    application.state.settings = chosen
    application.state.job_limits = JobLimits(chosen.tap_job_timeout_s, timedelta(days=chosen.tap_job_days))
    application.add_exception_handler(Failure, _failed)
    application.add_exception_handler(SQLAlchemyError, _unreachable)
    application.add_middleware(AccountedData)
    add_accounts(application, failure_response)
    for router in ROUTERS:
        application.include_router(router())
    add_routes(application)
    mount_portal(application, failure_response)
    application.add_middleware(BoundedRequests)
    return application


@contextlib.asynccontextmanager
async def _lifespan(application: FastAPI, chosen: Settings) -> AsyncIterator[None]:
    """Make what the first query would wait for, run jobs meanwhile, and close connections at the end."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = chosen.tap_connections + _THREADS
    await anyio.to_thread.run_sync(warm_up)
    application.state.address_key = await anyio.to_thread.run_sync(read_key)
    connections = Connections(chosen.tap_connections, QueryLimits(chosen.tap_timeout_s, chosen.tap_memory_mb))
    admission = Admission(chosen.tap_connections)
    runner = _job_runner(chosen, admission)
    application.state.connections, application.state.runner = connections, runner
    application.state.admission, application.state.coverage = admission, StoredCoverage()
    async with anyio.create_task_group() as group:
        runner.start(group)
        yield
        await runner.stop()
        group.cancel_scope.cancel()
    await connections.close()


def _job_runner(chosen: Settings, admission: Admission) -> Runner:
    """Runner of jobs with connections of its own."""
    limits = QueryLimits(chosen.tap_job_timeout_s, chosen.tap_memory_mb)
    files = JobFiles(chosen.job_folder)

    def execution_of(job: Job, held: Held) -> Execution:
        return AccountedExecution(job, held, request_limits(chosen), files, admission)

    lifetime = timedelta(days=chosen.tap_job_days)
    return Runner(chosen.tap_jobs, Connections(chosen.tap_jobs, limits), files, execution_of, lifetime)


async def _failed(request: Request, failure: Exception) -> Response:
    """Say what was wrong with a request."""
    assert isinstance(failure, Failure)
    return failure_response(request, failure)


async def _unreachable(request: Request, error: Exception) -> Response:
    """Say that the database does not answer; the log says why."""
    return failure_response(request, unreachable(error))
