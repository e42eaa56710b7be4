"""What somebody has to look into: rows of ``ops.alert``, sent to a webhook where there is one."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import sqlalchemy as sa
import structlog

from roman_db import session, sqlfile
from roman_db.schema.metadata import table

log = structlog.get_logger()

#: A job that may begin and has not for so long is one for whom there are too few workers.
_WAIT_S = 6 * 3600.0
_TIMEOUT_S = 10.0
#: Alerts that are sent at a time; the others follow.
_MOST = 100
#: Two workers that look at the same time would both raise what is new; many would wait for one another.
_ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(hashtext('ops.alert'))"


def raise_alerts(wait_s: float = _WAIT_S) -> list[int]:
    """Raise what is new, clear what holds no longer, and return the numbers of the new.

    Nothing is done where another worker does it at the moment.
    """
    query = sa.text(sqlfile.find("jobs", "raise_alerts").text)
    with session.transaction() as connection:
        if not connection.exec_driver_sql(_ONE_AT_A_TIME).scalar_one():
            return []
        return [int(row.alert_id) for row in connection.execute(query, {"wait_s": wait_s}).all()]


def send_alerts(url: str) -> int:
    """Send to a webhook what was not sent yet, and return how many it took.

    What it does not take is sent again the next time; what is cleared meanwhile is not sent any more.
    """
    alerts = table("ops.alert")
    waiting = sa.select(alerts).where(alerts.c.sent_at.is_(None), alerts.c.cleared_at.is_(None))
    with session.transaction() as connection:
        rows = connection.execute(waiting.order_by(alerts.c.alert_id).limit(_MOST)).all()
    for number, row in enumerate(rows):
        try:
            _post(url, row)
        except OSError as error:
            log.error("alerts cannot be sent", error=str(error), waiting=len(rows) - number)
            return number
        with session.transaction() as connection:
            mine = alerts.c.alert_id == row.alert_id
            connection.execute(alerts.update().where(mine).values(sent_at=sa.func.now()))
    return len(rows)


def _post(url: str, row: sa.Row[Any]) -> None:
    """Send one alert; any status but one of success is an OSError."""
    said = {name: getattr(row, name) for name in ("alert_id", "kind", "subject", "message")}
    body = json.dumps(said | {"raised_at": row.raised_at.isoformat()}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
        pass
