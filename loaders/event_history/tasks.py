"""The tasks that follow events from season to season."""

from __future__ import annotations

from loaders.event_history.load import (
    LINK_TASK,
    REFIT_TASK,
    link_unit,
    pending_links,
    pending_refits,
    refit_unit,
)
from roman_db.jobs import Task, itself

SAME_EVENTS = Task(LINK_TASK, "Link events of several seasons that are one", pending_links, link_unit, itself)
REFIT_EVENTS = Task(
    REFIT_TASK, "Fit the models of an event to all seasons so far", pending_refits, refit_unit, itself
)
