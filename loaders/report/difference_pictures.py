"""Pictures of a difference of two reference images: its significance, the kernel, and what changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from loaders.report.facts import KINDS, ChangeFacts, DifferencePixels, FloatArray
from loaders.report.image_pictures import Marks, image_figure, lay_image, mark_by_class, with_missing
from loaders.report.pixels import Values, cut_out, farthest, masked, stretch
from loaders.report_page.picture import (
    BLUE,
    KIND_LOOK,
    Picture,
    grid_behind,
    new_figure,
)

#: Standard deviations at which the colours of a difference end, and bins of the histogram.
_SIGMA = 5.0
_EDGES = np.arange(-12.0, 12.01, 0.25)

#: Kinds of changes that are taken for real, in cut-outs.
_REAL = ("new", "variable")

#: Half width of a cut-out, fine pixels.
HALF_CUT_OUT = 16

#: Half width of its middle, where the source is.
_CORE = 3


def significance_histogram(pixels: DifferencePixels) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Count pixels by significance, beside what noise alone would give.

    Returns
    -------
    tuple of ndarray
        Middles of the bins, shape (n,); share of the pixels per unit of significance, what is beyond counted
        in the outermost bins; and the density of the unit normal.
    """
    seen = pixels.significance[pixels.usable].astype(np.float64)
    width = _EDGES[1] - _EDGES[0]
    inside = np.clip(seen, _EDGES[0], _EDGES[-1] - width / 2)
    counts, _ = np.histogram(inside, _EDGES)
    middle = (_EDGES[:-1] + _EDGES[1:]) / 2
    normal = np.exp(-0.5 * middle**2) / np.sqrt(2 * np.pi)
    return middle, counts / max(seen.size, 1) / width, normal


def draw_significance(pixels: DifferencePixels, prefix: str) -> Picture:
    """Draw the difference in standard deviations."""
    values, step = farthest(masked(pixels.significance, pixels.usable))
    figure, axes = image_figure(pixels.usable.shape)
    shown = lay_image(axes, values, step, cmap=with_missing("RdBu_r", "#bbbbbb"), vmin=-_SIGMA, vmax=_SIGMA)
    figure.colorbar(shown, ax=axes, label="difference [standard deviations]", shrink=0.9, extend="both")
    far = _beyond(pixels)
    blocks = "" if step == 1 else f" Drawn smaller: the most significant of {step} × {step} pixels."
    return Picture(
        f"{prefix}_significance",
        "The difference",
        f"Difference in standard deviations; {far:.2e} of the pixels are beyond five. {_left_out(pixels)}",
        "Red: brighter than before. Blue: fainter. Grey: pixels that do not count. Good is noise without a "
        "pattern; rings and pairs of red and blue about stars say that the kernel or the alignment does not "
        "fit." + blocks,
        figure,
    )


def draw_histogram(pixels: DifferencePixels, prefix: str) -> Picture:
    """Draw the histogram of the significance against the unit normal."""
    middle, share, normal = significance_histogram(pixels)
    figure = new_figure(4.6, 3.1)
    axes: Axes = figure.subplots()
    axes.step(middle, np.where(share > 0, share, np.nan), where="mid", color=BLUE, label="pixels")
    axes.plot(middle, normal, color="#333333", linewidth=0.9, linestyle="--", label="noise alone")
    least = share[share > 0].min() if (share > 0).any() else 1e-6
    axes.set_yscale("log")
    axes.set_ylim(least / 2, 1)
    axes.set_xlabel("difference [standard deviations]")
    axes.set_ylabel("share of the pixels per unit")
    axes.legend(loc="upper right", frameon=False, fontsize=8)
    grid_behind(axes)
    seen = pixels.significance[pixels.usable]
    spread = float(np.std(seen)) if seen.size else float("nan")
    return Picture(
        f"{prefix}_histogram",
        "Significance of the pixels",
        "Histogram of the difference in standard deviations beside the unit normal: its standard deviation "
        f"is {spread:.3g}, and {_beyond(pixels):.2e} of the pixels are beyond five.",
        "What is beyond twelve is counted in the last bins. Wider than the dashed curve: errors are too "
        "small; wings alone: what changed, or stars that were not subtracted well.",
        figure,
    )


def draw_kernel(pixels: DifferencePixels, prefix: str) -> Picture:
    """Draw the kernel that matches the image before to this one."""
    kernel = pixels.kernel
    half, most = kernel.shape[0] / 2, float(np.abs(kernel).max()) or 1.0
    figure = new_figure(3.6, 3.1)
    axes: Axes = figure.subplots()
    shown = axes.imshow(
        kernel, cmap="PuOr", vmin=-most, vmax=most, origin="lower", extent=(-half, half, -half, half)
    )
    figure.colorbar(shown, ax=axes, shrink=0.9)
    axes.set_xlabel("x [fine pixels]")
    axes.set_ylabel("y [fine pixels]")
    return Picture(
        f"{prefix}_kernel",
        "Kernel",
        f"Kernel in the middle of the image, {kernel.shape[1]} by {kernel.shape[0]} fine pixels, with the "
        f"sum {kernel.sum():.4f}.",
        f"What makes the image before look like this one, in the middle. Its sum, {kernel.sum():.4f}, is the "
        "ratio of the light of both.",
        figure,
    )


def draw_changes(
    pixels: DifferencePixels | None, changes: ChangeFacts, shape: tuple[int, int], prefix: str
) -> Picture:
    """Draw where something changed, by kind, over the difference if there is one."""
    figure, axes = image_figure(shape, 7.4)
    if pixels is not None:
        values, step = farthest(masked(pixels.significance, pixels.usable))
        lay_image(axes, values, step, cmap="Greys", vmin=-_SIGMA, vmax=3 * _SIGMA, alpha=0.6)
    of = {kind: changes.kind == kind for kind in KINDS}
    marks = [Marks(one, KIND_LOOK[one], changes.x[chosen], changes.y[chosen]) for one, chosen in of.items()]
    said = mark_by_class(figure, shape, marks)
    return Picture(
        f"{prefix}_changes",
        "What changed",
        f"Positions of what changed, by kind: {said}.",
        "Over the significance of the difference. Real changes lie anywhere; dipoles and hits that crowd "
        "about bright stars or in a corner are faults of the match.",
        figure,
    )


@dataclass(frozen=True)
class Change:
    """A change with its cut-outs; ``object_id`` is None where there is none, fluxes are nJy."""

    number: int
    object_id: int | None
    kind: str
    ra: float
    dec: float
    flux: float
    flux_err: float
    picture: Picture

    @property
    def significance(self) -> float:
        """Change over its error."""
        return self.flux / self.flux_err


def draw_cut_outs(pixels: DifferencePixels, changes: ChangeFacts, most: int, prefix: str) -> list[Change]:
    """Draw image, template and difference about the most significant new and variable sources."""
    real = np.flatnonzero(np.isin(changes.kind, _REAL))
    order = real[np.argsort(-np.abs(changes.significance[real]), kind="stable")]
    return [_change(pixels, changes, int(row), prefix) for row in order[:most]]


def _change(pixels: DifferencePixels, changes: ChangeFacts, row: int, prefix: str) -> Change:
    """One of them."""
    x, y = float(changes.x[row]), float(changes.y[row])
    number, kind = int(changes.number[row]), str(changes.kind[row])
    counts = cut_out(pixels.usable, x, y, HALF_CUT_OUT) == 1
    before, after, difference = (
        masked(cut_out(values, x, y, HALF_CUT_OUT), counts)
        for values in (pixels.template, pixels.image, pixels.difference)
    )
    figure = new_figure(3.9, 1.55)
    panels = figure.subplots(1, 3)
    norm = stretch(np.concatenate([before, after]))
    most = _peak(difference)
    grey = with_missing("gray")
    panels[0].imshow(after, cmap=grey, norm=norm, origin="lower")
    panels[1].imshow(before, cmap=grey, norm=norm, origin="lower")
    signed = with_missing("RdBu_r", "#bbbbbb")
    panels[2].imshow(difference, cmap=signed, vmin=-most, vmax=most, origin="lower")
    for axes, name in zip(panels, ("image", "before", "difference"), strict=True):
        axes.set_title(name, fontsize=8)
        axes.set_xticks([])
        axes.set_yticks([])
    flux, error = float(changes.flux[row]), float(changes.flux_err[row])
    object_id = int(changes.object_id[row])
    alt = f"Image, template and difference about source {number}: {kind}, {flux / error:+.1f} sigma."
    picture = Picture(f"{prefix}_source_{number}", f"Source {number}", alt, "", figure)
    place = float(changes.ra[row]), float(changes.dec[row])
    return Change(number, object_id if object_id >= 0 else None, kind, *place, flux, error, picture)


def _peak(difference: Values) -> float:
    """Largest modulus in the middle of a cut-out: a stronger change beside it is not to hide it."""
    core = slice(HALF_CUT_OUT - _CORE, HALF_CUT_OUT + _CORE + 1)
    middle = difference[core, core]
    seen = np.abs(middle[np.isfinite(middle)])
    return float(seen.max()) if seen.any() else 1.0


def _left_out(pixels: DifferencePixels) -> str:
    """How many pixels are not among them, as they changed."""
    count = int((pixels.changed & pixels.usable).sum())
    return f"Of what changed {count:,} pixels ({count / max(pixels.usable.sum(), 1):.1%}) are not counted."


def _beyond(pixels: DifferencePixels) -> float:
    """Share of the pixels beyond five standard deviations, of those that count and have not changed."""
    rest = pixels.usable & ~pixels.changed
    return float(pixels.far[rest].mean()) if rest.any() else 0.0
