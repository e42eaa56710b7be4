"""Metrics agree with the rows, and say so where the database does not answer."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from roman_db import session
from roman_db.queue import storage
from roman_db.queue.job import Job
from roman_db.queue.metrics import QueueMetrics

from ..conftest import execute, forget, point_at
from .conftest import work_here


def scraped():
    """What Prometheus reads: values by name and state."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(QueueMetrics())
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, sample.labels.get("state")): sample.value
        for family in families
        for sample in family.samples
    }


def submit(names, **how):
    with session.transaction() as connection:
        storage.submit(connection, Job(("run", "bench", "--names", names), **how))


def test_metrics_count_what_happened(queue):
    execute(queue, "INSERT INTO bench.fault VALUES ('b', 1)")
    submit("a")
    submit("b", retries=0)
    work_here()
    submit("c")
    execute(queue, "UPDATE queue.procrastinate_events SET at = at - interval '100 s'")
    found = scraped()
    assert {state: value for (name, state), value in found.items() if name == "roman_db_jobs"} == {
        "todo": 1, "doing": 0, "succeeded": 1, "failed": 1, "cancelled": 0, "aborted": 0
    }  # fmt: skip
    assert found["roman_db_job_attempts_total", "succeeded"] == 1
    assert found["roman_db_job_attempts_total", "failed"] == 1
    assert found["roman_db_runs_total", "failed"] == 1
    assert found["roman_db_workers", None] == 0
    assert 100 <= found["roman_db_job_wait_seconds", None] < 200
    assert found["roman_db_up", None] == 1


def test_a_database_that_does_not_answer_is_down(queue, monkeypatch):
    point_at("postgresql://nobody@127.0.0.1:1/nothing", monkeypatch)
    assert scraped() == {("roman_db_up", None): 0}
    forget()
