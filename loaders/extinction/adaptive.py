"""Cells as small as the stars allow: they are split while the clump of each part stays known well enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loaders.extinction.cell import CellResult
from loaders.extinction.configuration import REFERENCE, CellValues
from loaders.extinction.geometry import Cell
from loaders.extinction.stars import Stars

#: Reasons behind which clumps of parts may hide, and orders below the root down to which they are looked for.
_MAY_HIDE, _DEEPER = ("no_clump", "not_converged"), 2

#: Measures the stars of a cell, beginning from the extinction of the cell around it, or None.
Measure = Callable[[Cell, Stars, float | None], CellResult]

_OF_SPREAD = 0.4
"""Where dust varies within a cell, its quarters may have this share of that as error, if it is more."""

_SPARSE = 0.1
"""A quarter with less than this share of the stars of the whole is at an edge, or behind a cloud."""


@dataclass(frozen=True)
class MeasuredCell:
    """A cell of the map, and what is said of it."""

    cell: Cell
    result: CellResult


def split_cells(root: Cell, stars: Stars, measure: Measure, values: CellValues) -> list[MeasuredCell]:
    """Cut a cell into those of the map.

    A cell is tried in quarters while its error, doubled, stays within what is wished. The quarters are kept
    if all of them have a clump as well known as wished; those with less than a tenth of the stars, at the
    edge of what was observed or behind a dark cloud, need none and say why. Otherwise the whole stays. Where
    dust varies within a cell more than its quarters would be uncertain, they may be known less well than
    wished. A cell without a clump is tried in quarters, too, near the root: dust may vary so much in it that
    its clump is no clump.

    Parameters
    ----------
    root
        The cell.
    stars
        Its stars; others do not count.
    measure
        Measures a cell.
    values
        Wished error and deepest order.

    Returns
    -------
    list
        Cells that cover the root, each place once.
    """
    mine = stars.of(root)
    return _split(MeasuredCell(root, measure(root, mine, None)), mine, measure, values)


def _split(whole: MeasuredCell, stars: Stars, measure: Measure, values: CellValues) -> list[MeasuredCell]:
    """Cut a cell that is measured."""
    if not _is_to_be_tried(whole, values):
        return [whole]
    parts = [(quarter, stars.of(quarter)) for quarter in whole.cell.children]
    quarters = []
    for quarter, some in parts:
        one = measure(quarter, some, whole.result.extinction)
        is_known = one.is_fitted and one.error <= _allowed(whole.result, values)
        if whole.result.is_fitted and not is_known and len(some) >= _SPARSE * len(stars):
            return [whole]
        quarters.append(MeasuredCell(quarter, one))
    leaves = [
        leaf
        for one, (_, some) in zip(quarters, parts, strict=True)
        for leaf in _split(one, some, measure, values)
    ]
    return leaves if any(leaf.result.is_fitted for leaf in leaves) else [whole]


def _allowed(result: CellResult, values: CellValues) -> float:
    """Error up to which quarters of a cell are known well enough, mag: dust that varies more hides more."""
    return max(values.wished_error, _OF_SPREAD * result.spread)


def _is_to_be_tried(whole: MeasuredCell, values: CellValues) -> bool:
    """Whether quarters of a cell may have clumps that are known well enough."""
    order, result = whole.cell.order, whole.result
    if order >= values.deepest_order:
        return False
    if result.is_fitted:
        return 2 * result.error <= _allowed(result, values)
    may_hide = result.elements[REFERENCE].status in _MAY_HIDE
    return may_hide and order < values.root_order + _DEEPER and result.n_star >= 4 * values.fewest
