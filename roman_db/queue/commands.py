"""``roman-db worker`` and ``roman-db jobs``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from roman_db.queue.schedule_commands import folders, schedule, schedules, watch

_STATES = ("todo", "doing", "succeeded", "failed", "cancelled", "aborted")
_COLUMNS = (
    "job_id",
    "state",
    "priority",
    "n_attempt",
    "submitted_at",
    "started_at",
    "finished_at",
    "command",
)
_ATTEMPT_COLUMNS = ("host", "pid", "started_at", "finished_at", "state", "last_load_run_id", "message")
JOB_ID = click.argument("job_id", type=click.IntRange(1))


@click.command()
@click.option("--once", is_flag=True, help="End when no job is left that may begin now.")
@click.option(
    "--metrics",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Answer Prometheus on this port of the loopback interface.",
)
def worker(once: bool, metrics: int | None) -> None:
    """Do the jobs of the queue, one at a time.

    Any number of workers may run, on any machine that reaches the database and the files. A signal to stop
    (SIGTERM, Ctrl-C) ends a run before its next unit of work and leaves the job to others; so does the death
    of a worker.
    """
    from roman_db import migrate
    from roman_db.cli import root
    from roman_db.queue.worker import Pace, work
    from roman_db.settings import settings

    migrate.ensure_current()
    if metrics is not None:
        from roman_db.queue.metrics import serve

        serve(metrics)
    silent_s = settings().worker_silent_s
    work(root, Pace(silent_s, poll_s=min(Pace.poll_s, silent_s)), wait=not once)


@click.group()
def jobs() -> None:
    """Give commands to workers, and see what becomes of them."""


@jobs.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--priority", type=int, default=0, show_default=True, help="The highest is begun first.")
@click.option("--lock", help="Of jobs with the same lock one runs at a time. Default: that of the command.")
@click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=3,
    show_default=True,
    help="How often it is tried again when it or some of its units failed.",
)
@click.option(
    "--backoff",
    type=click.FloatRange(0, 86_400),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="Wait before it is tried again; each later wait is four times as long.",
)
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Not before this time (UTC).",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND...")
def submit(words: tuple[str, ...], at: datetime | None, backoff: float, **how: Any) -> None:
    """Put COMMAND into the queue, such as `run daily --day 61474`: what may follow roman-db.

    Two jobs of the same command never run at the same time, whatever their options.
    """
    from roman_db import session
    from roman_db.cli import root
    from roman_db.queue import storage
    from roman_db.queue.job import Job, NotAJob, check_words

    try:
        check_words(root, words)
    except NotAJob as error:
        raise click.UsageError(str(error)) from None
    job = Job(words, backoff_s=backoff, **how)
    _ready()
    with session.transaction() as connection:
        number = storage.submit(connection, job, at and at.replace(tzinfo=UTC))
    click.echo(f"Job {number} waits for a worker: roman-db jobs show {number}")


@jobs.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only jobs in this state.")
@click.option("--most", type=click.IntRange(1), default=50, show_default=True, help="Most jobs to list.")
def list_(state: str | None, most: int) -> None:
    """List jobs, the latest first."""
    from roman_db import session
    from roman_db.accounts.listing import show_rows
    from roman_db.queue import storage

    _ready()
    with session.transaction() as connection:
        rows = storage.list_jobs(connection, state, most)
    show_rows(rows, _COLUMNS)


@jobs.command()
@JOB_ID
def show(job_id: int) -> None:
    """Show a job and the attempts at it."""
    from roman_db import session
    from roman_db.accounts.listing import show_fields, show_rows
    from roman_db.queue import storage

    _ready()
    with _refusals(), session.transaction() as connection:
        job, tries = storage.find(connection, job_id), storage.attempts(connection, job_id)
    show_fields(job)
    if tries:
        click.echo()
        show_rows(tries, _ATTEMPT_COLUMNS)


@jobs.command()
@JOB_ID
def retry(job_id: int) -> None:
    """Have a job that failed or was cancelled done again."""
    from roman_db import session
    from roman_db.queue import storage

    _ready()
    with _refusals(), session.transaction() as connection:
        storage.retry(connection, job_id)
    click.echo(f"Job {job_id} waits for a worker.")


@jobs.command()
@JOB_ID
def cancel(job_id: int) -> None:
    """Cancel a job; one that runs stops before its next unit of work."""
    from roman_db import session
    from roman_db.queue import storage

    _ready()
    with _refusals(), session.transaction() as connection:
        state = storage.cancel(connection, job_id)
    click.echo(
        f"Job {job_id} stops before its next unit of work."
        if state == "doing"
        else f"Job {job_id} is cancelled."
    )


class _refusals:
    """Says that there is no such job as an error of the command."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Turn one error into another."""
        from roman_db.queue.storage import NoSuchJob

        if isinstance(error, NoSuchJob):
            raise click.ClickException(str(error)) from None


def _ready() -> None:
    """Bring the database up to date."""
    from roman_db import migrate

    migrate.ensure_current()


def commands(root: click.Group) -> None:
    """Add the commands of the queue."""
    for command in (schedule, schedules, folders, watch):
        jobs.add_command(command)
    root.add_command(worker)
    root.add_command(jobs)
