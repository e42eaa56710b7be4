"""The task that makes reference images of seasons."""

from __future__ import annotations

from loaders.season_reference.load import make_season_reference, pending_season_references
from roman_db.jobs import Task, itself

SEASON_REFERENCE = Task(
    "season_reference",
    "Combine the images of the spans of a season into one",
    pending_season_references,
    make_season_reference,
    itself,
)
