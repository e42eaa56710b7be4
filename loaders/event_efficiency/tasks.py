"""The tasks that inject events and count what is found, and the mode that is made of them."""

from __future__ import annotations

from loaders.event_efficiency.load import (
    COUNT_TASK,
    TASK,
    count_unit,
    inject_unit,
    pending_counts,
    pending_injections,
)
from roman_db.jobs import Mode, Task, itself

INJECTION = Task(
    TASK, "Inject events into light curves and search them", pending_injections, inject_unit, itself
)

EFFICIENCY = Task(COUNT_TASK, "Count what was found in cells", pending_counts, count_unit, itself)

EVENT_EFFICIENCY = Mode(
    "event-efficiency", "Measures how many events are found in light curves", (INJECTION, EFFICIENCY)
)
