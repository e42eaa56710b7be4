"""Rows of a catalog that cannot be loaded, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.catalog.sources import Sources

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

FASTEST_MOTION = 11_000.0
"""mas/yr; Barnard's star, the fastest there is, moves by 10,393 (Gaia DR3)."""

LARGEST_PARALLAX = 1_000.0
"""mas; Proxima Centauri, the nearest star, has 768 (Gaia DR3)."""

MAGNITUDES = (-5.0, 40.0)
"""No star but the Sun is brighter; what is fainter cannot be measured, and stands for something unknown."""

EPOCHS = (1850.0, 2150.0)
"""Julian years between which a position can have been measured or predicted."""


@dataclass(frozen=True)
class Rule:
    """A reason to refuse a row.

    Parameters
    ----------
    code
        Short stable name.
    columns
        Columns that it applies to.
    reason
        What is wrong, a phrase to put after the value.
    remedy
        What to do about it.
    """

    code: str
    columns: tuple[str, ...]
    reason: str
    remedy: str

    def broken_by(self, name: str, values: FloatArray) -> BoolArray:
        """Tell which values of a column break the rule."""
        return _TESTS[self.code](name, values)


_MEASURED = ("pm_ra", "pm_dec", "parallax")
_ERRORS = ("ra_err", "dec_err", "pm_ra_err", "pm_dec_err", "parallax_err")
_CORRECT = "Correct the row in the catalog, or leave it out"

RULES = (
    Rule("nan_position", ("ra", "dec"), "is not a position", _CORRECT),
    Rule("position_out_of_range", ("ra", "dec"), "is outside of 0 to 360 (ra) or -90 to 90 (dec)", _CORRECT),
    Rule("bad_epoch", ("ref_epoch",), f"is not a Julian year between {EPOCHS[0]} and {EPOCHS[1]}", _CORRECT),
    Rule(
        "absurd_motion", ("pm_ra", "pm_dec"), f"mas/yr is faster than any star ({FASTEST_MOTION})", _CORRECT
    ),
    Rule("absurd_parallax", ("parallax",), f"mas is nearer than any star ({LARGEST_PARALLAX})", _CORRECT),
    Rule(
        "absurd_magnitude",
        ("magnitude",),
        f"is not between {MAGNITUDES[0]:g} and {MAGNITUDES[1]:g}",
        "Correct the magnitude, or leave it empty if it is unknown",
    ),
    Rule("negative_error", (*_ERRORS, "flux_err"), "is negative or infinite, for an error", _CORRECT),
    Rule("infinite_flux", ("flux",), "is not a flux", _CORRECT),
)
"""Reasons in the order in which they are looked for: a row is refused for the first that holds."""

_TESTS: dict[str, Callable[[str, FloatArray], BoolArray]] = {
    "nan_position": lambda name, values: ~np.isfinite(values),
    "position_out_of_range": lambda name, values: (
        (values < 0) | (values > 360) if name == "ra" else np.abs(values) > 90
    ),
    "bad_epoch": lambda name, values: ~((values >= EPOCHS[0]) & (values <= EPOCHS[1])),
    "absurd_motion": lambda name, values: np.abs(values) > FASTEST_MOTION,
    "absurd_parallax": lambda name, values: np.abs(values) > LARGEST_PARALLAX,
    "negative_error": lambda name, values: (values < 0) | np.isinf(values),
    "absurd_magnitude": lambda name, values: (values < MAGNITUDES[0]) | (values > MAGNITUDES[1]),
    "infinite_flux": lambda name, values: np.isinf(values),
}


@dataclass(frozen=True)
class RowRejections:
    """Rows that were refused, r of them, each once.

    Parameters
    ----------
    row
        Shape (r,): row of the file, from 0, ascending.
    rule
        Shape (r,): index into `RULES`.
    column
        r names of our columns, ``flux.F146`` for those of fluxes, ``magnitude.F146`` for those of the file.
    value
        Shape (r,): the offending values.
    """

    row: npt.NDArray[np.int64]
    rule: npt.NDArray[np.int64]
    column: tuple[str, ...]
    value: FloatArray

    def __len__(self) -> int:
        return int(self.row.size)

    @property
    def code(self) -> tuple[str, ...]:
        """Short stable names of the reasons."""
        return tuple(RULES[k].code for k in self.rule)

    @property
    def reason(self) -> tuple[str, ...]:
        """What is wrong, with column and value."""
        rows = zip(self.column, self.value, self.rule, strict=True)
        return tuple(f"{column} {value:g} {RULES[k].reason}" for column, value, k in rows)

    @property
    def remedy(self) -> tuple[str, ...]:
        """What to do about it."""
        return tuple(RULES[k].remedy for k in self.rule)


def check_rows(
    sources: Sources, magnitude: Mapping[str, FloatArray] | None = None
) -> tuple[Sources, RowRejections]:
    """Part the rows that can be loaded from those that cannot.

    Parameters
    ----------
    sources
        Sources as mapped from the file.
    magnitude
        By optical element, shape (n,): the magnitudes that fluxes were made of; none if None.

    Returns
    -------
    good : Sources
        The rows that can be loaded, right ascension in [0, 360); with those refused they are all.
    refused : RowRejections
        One entry a row, with the first reason that holds.
    """
    rule = np.full(len(sources), -1)
    column = np.full(len(sources), -1)
    value = np.full(len(sources), np.nan)
    checks = list(_checks(sources, magnitude or {}))
    for index, (k, name, values) in enumerate(checks):
        broken = RULES[k].broken_by(name, values) & (rule < 0)
        rule[broken], column[broken], value[broken] = k, index, values[broken]
    refused = np.flatnonzero(rule >= 0)
    names = tuple(checks[index][1] for index in column[refused])
    rejections = RowRejections(sources.row[refused], rule[refused], names, value[refused])
    good = sources.take(rule < 0)
    return dataclasses.replace(good, ra=np.where(good.ra == 360.0, 0.0, good.ra)), rejections


def _checks(sources: Sources, magnitude: Mapping[str, FloatArray]) -> Iterator[tuple[int, str, FloatArray]]:
    """Rule, column and values of every check."""
    by_element = {"flux": sources.flux, "flux_err": sources.flux_err, "magnitude": magnitude}
    for k, rule in enumerate(RULES):
        for name in rule.columns:
            if name in by_element:
                for element, values in by_element[name].items():
                    yield k, f"{name}.{element}", values
            else:
                yield k, name, getattr(sources, name)
