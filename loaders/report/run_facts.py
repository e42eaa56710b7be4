"""What the page of a run is made of: plain values, as the database has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class TaskFacts:
    """What the attempts on the units of a task came to: how many, and how long they took together."""

    task: str
    n_succeeded: int
    n_failed: int
    work: timedelta
    started_at: datetime


@dataclass(frozen=True)
class FailedUnit:
    """A unit that failed or was interrupted, and why."""

    task: str
    unit: str
    state: str
    message: str | None


@dataclass(frozen=True)
class RejectionFacts:
    """Input that was refused."""

    source: str
    code: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class CatalogFacts:
    """A version of the catalog."""

    catalog_version_id: int
    name: str
    n_new: int
    n_changed: int
    n_unchanged: int
    n_merged: int
    n_missing: int
    n_dropped: int
    n_restored: int


@dataclass(frozen=True)
class BlockFacts:
    """Light-curve blocks of a kind and optical element that were written."""

    photometry_kind: str
    optical_element: str
    n_block: int
    n_exposure: int
    n_object: int
    n_point: int


@dataclass(frozen=True)
class MetricFacts:
    """A quality metric, and how many of its values are outside the limits."""

    metric: str
    n: int
    median: float | None
    n_warning: int
    n_failure: int


@dataclass(frozen=True)
class RunFacts:
    """A run of a mode, and what it made."""

    load_run_id: int
    mode: str
    arguments: Mapping[str, object]
    state: str
    started_at: datetime
    finished_at: datetime | None
    code_version: str
    n_expected: int | None
    n_loaded: int
    n_rejected: int
    message: str | None
    tasks: Sequence[TaskFacts]
    failed: Sequence[FailedUnit]
    rejections: Sequence[RejectionFacts]
    catalogs: Sequence[CatalogFacts]
    blocks: Sequence[BlockFacts]
    metrics: Sequence[MetricFacts]
    n_replaced: int
