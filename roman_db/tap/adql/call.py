"""A call of a function as its translation sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from roman_db.tap.adql.error import error_at
from roman_db.tap.adql.scope import Scope
from roman_db.tap.adql.value import Value
from roman_db.tap.adql.value_type import Family


@dataclass(frozen=True, slots=True)
class Call:
    """Function with its arguments.

    Parameters
    ----------
    name
        Its name in capitals.
    node
        Where it stands.
    arguments
        Its arguments, translated.
    scope
        Where it is called.
    """

    name: str
    node: exp.Expression
    arguments: Sequence[Value]
    scope: Scope

    def exactly(self, count: int, *more: int) -> Sequence[Value]:
        """Arguments, if there are so many; else the error."""
        if len(self.arguments) not in (count, *more):
            wanted = " or ".join(map(str, (count, *more)))
            raise error_at(self.node, f"{self.name} takes {wanted} arguments, got {len(self.arguments)}")
        return self.arguments

    def need(self, number: int, *families: Family) -> Value:
        """Argument of a number (from 0), which must be of one of the families, or NULL."""
        value = self.arguments[number]
        if value.type.family not in (*families, Family.NULL):
            wanted = " or ".join(family.value for family in families)
            raise error_at(
                self.node, f"argument {number + 1} of {self.name} must be {wanted}, got {value.type.words}"
            )
        return value
