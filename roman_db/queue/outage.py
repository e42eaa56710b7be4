"""What workers record though the server is away for a while, as it is while it starts anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
import structlog

from roman_db import session

log = structlog.get_logger()

#: A server that crashed replays its log before it answers, and systems start for minutes.
_PATIENCE_S = 600.0
_PAUSE_S = 1.0
Answer = TypeVar("Answer")


def recorded(write: Callable[[sa.Connection], Answer]) -> Answer:
    """Write in a transaction, again and again while the server is away, and return what that gives.

    Where the connection is lost during a commit, what was written may be written twice.

    Raises
    ------
    sqlalchemy.exc.OperationalError
        If the server is away for more than ten minutes, or refuses for another reason.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with session.transaction() as connection:
                return write(connection)
        except sa.exc.OperationalError as error:
            if time.monotonic() > deadline:
                raise
            log.warning("the server is away, and is asked again", error=str(error.orig))
        time.sleep(_PAUSE_S)
