"""The posterior of the parameters of an event, each against each other."""

from __future__ import annotations

import corner
import numpy as np
from matplotlib.figure import Figure

from loaders.report_page.picture import BLUE, RED, Picture
from loaders.season_report.facts import EventFacts
from loaders.stored_curve.band import FloatArray

_SIDE, _SMALLEST = 1.25, 4.0
"""Inches of a panel, and of a picture."""

_LEVELS = (0.393, 0.865)
"""Shares of the posterior within the lines: one and two standard deviations of a normal one."""

_NARROW = 1e-12
"""Relative width below which a parameter is as good as fixed."""


def draw_posterior(event: EventFacts, prefix: str) -> Picture | None:
    """Draw the posterior of the believed model, its best fit marked; None where it was not sampled.

    Of times whole days are taken off, which stand beside them.
    """
    if not event.models or not event.models[0].model.sample:
        return None
    model = event.models[0].model
    shown = [name for name in model.value if _varies(model.sample.get(name))]
    if len(shown) < 2:
        return None
    shift = np.array([np.floor(model.value[name]) if name.startswith("t_0") else 0.0 for name in shown])
    sample = np.column_stack([model.sample[name] for name in shown]) - shift
    side = max(_SIDE * len(shown), _SMALLEST)
    # It lays itself out.
    figure = Figure(figsize=(side, side))
    figure.subplots(len(shown), len(shown))
    corner.corner(
        sample,
        labels=[f"{n} - {s:.0f}" if s else n for n, s in zip(shown, shift, strict=True)],
        truths=[model.value[name] - s for name, s in zip(shown, shift, strict=True)],
        truth_color=RED,
        color=BLUE,
        levels=_LEVELS,
        bins=16,
        smooth=1.0,
        max_n_ticks=3,
        labelpad=0.05,
        label_kwargs={"fontsize": 8},
        contour_kwargs={"linewidths": 1.0},
        fig=figure,
    )
    for axes in figure.axes:
        axes.tick_params(labelsize=6, length=2.5)
        for line in axes.lines:
            line.set(linewidth=1.0, markersize=3)
    return Picture(
        f"{prefix}_posterior",
        "Posterior",
        f"Samples of the posterior of {model.name} in {', '.join(shown)}, each against each other.",
        f"{len(sample)} samples of {model.name}; lines hold 39 and 86 % of them, as one and two standard "
        "deviations of a normal distribution do. Red: the best fit. What is bent, or lies far from the red "
        "lines, is badly described by an error.",
        figure,
    )


def _varies(sample: FloatArray | None) -> bool:
    """Whether a parameter was sampled, and is not as good as fixed."""
    return sample is not None and bool(np.ptp(sample) > _NARROW * max(float(np.abs(sample).max()), 1e-300))
