"""The task that cuts stored blocks of others' light curves where seasons meet, and the mode of it alone."""

from __future__ import annotations

from loaders.external_light_curve.load import divide_unit, undivided_units
from roman_db.jobs import Mode, Task, Unit


def _blocks(unit: Unit) -> list[str]:
    """Name the blocks that a unit has to account for."""
    return [f"light-curve block {number}" for number in unit.arguments["block_id"]]


DIVIDE = Task(
    "divide", "Cut light curves of others where seasons meet", undivided_units, divide_unit, _blocks
)

DIVIDE_MODE = Mode("divide", DIVIDE.purpose, (DIVIDE,))
