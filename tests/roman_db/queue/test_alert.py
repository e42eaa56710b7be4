"""Alerts are raised once, cleared when they hold no longer, and sent until somebody has them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from roman_db import session
from roman_db.queue import storage
from roman_db.queue.alert import raise_alerts, send_alerts
from roman_db.queue.job import Job

from ..conftest import execute
from .conftest import work_here

OPEN = "SELECT kind, subject FROM ops.alert WHERE cleared_at IS NULL ORDER BY kind, alert_id"


@pytest.fixture
def webhook():
    """A server that takes what it gets after its first refusal, and a list of that."""
    got, answers = [], iter([503])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            code = next(answers, 204)
            if code == 204:
                got.append(body)
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", got
    server.shutdown()
    server.server_close()


def submit(names):
    with session.transaction() as connection:
        return storage.submit(connection, Job(("run", "bench", "--names", names), retries=0))


def test_a_job_that_failed_is_alerted_until_it_succeeds(queue, webhook):
    url, got = webhook
    execute(queue, "INSERT INTO bench.fault VALUES ('a', 1)")
    job = submit("a")
    work_here()
    raise_alerts()
    assert raise_alerts() == []
    assert execute(queue, OPEN) == [("job_failed", str(job)), ("run_failed", "1")]
    assert send_alerts(url) == 0
    assert send_alerts(url) == 2
    assert send_alerts(url) == 0
    told = {alert["kind"]: alert["message"] for alert in got}
    assert "a is to fail" in told["job_failed"]
    assert f"roman-db jobs retry {job}" in told["job_failed"]
    with session.transaction() as connection:
        storage.retry(connection, job)
    work_here()
    raise_alerts()
    assert execute(queue, OPEN) == []


def test_workers_that_look_at_the_same_time_do_not_wait_for_each_other(queue):
    execute(queue, "INSERT INTO bench.fault VALUES ('a', 1)")
    submit("a")
    work_here()
    execute(queue, "DELETE FROM ops.alert")
    with session.transaction() as other:
        other.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('ops.alert'))")
        assert raise_alerts() == []
    assert len(raise_alerts()) == 2


def test_a_job_that_waits_for_long_is_alerted_one_for_later_is_not(queue):
    waiting = submit("a")
    submit("b")
    execute(queue, "UPDATE queue.procrastinate_jobs SET scheduled_at = now() + interval '1 day' WHERE id = 2")
    execute(queue, "UPDATE queue.procrastinate_events SET at = at - interval '100 s' WHERE type = 'deferred'")
    assert raise_alerts(200) == []
    raise_alerts(50)
    assert execute(queue, OPEN) == [("job_waits", str(waiting))]


def test_a_folder_that_cannot_be_read_is_alerted(queue):
    columns = "folder, pattern, command, settle_s"
    execute(queue, f"INSERT INTO ops.watched_folder ({columns}) VALUES ('/nowhere', '*', 'run bench', 0)")
    work_here()
    assert execute(queue, OPEN) == [("folder_unreadable", "/nowhere")]


def test_a_webhook_that_is_not_there_stops_nothing(queue):
    execute(queue, "INSERT INTO bench.fault VALUES ('a', 1)")
    submit("a")
    work_here()
    raise_alerts()
    assert send_alerts("http://127.0.0.1:1/") == 0
    assert execute(queue, "SELECT count(*) FROM ops.alert WHERE sent_at IS NOT NULL") == [(0,)]
