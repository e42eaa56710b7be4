"""Stars and exposures of a piece of the sky solved for in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.frame_fit import Frames, fit_frames, no_frames
from loaders.astrometric_solution.gauge import Anchors, gauge_field
from loaders.astrometric_solution.points import ExposureTimes, StarPlaces, StarPoints
from loaders.astrometric_solution.star_fit import FitOptions, Solutions, expected_offsets, fit_stars

FloatArray = npt.NDArray[np.float64]

FrameKind = Literal["catalog", "shift", "linear"]

#: Terms of an exposure by the kind of its frame.
TERMS: dict[FrameKind, int] = {"catalog": 0, "shift": 1, "linear": 3}


@dataclass(frozen=True)
class FrameOptions:
    """How exposures are placed.

    Parameters
    ----------
    fewest_shift, fewest_linear
        Stars that an exposure needs for a shift, and for linear terms.
    enough_linear
        Stars of the usual exposure from which linear terms are fitted at all.
    tolerance
        Change of the terms, mas in the root of the mean square over the stars, that ends the iteration.
    rounds
        Most rounds of stars and exposures.
    """

    fewest_shift: int = 10
    fewest_linear: int = 20
    enough_linear: int = 40
    tolerance: float = 1e-3
    rounds: int = 30


@dataclass(frozen=True)
class FrameSolution:
    """Where exposures lie, and the stars that say so.

    Parameters
    ----------
    kind
        ``catalog``: too few stars, exposures are taken to lie where the catalog says; ``shift``; ``linear``.
    frames
        The exposures.
    stars
        Corrections to the parameters of the stars that made the frame.
    change
        Last change of the terms, mas.
    n_round
        Rounds that were done.
    """

    kind: FrameKind
    frames: Frames
    stars: Solutions
    change: float = 0.0
    n_round: int = 0


def reference_epoch(times: ExposureTimes) -> float:
    """Epoch of a solution, Julian year to a thousandth: the mean of its exposures."""
    return round(float(times.year.mean()), 3)


def frame_kind(points: StarPoints, n_exposure: int, options: FrameOptions) -> FrameKind:
    """Which terms the usual exposure has stars for."""
    count = np.bincount(points.exposure, minlength=n_exposure)
    usual = float(np.median(count[count > 0])) if count.any() else 0.0
    if usual >= options.enough_linear:
        return "linear"
    return "shift" if usual >= options.fewest_shift else "catalog"


def solve_frames(
    points: StarPoints,
    times: ExposureTimes,
    places: StarPlaces,
    anchors: Anchors,
    options: FrameOptions | None = None,
    fit: FitOptions | None = None,
) -> FrameSolution:
    """Find where exposures lie, and how the stars that say so move, by turns until neither changes.

    The fields that exposures can't tell (`gauge`) are taken out of the stars' corrections in each round, and
    so don't have to converge.

    Parameters
    ----------
    points, times, places
        What was measured of the stars that make the frame.
    anchors
        What the catalog says of them.
    options, fit
        How.
    """
    options, fit = options or FrameOptions(), fit or FitOptions()
    kind = frame_kind(points, len(times), options)
    epoch = reference_epoch(times)
    frames = no_frames(len(times))
    stars = fit_stars(points, times, places, frames.terms, epoch, fit)
    if kind == "catalog" or not np.isfinite(stars.value).any():
        return FrameSolution("catalog", frames, stars)
    fewest = options.fewest_shift if kind == "shift" else options.fewest_linear
    change, n_round = np.inf, 0
    while change > options.tolerance and n_round < options.rounds:
        value = fixed_values(stars, places, anchors, TERMS[kind])
        residual = points.offset - expected_offsets(value, points, times, places, epoch)
        new = fit_frames(points, residual, places, len(times), TERMS[kind], fewest)
        change, frames, n_round = _change(frames, new, places), new, n_round + 1
        stars = fit_stars(points, times, places, frames.terms, epoch, fit)
    return FrameSolution(kind, frames, stars, change, n_round)


def fixed_values(stars: Solutions, places: StarPlaces, anchors: Anchors, n_term: int) -> FloatArray:
    """Corrections, shape (m, 5), without the fields that exposures can't tell."""
    off = gauge_field(stars.value, stars.error, places.plane, anchors, n_term)
    design = np.column_stack([np.ones(len(places.plane)), places.plane])[:, :n_term]
    return np.asarray(stars.value - design @ off)


def _change(old: Frames, new: Frames, places: StarPlaces) -> float:
    """Root of the mean square of what moved between two rounds, mas, over exposures and stars."""
    step = new.terms - old.terms
    known = np.isfinite(step).all(axis=(1, 2))
    if not known.any():
        return 0.0
    design = np.column_stack([np.ones(len(places.plane)), places.plane])
    moment = design.T @ design / len(design)
    square = np.einsum("nac,ab,nbc->n", step[known], moment, step[known]) / 2
    return float(np.sqrt(square.mean()))
