"""Notes that go with a solution: what its numbers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from loaders.lens_physics.model import FloatArray, StoredModel
from loaders.lens_physics.quantity import LIMITED, Quantity

_CONVENTIONS = """
- Times are BJD (TDB); fluxes nJy (AB); {bands}.
- The parameters are those of MulensModel: with parallax in the geocentric frame of t_ref, two lenses seen
from
  their centre of mass, alpha turned into radians. Of two sources flux_ratio is that in F146.
- Lenses that turn do so evenly about t_ref. A source with a dark companion is on a circle: (xiEN, xiEE) is
  its radius towards the node, as the direction of the parallax has it; which of two nodes is not known.
- {errors} mu_rel is geocentric.
- Where the medians of a sum or length and of its parts differ by more than 1 %, one of them is left out.
"""

_OF_POSTERIOR = """Parameters are those of the least chi-square, uncertainties how far the posterior goes
  from them down and up (16th and 84th percentile, below); one number, half of what is between, where it goes
  farther down, or not around them. Physical parameters are medians with 68 % intervals of the posterior;"""
_OF_CURVATURE = """Errors are those of the curvature of chi-square. Physical parameters are medians with 68 %
  intervals of draws from its Gaussian;"""


#: What twins are, by the degeneracy (`loaders.event_models.degeneracies`).
_TWIN = {
    "ecliptic": "the source passes on the other side of the lens, the northern parallax turned",
    "close_wide": "two lenses that are close in one of them, wide in the other",
    "inner_outer": "the planet is on the other side of where the source crosses the axis",
    "binary_source": "two sources in one of them, two lenses in the other",
}


def notes_of(
    place: str,
    model: StoredModel,
    quantities: Sequence[Quantity],
    bands: Mapping[str, str],
    twins: Sequence[tuple[str, str]] = (),
) -> str:
    """Write the notes of a solution, in Markdown.

    Parameters
    ----------
    place
        Which star it is, and where.
    model
        The model.
    quantities
        What follows from it, with the way in which it was found.
    bands
        Numbers of optical elements.
    twins
        Names of the solutions that are twins of this one, and the degeneracy.
    """
    errors = _OF_POSTERIOR if model.sample else _OF_CURVATURE
    known = ", ".join(f"{bands[one]} is {one}" for one in model.elements if one in bands)
    lines = [f"# {model.name}", "", place, _CONVENTIONS.format(bands=f"band {known}", errors=errors)]
    if twins:
        lines += ["Solutions that the light curve hardly tells from this one:", ""]
        lines += [f"- {name}, {how}: {_TWIN.get(how, how)}" for name, how in twins] + [""]
    if model.sample:
        lines += ["| parameter or flux | median | from | to |", "|---|---|---|---|"]
        lines += [_posterior(*one) for one in sorted(model.sample.items())] + [""]
    if quantities:
        lines += ["| quantity | how | value | from | to | unit |", "|---|---|---|---|---|---|"]
        lines += [_row(one) for one in quantities]
    return "\n".join(lines) + "\n"


def _posterior(name: str, sample: FloatArray) -> str:
    """A row of the table of the posterior, in the unit of the model; times to the last digit that counts."""
    low, middle, high = np.nanquantile(sample, [0.16, 0.5, 0.84])
    digits = ".12g" if name.startswith("t_0") else ".6g"
    return f"| {name} | {middle:{digits}} | {low:{digits}} | {high:{digits}} |"


def _row(one: Quantity) -> str:
    """A row of the table."""
    numbers = ("" if x is None else f"{x:.6g}" for x in (one.value, one.lower, one.upper))
    how = "95 % limit" if one.method == LIMITED else one.method
    return f"| {one.name} | {how} | {' | '.join(numbers)} | {one.unit or ''} |"
