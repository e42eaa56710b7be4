"""Jobs on account: each within the limits and in the role of its account, and written to the ledger."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from roman_db import session
from roman_db.accounts.account import ANONYMOUS, Account
from roman_db.accounts.account_store import find_account
from roman_db.accounts.admission import Admission, Admitted
from roman_db.accounts.refusal import Refused
from roman_db.accounts.scratch import scratch_columns
from roman_db.accounts.usage import Entry, Kind, Outcome, write_entry
from roman_db.session import Role
from roman_db.tap.accounting import ScratchHeld, give_role, limits_of
from roman_db.tap.connections import Held, QueryLimits
from roman_db.tap.failure import Failure
from roman_db.tap.prepared import RequestLimits
from roman_db.tap.scratch_catalog import PREFIX
from roman_db.tap.uws.execution import END, Execution
from roman_db.tap.uws.files import JobFiles
from roman_db.tap.uws.job import Job, Phase

_log = structlog.get_logger()
_OUTCOMES = {Phase.COMPLETED: Outcome.DONE, Phase.ERROR: Outcome.FAILED}


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
        except (Refused, Failure, SQLAlchemyError) as error:
            words = (
                str(error)
                if isinstance(error, Refused | Failure)
                else "the database cannot be reached at the moment"
            )
            self.outcome = {"phase": Phase.ERROR, "error": words, "end_time": END}
            return
        try:
            super().run()
        finally:
            if isinstance(self._held, ScratchHeld):
                self._held.close()
        self._note(admitted.account, started_at, time.monotonic() - began)

    def _admitted(self) -> Admitted:
        """Say with what limits it runs, and give the connection the role of its account.

        Raises
        ------
        Refused
            If the account may not run it.
        """
        key = ANONYMOUS if self._job.account_id is None else self._job.account_id
        with session.transaction(Role.ACCOUNTS) as connection:
            account = find_account(connection, account_id=key)
        admitted = self._admission.admit(account, Kind.ASYNC, self._limits.rows.largest)
        self._limits = limits_of(self._limits, admitted)
        seconds = min(admitted.seconds, self._held.limits.timeout_s)
        memory_mb = max(1, min(account.work_bytes // 2**20, self._held.limits.memory_mb))
        if self._reads_scratch(account):
            self._held = ScratchHeld(QueryLimits(seconds, memory_mb), account.scratch_schema)
        else:
            give_role(self._held, account.role, QueryLimits(seconds, memory_mb))
        return admitted

    def _reads_scratch(self, account: Account) -> bool:
        """Whether the query may name scratch tables, and there are some that the account may read."""
        is_named = any(name == "QUERY" and PREFIX in value.lower() for name, value in self._job.parameters)
        return is_named and not account.is_anonymous and bool(scratch_columns(account))

    def _note(self, account: Account, started_at: datetime, seconds: float) -> None:
        """Write a row of the ledger; a job that is to wait again has used what it used."""
        phase = self.outcome["phase"]
        n_row = 0 if self._sending is None else self._sending.n_row
        n_byte = self.outcome.get("result_size") or 0
        outcome = _OUTCOMES.get(phase, Outcome.CANCELLED)
        queued_at = min(self._job.creation_time, started_at)
        ended = max(datetime.now(UTC), queued_at)
        counts = (seconds, n_row, n_byte)
        entry = Entry(account.account_id, Kind.ASYNC, outcome, queued_at, started_at, ended, *counts)
        try:
            write_entry(entry)
        except SQLAlchemyError as error:
            _log.error("ledger not written", entry=str(entry), error=str(error))
