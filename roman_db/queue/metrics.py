"""What Prometheus is told of the queue: read from the database when it asks, the same by each worker."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from roman_db import session, sqlfile
from roman_db.settings import settings

log = structlog.get_logger()

_STATES = ("todo", "doing", "succeeded", "failed", "cancelled", "aborted")


class QueueMetrics(Collector):
    """The state of queue and runs; where the database does not answer, that alone."""

    def collect(self) -> Iterable[Metric]:
        """Read the metrics."""
        up = GaugeMetricFamily("roman_db_up", "Whether the database answers")
        try:
            found = _read()
        except sa.exc.SQLAlchemyError as error:
            log.error("metrics cannot be read", error=str(error))
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        return [up, *_families(found)]


def serve(port: int) -> None:
    """Answer Prometheus on a port of the loopback interface from now on, beside all else."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(QueueMetrics())
    start_http_server(port, addr="127.0.0.1", registry=registry)


def _read() -> dict[tuple[str, str | None], float]:
    """Values of metrics by name and state."""
    query = sa.text(sqlfile.find("services", "queue_metrics").text)
    with session.transaction() as connection:
        rows = connection.execute(query, {"silent_s": settings().worker_silent_s}).all()
    return {(row.metric, row.state): float(row.value) for row in rows}


def _families(found: dict[tuple[str, str | None], float]) -> list[Metric]:
    """Metrics as Prometheus has them; jobs have each state, with 0 where there are none."""
    jobs = GaugeMetricFamily("roman_db_jobs", "Jobs of the queue", labels=["state"])
    for known in _STATES:
        jobs.add_metric([known], found.get(("jobs", known), 0))
    families: list[Metric] = [
        jobs,
        GaugeMetricFamily("roman_db_workers", "Workers that give signs of life", found["workers", None]),
        GaugeMetricFamily(
            "roman_db_job_wait_seconds", "Longest wait of a job that may begin", found["job_wait", None]
        ),
    ]
    for name, text in (("job_attempts", "Attempts at jobs that ended"), ("runs", "Runs that ended")):
        counter = CounterMetricFamily(f"roman_db_{name}", text, labels=["state"])
        for (metric, state), value in sorted(found.items(), key=str):
            if metric == name and state is not None:
                counter.add_metric([state], value)
        families.append(counter)
    return families
