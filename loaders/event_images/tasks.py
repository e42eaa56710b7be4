"""The tasks that put events into images and search them, and the mode that is made of them."""

from __future__ import annotations

from dataclasses import replace

from loaders.daily.tasks import exposure_files, exposure_names
from loaders.event_efficiency.tasks import EFFICIENCY
from loaders.event_images.load import (
    SEARCH_TASK,
    TASK,
    image_unit,
    pending_image_counts,
    pending_images,
    pending_searches,
    search_unit,
)
from roman_db.jobs import Mode, Task, itself

IMAGES = Task(
    TASK,
    "Put events into exposures and measure their stars",
    pending_images,
    image_unit,
    exposure_names,
    exposure_files,
)

SEARCH = Task(SEARCH_TASK, "Search the light curves that images gave", pending_searches, search_unit, itself)

EVENT_IMAGES = Mode(
    "event-images",
    "Measures how many events are found in images, and compares that with light curves",
    (IMAGES, SEARCH, replace(EFFICIENCY, units=pending_image_counts)),
)
