"""The tasks that make the variability catalog of a season."""

from __future__ import annotations

from loaders.variability.load import describe_unit, locus_unit, pending_loci, pending_ranges
from roman_db.jobs import Task, itself

#: What runs touch that make something of the light curves of a season, and the arguments that say of which:
#: results have its number and no survey.
TOUCHED = "season", ("season",)

LOCUS = Task("locus", "Find where constant stars lie", pending_loci, locus_unit, itself)
VARIABILITY = Task(
    "variability", "Describe the light curves of a range of objects", pending_ranges, describe_unit, itself
)
