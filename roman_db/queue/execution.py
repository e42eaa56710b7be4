"""One attempt at a job: its command is run in this process as people run it, and what came of it is a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click
import sqlalchemy as sa
import structlog

from roman_db.console import EXIT_REJECTED
from roman_db.failure import words as words_of
from roman_db.jobs import Cancelled, Watch, watched
from roman_db.locks import LockHeld, held
from roman_db.queue import storage
from roman_db.queue.outage import recorded

log = structlog.get_logger()


class AttemptFailed(RuntimeError):
    """An attempt at a job did not succeed."""


class AttemptLost(RuntimeError):
    """An attempt came to its end after others had taken its worker for dead: the job is theirs."""


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt, with a message where there is something to say."""

    state: str
    message: str | None = None
    load_run_id: int | None = None


def attempt(
    root: click.Group, job_id: int, lock: str, words: Sequence[str], is_cancelled: Callable[[], bool]
) -> Outcome:
    """Run the command of a job under its lock, and record what became of it, once the server answers.

    Raises
    ------
    LockHeld
        If another process has the lock, a worker that others take for dead and that is not, or if another
        run, by hand or of a job with another lock, works on what the command touches.
    AttemptLost
        If the job was given to others meanwhile.
    """
    number = recorded(lambda connection: storage.begin_attempt(connection, job_id))
    with structlog.contextvars.bound_contextvars(job_id=job_id):
        log.info("job begins", command=" ".join(words))
        try:
            with held(lock):
                outcome = run(root, words, is_cancelled)
        except LockHeld as error:
            _end(number, Outcome("postponed", str(error)))
            raise
        except sa.exc.OperationalError as error:
            outcome = Outcome("failed", _said(error))  # the server went away before the lock was had
        _end(number, outcome)
        log.info("job ended", state=outcome.state, message=outcome.message)
    return outcome


def run(root: click.Group, words: Sequence[str], is_cancelled: Callable[[], bool]) -> Outcome:
    """Run a command as people run it; whatever it ends with is an outcome.

    Raises
    ------
    LockHeld
        If another run works on what it touches.
    """
    watch = Watch(is_cancelled)
    message = None
    try:
        with watched(watch):
            root.main(list(words), prog_name="roman-db", standalone_mode=False)
    except LockHeld:
        raise
    except Cancelled as error:
        return Outcome("cancelled", str(error), _last_run(watch))
    except SystemExit as end:
        if end.code not in (None, 0, EXIT_REJECTED):
            return Outcome("failed", f"ended with exit code {end.code}", _last_run(watch))
        message = "some of the input was refused" if end.code else None
    except click.ClickException as error:
        return Outcome("failed", error.format_message(), _last_run(watch))
    except Exception as error:
        log.error("job failed", exc_info=True)
        return Outcome("failed", _said(error), _last_run(watch))
    return _judged(watch, message)


def _judged(watch: Watch, message: str | None) -> Outcome:
    """Outcome of a command that came to its end: units that failed are to be tried again."""
    failed = [(unit, why) for report in watch.reports for unit, why in report.failed.items()]
    if not failed:
        return Outcome("succeeded", message, _last_run(watch))
    unit, why = failed[0]
    done = sum(len(report.succeeded) for report in watch.reports)
    return Outcome(
        "failed", f"{len(failed)} of {len(failed) + done} units failed: {unit}: {why}", _last_run(watch)
    )


def _last_run(watch: Watch) -> int | None:
    """Number of the last run that a command made."""
    return watch.reports[-1].load_run_id if watch.reports else None


def _said(error: Exception) -> str:
    """Words for an error, foreseen or not."""
    return " ".join(words_of(error) or [f"{type(error).__name__}: {error}"])


def _end(number: int, outcome: Outcome) -> None:
    """Record what became of an attempt, unless it was given up as lost."""
    closed = outcome.state, outcome.message, outcome.load_run_id
    if not recorded(lambda connection: storage.end_attempt(connection, number, *closed)):
        what = "the job was given to others, as this worker gave no sign of life for too long"
        log.warning(what, state=outcome.state, message=outcome.message)
        raise AttemptLost(what)
