"""Jobs on account: each within the limits and in the role of its account, and written to the ledger."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from roman_db import session
from roman_db.accounts.account import ANONYMOUS, Account
from roman_db.accounts.account_store import find_account
from roman_db.accounts.admission import LONGEST_QUEUE, Admission, Admitted
from roman_db.accounts.authentication import unreachable
from roman_db.accounts.client import client_of
from roman_db.accounts.reading import asker_of
from roman_db.accounts.scratch import scratch_columns
from roman_db.accounts.usage import Entry, Kind, Outcome, write_entries
from roman_db.service_failure import Failure, TooMany, TooMuch
from roman_db.session import Role
from roman_db.tap.accounting import ScratchHeld, give_role, limits_of
from roman_db.tap.connections import Held, QueryLimits
from roman_db.tap.prepared import RequestLimits
from roman_db.tap.scratch_catalog import PREFIX
from roman_db.tap.uws import storage
from roman_db.tap.uws.execution import END, Execution
from roman_db.tap.uws.files import JobFiles
from roman_db.tap.uws.job import Job, Phase

#: Jobs of one party that have ended and are kept: each has its query, which takes room, too.
MOST_ENDED = 5000
_log = structlog.get_logger()
_OUTCOMES = {Phase.COMPLETED: Outcome.DONE, Phase.ERROR: Outcome.FAILED}


def check_new(admitted: Admitted, size: int, runs: bool, kept: storage.Kept) -> None:
    """Say whether a party may have a further job.

    Parameters
    ----------
    admitted
        Whose.
    size
        Bytes of the files that come with it.
    runs
        Whether it is to run at once.
    kept
        What there is of the party's jobs.

    Raises
    ------
    TooMany
        If too many wait for their turn.
    TooMuch
        If too many were not started or have ended, or there is no room for files.
    """
    most = admitted.account.limits.pending_jobs
    if kept.n_waiting >= LONGEST_QUEUE:
        raise TooMany(f"{LONGEST_QUEUE} of your jobs wait already: ask again when some of them have ended")
    if not runs and kept.n_pending >= most:
        raise TooMuch(
            f"{most} jobs that you did not start wait already: start them (PHASE=RUN), remove some (DELETE), "
            "or ask for exceptional resources (pending_jobs)"
        )
    if kept.n_ended >= MOST_ENDED:
        raise TooMuch(
            f"{MOST_ENDED} of your jobs have ended and are kept: remove some (DELETE), or have them removed "
            "earlier (DESTRUCTION)"
        )
    check_room(admitted, size, kept)


def check_room(admitted: Admitted, size: int, kept: storage.Kept) -> None:
    """Raise `TooMuch` where files of so many bytes are more than an account may have, or nothing is left."""
    if kept.n_byte + max(size, 1) > admitted.account.limits.job_bytes:
        raise TooMuch(_no_room(admitted.account, kept.n_byte + size))


def _no_room(account: Account, n_byte: int) -> str:
    """Words for files that are too many."""
    whose = "your team's" if account.shares_limits else "your"
    return (
        f"the results of {whose} jobs would take {n_byte:,} of {account.limits.job_bytes:,} bytes, with "
        "what was uploaded for those that have not ended: remove jobs (DELETE), have them removed earlier "
        "(DESTRUCTION), or ask for exceptional resources"
    )


class AccountedExecution(Execution):
    """A job of an account; that of nobody is the anonymous one's.

    Parameters
    ----------
    job, held, limits, files
        As of `Execution`; the limits are those of the service.
    admission
        Says whether the account may run it.
    """

    def __init__(
        self, job: Job, held: Held, limits: RequestLimits, files: JobFiles, admission: Admission
    ) -> None:
        super().__init__(job, held, limits, files)
        self._admission = admission

    def run(self) -> None:
        """Run it to its end, if the account may, and write what it used."""
        began, started_at = time.monotonic(), datetime.now(UTC)
        try:
            admitted = self._admitted()
        except (Failure, SQLAlchemyError) as error:
            words = (
                str(error) if isinstance(error, Failure) else "the database cannot be reached at the moment"
            )
            self.outcome = {"phase": Phase.ERROR, "error": words, "end_time": END}
            return
        try:
            super().run()
        finally:
            if isinstance(self._held, ScratchHeld):
                self._held.close()
        self._keep(admitted)
        self._note(admitted, started_at, time.monotonic() - began)

    def _keep(self, admitted: Admitted) -> None:
        """Keep a result if there is room for it among those of the account."""
        size, most = self.outcome.get("result_size"), admitted.account.limits.job_bytes
        if self.outcome["phase"] is not Phase.COMPLETED or size is None:
            return
        try:
            if storage.keep_result(self._job, admitted.party, size, most):
                return
            stored = storage.stored_bytes(admitted.party, self._job.job_id)
            words = _no_room(admitted.account, stored + size)
        except SQLAlchemyError as error:
            words = str(unreachable(error))
        self.outcome = {"phase": Phase.ERROR, "error": words, "end_time": END}

    def _admitted(self) -> Admitted:
        """Say with what limits it runs, and give the connection the role of its account.

        Raises
        ------
        Failure
            If the account may not run it.
        """
        key = ANONYMOUS if self._job.account_id is None else self._job.account_id
        with session.transaction(Role.ACCOUNTS) as connection:
            account = find_account(connection, account_id=key)
        client = client_of(self._job.party)
        admitted = self._admission.admit(account, Kind.ASYNC, self._limits.rows.largest, client)
        self._admission.day.read(account, admitted.party)
        self._admission.day.check(account, admitted.party)
        self.most_bytes = self._room(admitted)
        self._limits = limits_of(self._limits, admitted)
        most = self._held.limits
        asker = asker_of(account, min(admitted.seconds, most.timeout_s), most.memory_mb)
        if self._reads_scratch(account):
            limits = QueryLimits(asker.seconds, asker.memory_mb, asker.tier)
            self._held = ScratchHeld(limits, account.scratch_schema)
        else:
            give_role(self._held, asker)
        return admitted

    def _room(self, admitted: Admitted) -> int:
        """Bytes that the result may have beside files of other jobs; raises `TooMuch` where none are left."""
        stored = storage.stored_bytes(admitted.party, self._job.job_id)
        most = admitted.account.limits.job_bytes
        if stored >= most:
            raise TooMuch(_no_room(admitted.account, stored))
        return most - stored

    def _reads_scratch(self, account: Account) -> bool:
        """Whether the query may name scratch tables, and there are some that the account may read."""
        is_named = any(name == "QUERY" and PREFIX in value.lower() for name, value in self._job.parameters)
        return is_named and not account.is_anonymous and bool(scratch_columns(account))

    def _note(self, admitted: Admitted, started_at: datetime, seconds: float) -> None:
        """Write a row of the ledger; a job that is to wait again has used what it used."""
        phase = self.outcome["phase"]
        n_row = 0 if self._sending is None else self._sending.n_row
        n_byte = self.outcome.get("result_size") or 0
        outcome = _OUTCOMES.get(phase, Outcome.CANCELLED)
        queued_at = min(self._job.creation_time, started_at)
        ended = max(datetime.now(UTC), queued_at)
        area = None if self._sending is None else self._sending.sky_area
        counts = (seconds, n_row, n_byte, area, client_of(admitted.party))
        key = admitted.account.account_id
        entry = Entry(key, Kind.ASYNC, outcome, queued_at, started_at, ended, *counts)
        is_written = self._admission.day.add(admitted.party, n_row, seconds)
        try:
            write_entries([entry])
            is_written()
        except SQLAlchemyError as error:
            _log.error("ledger not written", entry=str(entry), error=str(error))
